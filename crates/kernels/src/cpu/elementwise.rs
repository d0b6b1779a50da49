//! Norms, rotation, activations and sums: each row or element for itself.

use super::math::{dot, exp, fold_lanes, mul_add};
use super::threads::{Work, for_each_chunk, simd};

/// Words for each thread's turn, so that small operands are not spread thin.
const GRAIN_WORDS: usize = 16 * 1024;

fn rows_per_turn(cols: usize) -> usize {
    (GRAIN_WORDS / cols.max(1)).max(1)
}

/// [`crate::Op::RmsNorm`].
pub(super) fn rms_norm(x: &[f32], gain: &[f32], out: &mut [f32], cols: usize, eps: f32) {
    let turn = rows_per_turn(cols) * cols;
    for_each_chunk(out, turn, |i, out| simd(NormRows { x: &x[i * turn..], gain, out, cols, eps }));
}

struct NormRows<'a> {
    x: &'a [f32],
    gain: &'a [f32],
    out: &'a mut [f32],
    cols: usize,
    eps: f32,
}

impl Work for NormRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (x, out) in self.x.chunks_exact(self.cols).zip(self.out.chunks_exact_mut(self.cols)) {
            let scale = 1.0 / (dot(x, x) / self.cols as f32 + self.eps).sqrt();
            for ((out, x), gain) in out.iter_mut().zip(x).zip(self.gain) {
                *out = x * scale * gain;
            }
        }
    }
}

/// [`crate::Op::LayerNorm`].
pub(super) fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32], cols: usize, eps: f32) {
    let turn = rows_per_turn(cols) * cols;
    for_each_chunk(out, turn, |i, out| simd(CentreRows { x: &x[i * turn..], gain, bias, out, cols, eps }));
}

struct CentreRows<'a> {
    x: &'a [f32],
    gain: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
    cols: usize,
    eps: f32,
}

impl Work for CentreRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (x, out) in self.x.chunks_exact(self.cols).zip(self.out.chunks_exact_mut(self.cols)) {
            let mean = fold_lanes(x, 0.0, |x| x, |a, b| a + b) / self.cols as f32;
            // From the centred values: the difference of two mean squares would lose what is left of them.
            let variance = fold_lanes(x, 0.0, |x| (x - mean) * (x - mean), |a, b| a + b) / self.cols as f32;
            let scale = 1.0 / (variance + self.eps).sqrt();
            for (((out, x), gain), bias) in out.iter_mut().zip(x).zip(self.gain).zip(self.bias) {
                *out = mul_add((x - mean) * scale, *gain, *bias);
            }
        }
    }
}

/// [`crate::Op::Rope`].
pub(super) fn rope(x: &mut [f32], angles: &[f32], heads: usize, head_dim: usize) {
    let per_turn = rows_per_turn(heads * head_dim);
    for_each_chunk(x, per_turn * heads * head_dim, |i, x| {
        simd(RotateRows { x, angles: &angles[i * per_turn * head_dim..], heads, head_dim });
    });
}

struct RotateRows<'a> {
    x: &'a mut [f32],
    angles: &'a [f32],
    heads: usize,
    head_dim: usize,
}

impl Work for RotateRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let RotateRows { x, angles, heads, head_dim } = self;
        for (row, angles) in x.chunks_exact_mut(heads * head_dim).zip(angles.chunks_exact(head_dim)) {
            let (cos, sin) = angles.split_at(head_dim / 2);
            for head in row.chunks_exact_mut(head_dim) {
                let (a, b) = head.split_at_mut(head_dim / 2);
                for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                    (*a, *b) = (mul_add(*a, *cos, -*b * sin), mul_add(*b, *cos, *a * sin));
                }
            }
        }
    }
}

/// [`crate::Op::SwiGlu`].
pub(super) fn swiglu(gate: &mut [f32], up: &[f32]) {
    for_each_chunk(gate, GRAIN_WORDS, |i, gate| simd(Activate { gate, up: &up[i * GRAIN_WORDS..] }));
}

struct Activate<'a> {
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl Work for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (gate, up) in self.gate.iter_mut().zip(self.up) {
            *gate = *gate / (1.0 + exp(-*gate)) * up;
        }
    }
}

/// [`crate::Op::Gelu`].
pub(super) fn gelu(x: &mut [f32]) {
    for_each_chunk(x, GRAIN_WORDS, |_, x| simd(Smooth { x }));
}

struct Smooth<'a> {
    x: &'a mut [f32],
}

impl Work for Smooth<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        // sqrt(2 / pi).
        const SLOPE: f32 = 0.797_884_6;
        for x in self.x.iter_mut() {
            // Beyond 10 it is x or 0 to the last bit; (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)).
            let near = x.clamp(-10.0, 10.0);
            let u = (SLOPE * near * mul_add(0.044_715 * near, near, 1.0)).clamp(-15.0, 15.0);
            *x /= 1.0 + exp(-2.0 * u);
        }
    }
}

/// [`crate::Op::Add`].
pub(super) fn add(x: &mut [f32], addend: &[f32]) {
    let turn = rows_per_turn(addend.len()) * addend.len();
    for_each_chunk(x, turn, |_, x| simd(Sum { x, addend }));
}

struct Sum<'a> {
    x: &'a mut [f32],
    addend: &'a [f32],
}

impl Work for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.x.chunks_mut(self.addend.len()) {
            for (x, addend) in row.iter_mut().zip(self.addend) {
                *x += addend;
            }
        }
    }
}
