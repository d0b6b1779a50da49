//! Norm, rotation and activation: each row or element for itself.

use super::math::{dot, exp, mul_add};
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
