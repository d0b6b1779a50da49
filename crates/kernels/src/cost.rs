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
        let cost = |flops: usize, read_words: usize, written_words: usize| Cost {
            flops: flops as u64,
            read_bytes: 4 * read_words as u64,
            written_bytes: 4 * written_words as u64,
        };
        match self {
            Op::Embed { table, rows, .. } => {
                let stored = table.spec().row_bytes().unwrap_or(0) * rows;
                Cost { read_bytes: (stored + 4 * rows) as u64, ..cost(rows * table.cols(), 0, rows * table.cols()) }
            }
            Op::RmsNorm { rows, cols, .. } => cost(4 * rows * cols, rows * cols + cols, rows * cols),
            Op::MatMul { weight, outputs, rows, accumulate, .. } => {
                let (n, k) = (outputs.len(), weight.cols());
                let stored = weight.spec().row_bytes().unwrap_or(0) * n;
                let words = rows * k + if *accumulate { rows * n } else { 0 };
                let mut total = cost(2 * rows * n * k, words, rows * n);
                total.read_bytes += stored as u64;
                total
            }
            Op::Rope { rows, heads, head_dim, .. } => {
                cost(3 * rows * heads * head_dim, rows * (heads + 1) * head_dim, rows * heads * head_dim)
            }
            Op::Attention { n_rows, batch_rows, shape, pairs, .. } => {
                let q = n_rows * shape.n_heads * shape.head_dim;
                let kv = 2 * batch_rows * shape.n_kv_heads * shape.head_dim;
                let mut total = cost(0, q + kv + 8 * n_rows, q);
                // A score, its exponential and sum, and its share of the output.
                total.flops = pairs * (shape.n_heads * (4 * shape.head_dim + 3)) as u64;
                total
            }
            Op::SwiGlu { words, .. } => cost(5 * words, 2 * words, *words),
            Op::Copy { words, .. } => cost(0, *words, *words),
            Op::Gather { rows, cols, .. } => cost(0, rows * cols + rows, rows * cols),
            Op::LogSumExp { rows, cols, .. } => cost(3 * rows * cols, rows * cols, 2 * rows),
            Op::Pick { n, .. } => cost(0, 3 * n, *n),
            Op::TopK { rows, cols, k, .. } => cost(rows * cols * k, rows * cols, 2 * rows * k),
        }
    }
}
