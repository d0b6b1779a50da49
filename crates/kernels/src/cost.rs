//! What an operation costs, exactly, before it runs.

use crate::Op;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Arithmetic and memory traffic, counting each operand once, as if every one were read or written exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations; a multiply-add counts two, a transcendental function one.
    pub flops: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
}

impl Cost {
    /// The cost of doing it so many times.
    pub fn times(self, number: u64) -> Cost {
        Cost {
            flops: self.flops.saturating_mul(number),
            read_bytes: self.read_bytes.saturating_mul(number),
            written_bytes: self.written_bytes.saturating_mul(number),
        }
    }
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            flops: self.flops + other.flops,
            read_bytes: self.read_bytes + other.read_bytes,
            written_bytes: self.written_bytes + other.written_bytes,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Add::add)
    }
}

impl Op {
    /// FLOPs, bytes read and bytes written.
    pub fn cost(&self) -> Cost {
        let cost = |flops: u64, read_words: u64, written_words: u64| Cost {
            flops,
            read_bytes: 4 * read_words,
            written_bytes: 4 * written_words,
        };
        match self {
            Op::Embed { table, rows, .. } => {
                let (rows, cols) = (wide(*rows), wide(table.cols()));
                let stored = wide(table.spec().row_bytes().unwrap_or(0)) * rows;
                Cost { read_bytes: stored + 4 * rows, ..cost(rows * cols, 0, rows * cols) }
            }
            Op::RmsNorm { rows, cols, .. } => {
                let (rows, cols) = (wide(*rows), wide(*cols));
                cost(4 * rows * cols, rows * cols + cols, rows * cols)
            }
            Op::LayerNorm { rows, cols, .. } => {
                let (rows, cols) = (wide(*rows), wide(*cols));
                cost(7 * rows * cols, rows * cols + 2 * cols, rows * cols)
            }
            Op::MatMul { weight, outputs, rows, accumulate, .. } => {
                let (rows, n, k) = (wide(*rows), wide(outputs.len()), wide(weight.cols()));
                let stored = wide(weight.spec().row_bytes().unwrap_or(0)) * n;
                let words = rows * k + if *accumulate { rows * n } else { 0 };
                let mut total = cost(2 * rows * n * k, words, rows * n);
                total.read_bytes += stored;
                total
            }
            Op::Rope { rows, heads, head_dim, .. } => {
                let (rows, heads, head_dim) = (wide(*rows), wide(*heads), wide(*head_dim));
                cost(3 * rows * heads * head_dim, rows * (heads + 1) * head_dim, rows * heads * head_dim)
            }
            Op::Attention { n_rows, batch_rows, shape, pairs, .. } => {
                let (n_rows, n_heads, head_dim) = (wide(*n_rows), wide(shape.n_heads), wide(shape.head_dim));
                let q = n_rows * n_heads * head_dim;
                let kv = 2 * wide(*batch_rows) * wide(shape.n_kv_heads) * head_dim;
                // A score, its exponential and sum, and its share of the output.
                cost(pairs * n_heads * (4 * head_dim + 3), q + kv + 8 * n_rows, q)
            }
            Op::SwiGlu { words, .. } => cost(5 * wide(*words), 2 * wide(*words), wide(*words)),
            Op::Copy { words, .. } => cost(0, wide(*words), wide(*words)),
            Op::Gather { rows, cols, .. } => {
                let (rows, cols) = (wide(*rows), wide(*cols));
                cost(0, rows * cols + rows, rows * cols)
            }
            Op::LogSumExp { rows, cols, .. } => {
                let (rows, cols) = (wide(*rows), wide(*cols));
                cost(3 * rows * cols, rows * cols, 2 * rows)
            }
            Op::Pick { n, .. } => cost(0, 3 * wide(*n), wide(*n)),
            Op::TopK { rows, cols, k, .. } => {
                let (rows, cols, k) = (wide(*rows), wide(*cols), wide(*k));
                cost(rows * cols * k, rows * cols, 2 * rows * k)
            }
            Op::Gelu { words, .. } => cost(8 * wide(*words), wide(*words), wide(*words)),
            Op::Add { words, period, .. } => cost(wide(*words), wide(*words) + wide(*period), wide(*words)),
        }
    }
}

/// Wide enough for products: the browser's `usize` has 32 bits, which a vocabulary times a few rows exceeds.
fn wide(n: usize) -> u64 {
    n as u64
}
