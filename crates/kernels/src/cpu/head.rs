//! What becomes of logits on the device: normalisers, wanted entries, the largest.

use super::math::{exp, fold_lanes};
use super::threads::{Work, for_each_chunk, simd};
use std::ops::Add;

/// The logit that stands for "none" in [`crate::Op::TopK`].
const NO_LOGIT: f32 = -1e30;

/// [`crate::Op::LogSumExp`].
pub(super) fn log_sum_exp(logits: &[f32], state: &mut [f32], cols: usize, first: bool) {
    for_each_chunk(state, 2, |row, state| {
        let (most, sum) = simd(Piece(&logits[row * cols..][..cols]));
        if let [m, s] = state {
            if first {
                (*m, *s) = (most, sum);
            } else {
                let joint = m.max(most);
                (*m, *s) = (joint, *s * exp(*m - joint) + sum * exp(most - joint));
            }
        }
    });
}

/// The maximum of some logits, and the sum of their exponentials below it.
struct Piece<'a>(&'a [f32]);

impl Work for Piece<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn call(self) -> (f32, f32) {
        let most = fold_lanes(self.0, f32::MIN, |x| x, f32::max);
        (most, fold_lanes(self.0, 0.0, |x| exp(x - most), Add::add))
    }
}

/// [`crate::Op::Pick`].
pub(super) fn pick(logits: &[f32], wanted: &[u32], out: &mut [f32], cols: usize, first_col: usize) {
    for (pair, out) in wanted.as_chunks::<2>().0.iter().zip(out) {
        let [row, token] = pair.map(|index| index as usize);
        if (first_col..first_col + cols).contains(&token)
            && let Some(logit) = logits.get(row * cols + token - first_col)
        {
            *out = *logit;
        }
    }
}

/// [`crate::Op::TopK`], into `out [rows, k, 2]`.
pub(super) fn top_k(logits: &[f32], out: &mut [f32], cols: usize, first_col: usize, k: usize) {
    for_each_chunk(out, 2 * k, |row, out| {
        let logits = &logits[row * cols..][..cols];
        // Sorted, largest first, equal ones by rising column; most logits fail the first comparison.
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(k + 1);
        for (col, logit) in logits.iter().copied().enumerate() {
            if best.len() == k && best.last().is_none_or(|(least, _)| logit <= *least) {
                continue;
            }
            let at = best.partition_point(|(other, _)| *other >= logit);
            best.insert(at, (logit, col));
            best.truncate(k);
        }
        for (i, entry) in out.chunks_exact_mut(2).enumerate() {
            let (logit, token) = best.get(i).map_or((NO_LOGIT, 0), |(logit, col)| (*logit, first_col + col));
            entry.copy_from_slice(&[logit, f32::from_bits(token as u32)]);
        }
    });
}
