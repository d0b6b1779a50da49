//! Attention of a block.

use super::linear::Linear;
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
    pub(crate) heads: AttentionShape,
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
    /// Appends the keys and values of all rows, whose normed states stand in `at.normed`, and adds them to the cache if that is
    /// asked for.
    pub(crate) fn keys_and_values(&self, at: &Activations, all: &Rows, cached: Option<Cached<'_>>, ops: &mut Vec<Op>) {
        self.k.apply(&at.normed, &at.k, all.n, false, ops);
        self.v.apply(&at.normed, &at.v, all.n, false, ops);
        all.rotate(&at.k, self.heads.n_kv_heads, self.heads.head_dim, ops);
        let Some(Cached { keys, values, append_at: Some(position), .. }) = cached else { return };
        let width = self.heads.n_kv_heads * self.heads.head_dim;
        for (from, to) in [(&at.k, keys), (&at.v, values)] {
            let (to_word, words) = (position * width, all.n * width);
            ops.push(Op::Copy { from: from.clone(), from_word: 0, to: to.clone(), to_word, words });
        }
    }

    /// Appends `x += o . attention(q)` for `rows`, whose normed states stand in `at.normed`, over the keys and values of all of
    /// the batch and of the cache.
    pub(crate) fn attend(&self, to: Attending<'_>, at: &Activations, x: &Buffer, rows: &Rows, ops: &mut Vec<Op>) {
        self.q.apply(&at.normed, &at.q, rows.n, false, ops);
        rows.rotate(&at.q, self.heads.n_heads, self.heads.head_dim, ops);
        // Naming the batch's own keys says that none come from a cache, for which a device may have a cheaper kernel.
        let cached = to.cached.filter(|cached| cached.is_read).map(|cached| (cached.keys, cached.values));
        let (cache_k, cache_v) = cached.unwrap_or((&at.k, &at.v));
        ops.push(Op::Attention {
            q: at.q.clone(),
            k: at.k.clone(),
            v: at.v.clone(),
            cache_k: cache_k.clone(),
            cache_v: cache_v.clone(),
            table: rows.table.clone(),
            factors: to.factors.clone(),
            out: at.normed.clone(),
            n_rows: rows.n,
            batch_rows: to.batch_rows,
            layer: to.layer as u32,
            shape: self.heads,
            pairs: rows.pairs,
        });
        self.o.apply(&at.normed, x, rows.n, true, ops);
    }

    /// Its linear maps.
    pub(crate) fn linears(&self) -> [&Linear; 4] {
        [&self.q, &self.k, &self.v, &self.o]
    }
}

/// What rows attend to.
#[derive(Clone, Copy)]
pub(crate) struct Attending<'a> {
    /// Which block's keys they are, for the layer ranges in tables.
    pub(crate) layer: usize,
    /// Rows of keys and values in the batch.
    pub(crate) batch_rows: usize,
    pub(crate) cached: Option<Cached<'a>>,
    /// Key factors of all sequences.
    pub(crate) factors: &'a Buffer,
}
