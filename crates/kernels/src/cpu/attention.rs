//! Attention with key factors: products of a few rows with all their keys, then each row's softmax.

use super::gemm::{self, Matrix};
use super::math::{exp, fold_lanes};
use super::threads::{Work, for_each_chunk, simd};
use crate::{AttentionShape, NO_FACTORS, Operator, RowEntry, ShapeError};
use std::ops::{Add, Range};

/// The operands of [`crate::Op::Attention`], under the same names.
pub(super) struct Attention<'a> {
    pub(super) q: &'a [f32],
    pub(super) k: &'a [f32],
    pub(super) v: &'a [f32],
    pub(super) cache_k: &'a [f32],
    pub(super) cache_v: &'a [f32],
    pub(super) table: &'a [RowEntry],
    pub(super) factors: &'a [f32],
    pub(super) layer: u32,
    pub(super) shape: AttentionShape,
}

/// Rows that one thread takes at a time: enough for products of a good shape, few enough that causal rows of a block see
/// nearly the same keys.
const BLOCK_ROWS: usize = 16;

impl Attention<'_> {
    /// Writes `out [n_rows, n_heads, head_dim]`.
    pub(super) fn run(&self, out: &mut [f32]) {
        let AttentionShape { n_heads, n_kv_heads, head_dim } = self.shape;
        let group_words = n_heads / n_kv_heads * head_dim;
        if self.table.len() < BLOCK_ROWS {
            // So few rows that the threads share the heads.
            for_each_chunk(out, group_words, |i, out| {
                self.block(i / n_kv_heads..i / n_kv_heads + 1, i % n_kv_heads..i % n_kv_heads + 1, out)
            });
        } else {
            for_each_chunk(out, BLOCK_ROWS * n_heads * head_dim, |i, out| {
                let first = i * BLOCK_ROWS;
                self.block(first..(first + BLOCK_ROWS).min(self.table.len()), 0..n_kv_heads, out);
            });
        }
    }

    /// The rows' query heads of some key-value heads: `out [rows, kv_heads, group, head_dim]`.
    fn block(&self, rows: Range<usize>, kv_heads: Range<usize>, out: &mut [f32]) {
        let group_words = self.shape.n_heads / self.shape.n_kv_heads * self.shape.head_dim;
        let row_words = kv_heads.len() * group_words;
        let same_keys = |a: &RowEntry, b: &RowEntry| (a.cached, a.first_row, a.factors) == (b.cached, b.first_row, b.factors);
        let mut first = rows.start;
        for run in self.table[rows.clone()].chunk_by(same_keys) {
            let out = &mut out[(first - rows.start) * row_words..][..run.len() * row_words];
            for (i, kv_head) in kv_heads.clone().enumerate() {
                self.rows_of_one_sequence(first, run, kv_head, &mut out[i * group_words..], row_words);
            }
            first += run.len();
        }
    }

    /// One key-value head's group of query heads, for consecutive rows of one sequence. Rows of `out` are `row_words` apart.
    fn rows_of_one_sequence(&self, first: usize, run: &[RowEntry], kv_head: usize, out: &mut [f32], row_words: usize) {
        let AttentionShape { n_heads, n_kv_heads, head_dim } = self.shape;
        let (group, width) = (n_heads / n_kv_heads, n_kv_heads * head_dim);
        let Some(entry) = run.first() else { return };
        let n_keys = run.iter().map(|entry| self.n_scored(entry)).max().unwrap_or(0);
        let n_cached = (entry.cached as usize).min(n_keys);
        let m = run.len() * group;
        let mut q = Vec::with_capacity(m * head_dim);
        let scale = self.shape.scale();
        for row in first..first + run.len() {
            let heads = &self.q[(row * n_heads + kv_head * group) * head_dim..][..group * head_dim];
            q.extend(heads.iter().map(|q| q * scale));
        }
        // Keys and values of this head, from the cache and from the batch: rows `width` apart.
        let segments = [
            (0..n_cached, self.cache_k, self.cache_v, kv_head * head_dim),
            (n_cached..n_keys, self.k, self.v, (entry.first_row as usize * n_kv_heads + kv_head) * head_dim),
        ];
        let mut scores = vec![0.0; m * n_keys];
        for (keys, k, _, at) in segments.clone() {
            if !keys.is_empty() {
                let q = Matrix { data: &q, rows: m, cols: head_dim, row_stride: head_dim, col_stride: 1 };
                let k = Matrix { data: &k[at..], rows: head_dim, cols: keys.len(), row_stride: 1, col_stride: width };
                gemm::product(&mut scores[keys.start..], n_keys, 1, false, q, k);
            }
        }
        simd(Weigh { attention: self, run, scores: &mut scores, n_keys });
        let mut sums = vec![0.0; m * head_dim];
        for (keys, _, v, at) in segments {
            if !keys.is_empty() {
                let weights =
                    Matrix { data: &scores[keys.start..], rows: m, cols: keys.len(), row_stride: n_keys, col_stride: 1 };
                let v = Matrix { data: &v[at..], rows: keys.len(), cols: head_dim, row_stride: width, col_stride: 1 };
                gemm::product(&mut sums, head_dim, 1, keys.start > 0, weights, v);
            }
        }
        for (out, sums) in out.chunks_mut(row_words).zip(sums.chunks_exact(group * head_dim)) {
            out[..group * head_dim].copy_from_slice(sums);
        }
    }

    /// Whether a row's factors act in this layer, and how.
    fn operator(&self, entry: &RowEntry) -> Option<Operator> {
        let acting = entry.factors != NO_FACTORS && (entry.layer_begin..entry.layer_end).contains(&self.layer);
        Operator::ALL.into_iter().find(|operator| acting && operator.code() == entry.operator)
    }

    /// Keys whose scores a row needs: those it sees, and for the operator that looks at the future all of them.
    fn n_scored(&self, entry: &RowEntry) -> usize {
        match self.operator(entry) {
            Some(Operator::ShiftedFull) => entry.n_positions as usize,
            _ => entry.position as usize + 1,
        }
    }

    /// Checks what the row table points at, since it comes from a buffer.
    pub(super) fn check(&self, batch_rows: usize) -> Result<(), ShapeError> {
        let row_words = (self.shape.n_kv_heads * self.shape.head_dim).max(1);
        let cache_rows = self.cache_k.len().min(self.cache_v.len()) / row_words;
        let fits = |entry: &RowEntry| {
            let acting = entry.factors != NO_FACTORS;
            let sees_future = acting && entry.operator == Operator::ShiftedFull.code();
            let n_keys = if sees_future { u64::from(entry.n_positions) } else { u64::from(entry.position) + 1 };
            let n_cached = u64::from(entry.cached).min(n_keys);
            let first_factor = if acting { u64::from(entry.factors) } else { 0 };
            n_cached <= cache_rows as u64
                && u64::from(entry.first_row) + n_keys - n_cached <= batch_rows as u64
                && (!acting || first_factor + n_keys <= self.factors.len() as u64)
                && n_keys > u64::from(entry.position)
        };
        match self.table.iter().enumerate().find(|(_, entry)| !fits(entry)) {
            None => Ok(()),
            Some((row, entry)) => {
                let what = format!("row {row} reaches beyond its keys or factors: {entry:?}");
                Err(ShapeError::Dimension { op: "attention", what })
            }
        }
    }
}

