//! Keys and values of positions already computed.

use crate::block::Allocate;
use crate::{Model, ModelError};
use kernels::{Buffer, Executor, Op};

/// Keys and values of positions `0 .. len` in every layer, in f32.
///
/// Of an explanation's baseline it is shared by all suppressed sequences; of a generation it grows token by token.
#[derive(Clone, Debug)]
pub struct KvCache {
    /// Keys and values of each layer, `[capacity, n_kv_heads, head_dim]`.
    pub(crate) layers: Vec<(Buffer, Buffer)>,
    pub(crate) len: usize,
    capacity: usize,
}

impl KvCache {
    /// An empty cache with room for `capacity` positions.
    pub fn new(model: &Model, executor: &mut dyn Executor, capacity: usize) -> Result<KvCache, ModelError> {
        KvCache::allocate(model, capacity, &mut |words, purpose| executor.buffer(words, purpose))
    }

    pub(crate) fn allocate(model: &Model, capacity: usize, alloc: &mut Allocate<'_>) -> Result<KvCache, ModelError> {
        let words = capacity.max(1) * model.config().kv_width();
        let mut layers = Vec::with_capacity(model.config().n_layers);
        for _ in 0..model.config().n_layers {
            layers.push((alloc(words, "cached keys")?, alloc(words, "cached values")?));
        }
        Ok(KvCache { layers, len: 0, capacity })
    }

    /// A cache with room for `capacity` positions, of which the first `len` are copied from this one.
    pub(crate) async fn branch(
        &self,
        model: &Model,
        executor: &mut dyn Executor,
        len: usize,
        capacity: usize,
    ) -> Result<KvCache, ModelError> {
        let mut branch = KvCache::new(model, executor, capacity)?;
        let words = len * model.config().kv_width();
        let pairs = self.layers.iter().zip(&branch.layers).flat_map(|((k, v), (to_k, to_v))| [(k, to_k), (v, to_v)]);
        let copy =
            |(from, to): (&Buffer, &Buffer)| Op::Copy { from: from.clone(), from_word: 0, to: to.clone(), to_word: 0, words };
        let copies: Vec<Op> = pairs.map(copy).collect();
        if words > 0 {
            executor.run(&copies).await?;
        }
        branch.len = len;
        Ok(branch)
    }

    /// Positions that are cached.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is cached yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Positions that there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets positions from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}
