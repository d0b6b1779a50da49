//! How large a batch is, and what it will take before it runs.

use crate::forward::{Extras, Pass};
use crate::head::LOGIT_WORDS;
use crate::vision::Vision;
use crate::{KvCache, Model, ModelConfig, ModelError};
use kernels::{Cost, Op, Slots};
use std::ops::Add;
use weights::Checkpoint;

/// Length of the text that a model's need of memory is stated for.
pub const TYPICAL_POSITIONS: usize = 512;

/// What the cost of a batch depends on. That of several sequences is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchShape {
    /// Positions to compute.
    pub rows: usize,
    /// Those whose output is wanted.
    pub wanted_rows: usize,
    /// Tokens whose log-probabilities are wanted.
    pub wanted_tokens: usize,
    /// Key factors of all sequences.
    pub factors: usize,
    /// Pairs of a row and a key that it sees.
    pub pairs: u64,
    /// Those of wanted rows.
    pub wanted_pairs: u64,
    /// Whether any sequence continues the cache.
    pub reads_cache: bool,
}

impl BatchShape {
    /// A sequence of positions `start .. end` with `factors` key factors, of which at the positions `wanted` so many tokens
    /// each are wanted.
    pub fn of_sequence(start: usize, end: usize, factors: usize, wanted: impl IntoIterator<Item = (usize, usize)>) -> BatchShape {
        let up_to = |n: usize| n as u64 * (n as u64 + 1) / 2;
        let mut shape = BatchShape {
            rows: end.saturating_sub(start),
            factors,
            pairs: up_to(end).saturating_sub(up_to(start)),
            reads_cache: start > 0,
            ..BatchShape::default()
        };
        for (position, tokens) in wanted {
            shape.wanted_rows += 1;
            shape.wanted_tokens += tokens;
            shape.wanted_pairs += position as u64 + 1;
        }
        shape
    }
}

impl Add for BatchShape {
    type Output = BatchShape;

    fn add(self, other: BatchShape) -> BatchShape {
        BatchShape {
            rows: self.rows + other.rows,
            wanted_rows: self.wanted_rows + other.wanted_rows,
            wanted_tokens: self.wanted_tokens + other.wanted_tokens,
            factors: self.factors + other.factors,
            pairs: self.pairs + other.pairs,
            wanted_pairs: self.wanted_pairs + other.wanted_pairs,
            reads_cache: self.reads_cache || other.reads_cache,
        }
    }
}

/// What a batch takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Its arithmetic and memory traffic.
    pub cost: Cost,
    /// Bytes of buffers that it needs while it runs, beside weights and cache. A device may round each buffer up.
    pub buffer_bytes: u64,
}

impl Model {
    /// What [`Model::run`] takes for a batch of that shape without likeliest tokens, exactly, without running it.
    ///
    /// # Errors
    /// None that depends on the shape.
    pub fn estimate(&self, shape: BatchShape) -> Result<Estimate, ModelError> {
        // The operations of the real pass, over handles that stand for no memory.
        let slots = Slots::default();
        let mut words = 0;
        let cache = KvCache::allocate(self, 1, &mut |words, _| Ok(slots.issue(words)))?;
        let mut alloc = |asked: usize, _: &'static str| {
            words += asked as u64;
            Ok(slots.issue(asked))
        };
        let (pass, _) = Pass::allocate(self, shape, &cache, Extras::default(), &mut alloc)?;
        let (ops, _) = pass.finish(&mut alloc)?;
        Ok(Estimate { cost: ops.iter().map(Op::cost).sum(), buffer_bytes: 4 * words })
    }

    /// Bytes of norms, and of a vision tower's biases and positions, which a model holds in buffers rather than weights.
    pub fn norm_bytes(&self) -> u64 {
        let of_blocks = self.blocks.iter().flat_map(|block| [&block.attention_norm, &block.mlp_norm]);
        let of_vision = self.vision.iter().flat_map(Vision::buffers);
        of_blocks.chain([&self.final_norm]).chain(of_vision).map(|norm| 4 * norm.words() as u64).sum()
    }

    /// Bytes of a cache for so many positions.
    pub fn cache_bytes(&self, positions: usize) -> u64 {
        self.config().cache_bytes(positions)
    }
}

impl ModelConfig {
    /// Bytes of a cache for so many positions.
    pub fn cache_bytes(&self, positions: usize) -> u64 {
        let words = positions.max(1) as u64 * self.kv_width() as u64;
        2 * 4 * words * self.n_layers as u64
    }

    /// Bytes of device memory that a model takes before anything of it is loaded: its weights as they are stored, and what
    /// explaining a text of [`TYPICAL_POSITIONS`] takes, or seeing a picture before that.
    pub fn memory_bytes(&self, checkpoint: &Checkpoint) -> u64 {
        let weights = checkpoint.tensors().map(|tensor| tensor.len_bytes).sum::<u64>();
        let explaining = self.explaining_bytes(TYPICAL_POSITIONS.min(self.max_positions));
        weights.saturating_add(explaining.max(self.seeing_bytes()))
    }

    /// What embedding a picture takes beside the weights, whatever its number of tiles; 0 where the model sees none.
    pub fn seeing_bytes(&self) -> u64 {
        let Some(vision) = &self.vision else { return 0 };
        // Of a patch: its pixels, five states, its MLP, its entry in the table and its place in the order.
        let patch_words = vision.patch_width() + 5 * vision.d_model + vision.d_ff + 8 + 1;
        let words = vision.n_patches() as u64 * patch_words as u64 + (vision.n_positions() * self.d_model) as u64;
        4 * (words + 1)
    }

    /// About what explaining a text of so many positions takes beside the weights, before the model is loaded: the
    /// baseline's cache, and a pass over as many rows. A chunk of suppressed sequences is made as large as the budget
    /// allows; this is what must be there, not what may be used. A device may round each buffer up.
    pub fn explaining_bytes(&self, positions: usize) -> u64 {
        let widths = [2 * self.d_model, self.d_model.max(self.q_width()), self.q_width(), 2 * self.kv_width(), 2 * self.d_ff];
        // Beside activations a row has its angles, its entry in the table, its token and its factor.
        let row_words = widths.iter().sum::<usize>() + 2 * self.head_dim + 2 * 8 + 2;
        let logit_words = LOGIT_WORDS.min(positions.saturating_mul(self.vocab_size));
        let pass_words = (positions as u64).saturating_mul(row_words as u64).saturating_add(logit_words as u64);
        self.cache_bytes(positions).saturating_add(pass_words.saturating_mul(4))
    }
}
