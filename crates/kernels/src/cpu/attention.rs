//! Causal attention with key factors, row by row.

use super::math::{add_scaled, dot, exp};
use super::threads::{Work, for_each_chunk, simd};
use crate::{AttentionShape, NO_FACTORS, Operator, RowEntry, ShapeError};

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

impl Attention<'_> {
    /// Writes `out [n_rows, n_heads, head_dim]`.
    pub(super) fn run(&self, out: &mut [f32]) {
        let AttentionShape { n_heads, n_kv_heads, head_dim } = self.shape;
        let group = n_heads / n_kv_heads;
        // The query heads that share a key-value head are one turn: they read the same keys while these are in cache.
        for_each_chunk(out, group * head_dim, |i, out| {
            let (row, kv_head) = (i / n_kv_heads, i % n_kv_heads);
            simd(Group { attention: self, row, kv_head, out });
        });
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

/// The query heads of one row that share a key-value head.
struct Group<'a> {
    attention: &'a Attention<'a>,
    row: usize,
    kv_head: usize,
    /// `[group, head_dim]`.
    out: &'a mut [f32],
}

impl Work for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Group { attention, row, kv_head, out } = self;
        let AttentionShape { n_heads, n_kv_heads, head_dim } = attention.shape;
        let group = n_heads / n_kv_heads;
        let entry = attention.table[row];
        let cached = entry.cached as usize;
        let n_visible = entry.position as usize + 1;
        let acting = entry.factors != NO_FACTORS && (entry.layer_begin..entry.layer_end).contains(&attention.layer);
        let operator = Operator::ALL.into_iter().find(|o| o.code() == entry.operator).unwrap_or_default();
        // Only the operator that looks at the future needs scores of keys beyond the row's own.
        let n_scored = if acting && operator == Operator::ShiftedFull { entry.n_positions as usize } else { n_visible };

        let first_row = entry.first_row as usize;
        let span = |j: usize| {
            let in_cache = j < cached;
            let row = if in_cache { j } else { first_row + j - cached };
            (in_cache, (row * n_kv_heads + kv_head) * head_dim)
        };
        let q = &attention.q[(row * n_heads + kv_head * group) * head_dim..][..group * head_dim];
        let scale = attention.shape.scale();
        let mut scores = vec![0.0f32; group * n_scored];
        for j in 0..n_scored {
            let (in_cache, at) = span(j);
            let key = &(if in_cache { attention.cache_k } else { attention.k })[at..][..head_dim];
            for (h, q) in q.chunks_exact(head_dim).enumerate() {
                scores[h * n_scored + j] = scale * dot(q, key);
            }
        }
        for scores in scores.chunks_exact_mut(n_scored) {
            if acting {
                suppress(scores, &attention.factors[entry.factors as usize..][..n_scored], operator);
            }
            softmax(&mut scores[..n_visible]);
        }
        out.fill(0.0);
        for j in 0..n_visible {
            let (in_cache, at) = span(j);
            let value = &(if in_cache { attention.cache_v } else { attention.v })[at..][..head_dim];
            for (h, out) in out.chunks_exact_mut(head_dim).enumerate() {
                add_scaled(out, scores[h * n_scored + j], value);
            }
        }
    }
}

/// Applies key factors to one row's scores; for the shifting operators `scores` holds all keys that the minimum is over.
#[inline(always)]
fn suppress(scores: &mut [f32], factors: &[f32], operator: Operator) {
    let keys = scores.iter_mut().zip(factors);
    match operator {
        Operator::LogAdditive => keys.for_each(|(s, f)| *s += f.max(1e-30).ln()),
        Operator::Multiplicative => keys.for_each(|(s, f)| *s *= f),
        Operator::Shifted | Operator::ShiftedFull => {
            let least = scores.iter().copied().fold(f32::MAX, f32::min);
            scores.iter_mut().zip(factors).for_each(|(s, f)| *s = (*s - least) * f);
        }
    }
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = exp(*s - most);
    }
    for s in scores.iter() {
        sum += *s;
    }
    for s in scores {
        *s /= sum;
    }
}
