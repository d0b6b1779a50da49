//! Inner loops in a form that the compiler vectorises. All are inlined into callers that run under [`super::threads::simd`],
//! and so are compiled once for each level of instruction set.

pub(super) use tensor::mul_add;

/// `sum_i a[i] b[i]` over the shorter length. Sums run in 64 lanes: enough independent chains to hide the latency of an addition.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a_wide, a_rest) = a[..n].as_chunks::<64>();
    let (b_wide, b_rest) = b[..n].as_chunks::<64>();
    let mut lanes = [0.0f32; 64];
    for (a, b) in a_wide.iter().zip(b_wide) {
        for i in 0..64 {
            lanes[i] = mul_add(a[i], b[i], lanes[i]);
        }
    }
    let mut sums = [0.0f32; 16];
    for i in 0..16 {
        sums[i] = (lanes[i] + lanes[i + 16]) + (lanes[i + 32] + lanes[i + 48]);
    }
    let (a_narrow, a_rest) = a_rest.as_chunks::<16>();
    let (b_narrow, b_rest) = b_rest.as_chunks::<16>();
    for (a, b) in a_narrow.iter().zip(b_narrow) {
        for i in 0..16 {
            sums[i] = mul_add(a[i], b[i], sums[i]);
        }
    }
    let mut width = 8;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    a_rest.iter().zip(b_rest).fold(sums[0], |sum, (a, b)| mul_add(*a, *b, sum))
}

/// `map` of all of `x` joined by `join`, in 16 lanes that are joined together at the end; a single chain would not be
/// vectorised. `start` must be neutral, and the order must not matter.
#[inline(always)]
pub(super) fn fold_lanes(x: &[f32], start: f32, map: impl Fn(f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [start; 16];
    for chunk in chunks {
        for i in 0..16 {
            lanes[i] = join(lanes[i], map(chunk[i]));
        }
    }
    let joined = lanes.into_iter().fold(start, &join);
    rest.iter().fold(joined, |joined, x| join(joined, map(*x)))
}

/// `exp(x)` to within 2 units in the last place for `-87 <= x <= 88`, and the value at the nearer end beyond.
///
/// `x = n ln 2 + r` with `|r| <= ln(2) / 2`; `exp(r)` by its Taylor polynomial of degree 7, whose remainder there is below
/// half a unit in the last place; `2^n` by its bits.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves the integer nearest to the argument in the low bits of the sum.
    const SHIFT: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with so few bits that n times it is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = mul_add(x, std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    let r = mul_add(n, -LN2_LOW, mul_add(n, -LN2_HIGH, x));
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = mul_add(p, r, c);
    }
    let two_to_n = f32::from_bits((shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(127)) << 23);
    p * two_to_n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let mut worst = 0.0f64;
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - exact).abs() / exact);
        }
        assert!(worst < 2.0 * f64::from(f32::EPSILON), "{worst:e}");
    }

    #[test]
    fn exp_of_masked_scores_is_negligible_and_finite() {
        assert!(exp(-1e30) < 1e-37 && exp(-1e30) >= 0.0);
        assert!(exp(1e30).is_finite());
    }

    #[test]
    fn dot_agrees_with_a_sum_in_double_precision_at_every_length() {
        for n in [0, 1, 15, 16, 17, 63, 64, 65, 100, 576, 1537] {
            let a: Vec<f32> = (0..n).map(|i| ((i * 7 + 3) % 11) as f32 - 5.0).collect();
            let b: Vec<f32> = (0..n).map(|i| ((i * 5 + 1) % 13) as f32 / 4.0 - 1.5).collect();
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(dot(&a, &b)) - exact).abs() < 1e-3, "length {n}");
        }
    }
}