/// Turns the scores of a run of rows, `[rows, group, n_keys]`, into attention weights; those of unseen keys become 0.
struct Weigh<'a> {
    attention: &'a Attention<'a>,
    run: &'a [RowEntry],
    scores: &'a mut [f32],
    n_keys: usize,
}

impl Work for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Weigh { attention, run, scores, n_keys } = self;
        let group = attention.shape.n_heads / attention.shape.n_kv_heads;
        for (entry, heads) in run.iter().zip(scores.chunks_exact_mut(group * n_keys)) {
            let n_visible = entry.position as usize + 1;
            let n_scored = attention.n_scored(entry);
            for scores in heads.chunks_exact_mut(n_keys) {
                if let Some(operator) = attention.operator(entry) {
                    let factors = &attention.factors[entry.factors as usize..][..n_scored];
                    suppress(&mut scores[..n_scored], factors, operator);
                }
                let (visible, unseen) = scores.split_at_mut(n_visible);
                softmax(visible);
                unseen.fill(0.0);
            }
        }
    }
}

/// Applies key factors to one row's scores, which are those of all keys that a minimum is over.
#[inline(always)]
fn suppress(scores: &mut [f32], factors: &[f32], operator: Operator) {
    let keys = scores.iter_mut().zip(factors);
    match operator {
        // Nearly all factors are 1, and a logarithm is dear.
        Operator::LogAdditive => keys.filter(|(_, f)| **f != 1.0).for_each(|(s, f)| *s += f.max(1e-30).ln()),
        Operator::Multiplicative => keys.for_each(|(s, f)| *s *= f),
        Operator::Shifted | Operator::ShiftedFull => {
            let least = fold_lanes(scores, f32::MAX, |s| s, f32::min);
            scores.iter_mut().zip(factors).for_each(|(s, f)| *s = (*s - least) * f);
        }
    }
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = fold_lanes(scores, f32::MIN, |s| s, f32::max);
    for s in scores.iter_mut() {
        *s = exp(*s - most);
    }
    let scale = 1.0 / fold_lanes(scores, 0.0, |s| s, Add::add);
    for s in scores {
        *s *= scale;
    }
}
