//! Keys and values of positions already computed.

use crate::forward::Allocate;
use crate::{Model, ModelError};
use kernels::{Buffer, Executor};

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
