//! Attention of a block.

use super::linear::Linear;
use super::norm::Norm;
use crate::block::{Activations, Rows};
use kernels::{AttentionShape, Buffer, Op};

/// The linear maps of attention, and its heads.
#[derive(Debug)]
pub(crate) struct Attention {
    /// `[n_heads * head_dim, d_model]`.
    pub(crate) q: Linear,
    /// `[n_kv_heads * head_dim, d_model]`.
    pub(crate) k: Linear,
    /// As `k`.
    pub(crate) v: Linear,
    /// `[d_model, n_heads * head_dim]`.
    pub(crate) o: Linear,
    /// Of queries and of keys, ahead of their rotation.
    pub(crate) norms: Option<(Norm, Norm)>,
    pub(crate) heads: AttentionShape,
}

/// Norms of queries and keys, ahead of their rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNorm {
    /// There are none.
    None,
    /// Of each head, with one gain for all: `[head_dim]`.
    PerHead,
    /// Of all heads of a row together: `[heads * head_dim]`.
    Whole,
}

/// Keys and values of earlier positions in one layer.
#[derive(Clone, Copy)]
pub(crate) struct Cached<'a> {
    /// `[capacity, n_kv_heads, head_dim]`.
    pub(crate) keys: &'a Buffer,
    /// As `keys`.
    pub(crate) values: &'a Buffer,
    /// Whether rows read them.
    pub(crate) is_read: bool,
    /// The position at which those of the batch are added, if they are.
    pub(crate) append_at: Option<usize>,
}

impl Attention {
    /// Appends the keys and values of all rows from their `input`, and adds them to the cache if that is asked for.
    pub(crate) fn keys_and_values(&self, input: &Buffer, at: &Activations, to: &Attending<'_>, ops: &mut Vec<Op>) {
        let (rows, AttentionShape { n_kv_heads, head_dim, .. }) = (to.all, self.heads);
        let width = n_kv_heads * head_dim;
        match &self.norms {
            None => self.k.apply(input, &at.k, rows.n, false, ops),
            Some((_, norm)) => {
                // The memory of queries, which come later.
                self.k.apply(input, &at.q, rows.n, false, ops);
                norm.apply(&at.q, &at.k, rows.n * width / norm.cols().max(1), ops);
            }
        }
        self.v.apply(input, &at.v, rows.n, false, ops);
        if to.is_rotary {
            rows.rotate(&at.k, n_kv_heads, head_dim, ops);
        }
        let Some(Cached { keys, values, append_at: Some(position), .. }) = to.cached else { return };
        for (from, to) in [(&at.k, keys), (&at.v, values)] {
            let (to_word, words) = (position * width, rows.n * width);
            ops.push(Op::Copy { from: from.clone(), from_word: 0, to: to.clone(), to_word, words });
        }
    }

    /// Appends attention of `rows` over the keys and values of all of the batch and of the cache, from their `input`. Where its
    /// result lies, `[rows, n_heads * head_dim]`, ahead of the output's map.
    pub(crate) fn attend<'a>(
        &self,
        input: &Buffer,
        at: &'a Activations,
        rows: &Rows,
        to: &Attending<'_>,
        ops: &mut Vec<Op>,
    ) -> &'a Buffer {
        let AttentionShape { n_heads, head_dim, .. } = self.heads;
        self.q.apply(input, &at.q, rows.n, false, ops);
        // Queries and the result take turns in two pieces of memory.
        let (q, out) = match &self.norms {
            None => (&at.q, &at.normed),
            Some((norm, _)) => {
                norm.apply(&at.q, &at.normed, rows.n * n_heads * head_dim / norm.cols().max(1), ops);
                (&at.normed, &at.q)
            }
        };
        if to.is_rotary {
            rows.rotate(q, n_heads, head_dim, ops);
        }
        // Naming the batch's own keys says that none come from a cache, for which a device may have a cheaper kernel.
        let cached = to.cached.filter(|cached| cached.is_read).map(|cached| (cached.keys, cached.values));
        let (cache_k, cache_v) = cached.unwrap_or((&at.k, &at.v));
        ops.push(Op::Attention {
            q: q.clone(),
            k: at.k.clone(),
            v: at.v.clone(),
            cache_k: cache_k.clone(),
            cache_v: cache_v.clone(),
            table: rows.table.clone(),
            factors: to.factors.clone(),
            out: out.clone(),
            n_rows: rows.n,
            batch_rows: to.all.n,
            layer: to.layer as u32,
            shape: self.heads,
            pairs: rows.pairs,
        });
        out
    }

    /// Its linear maps.
    pub(crate) fn linears(&self) -> [&Linear; 4] {
        [&self.q, &self.k, &self.v, &self.o]
    }

    /// Its norms.
    pub(crate) fn norms(&self) -> impl Iterator<Item = &Norm> {
        self.norms.iter().flat_map(|(q, k)| [q, k])
    }
}

/// What rows attend to.
#[derive(Clone, Copy)]
pub(crate) struct Attending<'a> {
    /// Which block's keys they are, for the layer ranges in tables.
    pub(crate) layer: usize,
    /// All rows of the batch.
    pub(crate) all: &'a Rows,
    /// Whether queries and keys are rotated by their positions in this block.
    pub(crate) is_rotary: bool,
    pub(crate) cached: Option<Cached<'a>>,
    /// Key factors of all sequences, at least one word.
    pub(crate) factors: &'a Buffer,
}
