//! Norm, rotation and activation: each row or element for itself.

use super::math::{dot, exp, mul_add};
use super::threads::{for_each_chunk, simd};

/// Words for each thread's turn, so that small operands are not spread thin.
const GRAIN_WORDS: usize = 16 * 1024;

fn rows_per_turn(cols: usize) -> usize {
    (GRAIN_WORDS / cols.max(1)).max(1)
}

/// [`crate::Op::RmsNorm`].
pub(super) fn rms_norm(x: &[f32], gain: &[f32], out: &mut [f32], cols: usize, eps: f32) {
    let turn = rows_per_turn(cols) * cols;
    for_each_chunk(out, turn, |i, out| {
        let x = &x[i * turn..][..out.len()];
        simd(|| {
            for (x, out) in x.chunks_exact(cols).zip(out.chunks_exact_mut(cols)) {
                let scale = 1.0 / (dot(x, x) / cols as f32 + eps).sqrt();
                for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
                    *out = x * scale * gain;
                }
            }
        });
    });
}

/// [`crate::Op::Rope`].
pub(super) fn rope(x: &mut [f32], angles: &[f32], heads: usize, head_dim: usize) {
    let half = head_dim / 2;
    let per_turn = rows_per_turn(heads * head_dim);
    for_each_chunk(x, per_turn * heads * head_dim, |i, x| {
        let angles = &angles[i * per_turn * head_dim..];
        simd(|| {
            for (row, angles) in x.chunks_exact_mut(heads * head_dim).zip(angles.chunks_exact(head_dim)) {
                let (cos, sin) = angles.split_at(half);
                for head in row.chunks_exact_mut(head_dim) {
                    let (a, b) = head.split_at_mut(half);
                    for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                        (*a, *b) = (mul_add(*a, *cos, -*b * sin), mul_add(*b, *cos, *a * sin));
                    }
                }
            }
        });
    });
}

/// [`crate::Op::SwiGlu`].
pub(super) fn swiglu(gate: &mut [f32], up: &[f32]) {
    for_each_chunk(gate, GRAIN_WORDS, |i, gate| {
        let up = &up[i * GRAIN_WORDS..];
        simd(|| {
            for (gate, up) in gate.iter_mut().zip(up) {
                *gate = *gate / (1.0 + exp(-*gate)) * up;
            }
        });
    });
}
