//! How large a batch is, and what it will take before it runs.

use crate::block::Block;
use crate::head::LOGIT_WORDS;
use crate::pass::{Extras, Pass};
use crate::vision::Vision;
use crate::{KvCache, Model, ModelConfig, ModelError, NormPlaces};
use kernels::{Cost, Slots, Uses};
use std::ops::{Add, Range};
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
    /// Bytes of the largest of these buffers.
    pub largest_buffer_bytes: u64,
}

impl Estimate {
    /// What both take, one after the other.
    fn then(self, next: Estimate) -> Estimate {
        Estimate {
            cost: self.cost + next.cost,
            buffer_bytes: self.buffer_bytes.max(next.buffer_bytes),
            largest_buffer_bytes: self.largest_buffer_bytes.max(next.largest_buffer_bytes),
        }
    }
}

/// What every estimate of a model needs.
#[derive(Debug)]
pub(crate) struct Blank {
    /// Stands for a cache.
    cache: KvCache,
    /// A layer of each kind of blocks and how many there are of it, without the last block: blocks are of one kind if they take
    /// the same operations at the same cost.
    kinds: Vec<(usize, u64)>,
}

impl Blank {
    fn of(model: &Model) -> Result<Blank, ModelError> {
        let slots = Slots::default();
        let mut alloc = |words: usize, _: &'static str| Ok(slots.issue(words));
        let cache = KvCache::allocate(model, 1, &mut alloc)?;
        let shape = BatchShape::of_sequence(1, 3, 0, [(2, 1)]);
        let (mut pass, _) = Pass::allocate(model, shape, &cache, Extras::default(), &mut alloc)?;
        let mut kinds: Vec<(usize, u64)> = Vec::new();
        let mut costs_of_kinds = Vec::new();
        for layer in 0..model.blocks.len().saturating_sub(1) {
            let costs = pass.costs_of_block(layer);
            let known = costs_of_kinds.iter().position(|of_kind| *of_kind == costs);
            match known.and_then(|kind| kinds.get_mut(kind)) {
                Some((_, number)) => *number += 1,
                None => {
                    costs_of_kinds.push(costs);
                    kinds.push((layer, 1));
                }
            }
        }
        drop(pass);
        Ok(Blank { cache, kinds })
    }
}

impl Model {
    /// What [`Model::run`] takes for a batch of that shape without likeliest tokens, exactly, without running it.
    ///
    /// # Errors
    /// None that depends on the shape.
    pub fn estimate(&self, shape: BatchShape) -> Result<Estimate, ModelError> {
        // The operations of the real pass, over handles that stand for no memory.
        let slots = Slots::default();
        let (mut words, mut most) = (0, 0);
        let Blank { cache, kinds } = match self.blank.get() {
            Some(blank) => blank,
            None => {
                let blank = Blank::of(self)?;
                self.blank.get_or_init(|| blank)
            }
        };
        let mut alloc = |asked: usize, _: &'static str| {
            words += asked as u64;
            most = most.max(asked as u64);
            Ok(slots.issue(asked))
        };
        let (pass, _) = Pass::allocate(self, shape, cache, Extras::default(), &mut alloc)?;
        let cost = pass.cost(kinds, &mut alloc)?;
        Ok(Estimate { cost, buffer_bytes: 4 * words, largest_buffer_bytes: 4 * most })
    }

    /// What [`Model::prefill`] takes for the positions `range` in pieces of `rows`, beside the cache: with a factor for each key
    /// if `is_factored`, and at the positions `wanted` so many tokens each.
    ///
    /// # Errors
    /// None that depends on the shape.
    pub fn estimate_prefill(
        &self,
        range: Range<usize>,
        is_factored: bool,
        wanted: &[(usize, usize)],
        rows: usize,
    ) -> Result<Estimate, ModelError> {
        let mut whole = Estimate::default();
        for start in range.clone().step_by(rows.max(1)) {
            let end = range.end.min(start + rows.max(1));
            let of_piece = wanted.iter().copied().filter(|(position, _)| (start..end).contains(position));
            let shape = BatchShape::of_sequence(start, end, if is_factored { end } else { 0 }, of_piece);
            whole = whole.then(self.estimate(shape)?);
        }
        Ok(whole)
    }

    /// Bytes of norms, biases, and a vision tower's positions, which a model holds in buffers rather than weights.
    pub fn norm_bytes(&self) -> u64 {
        let of_blocks = self.blocks.iter().flat_map(Block::buffers);
        let of_vision = self.vision.iter().flat_map(Vision::buffers);
        of_blocks.chain(self.final_norm.buffers()).chain(of_vision).map(|buffer| 4 * buffer.words() as u64).sum()
    }

    /// Bytes of a cache for so many positions.
    pub fn cache_bytes(&self, positions: usize) -> u64 {
        self.config().cache_bytes(positions)
    }
}

impl ModelConfig {
    /// What a checkpoint with this configuration asks of a device's kernels.
    pub fn uses(&self, checkpoint: &Checkpoint) -> Uses {
        let mut uses = Uses::none();
        for tensor in checkpoint.tensors() {
            match tensor.shape.as_slice() {
                [_, cols] => uses.add_weight(tensor.format, *cols),
                // A convolution's kernel is used as a matrix.
                [_, channels, height, width] => uses.add_weight(tensor.format, channels * height * width),
                _ => {}
            }
        }
        uses.add_attention(self.heads());
        if let Some(vision) = &self.vision {
            uses.add_attention(vision.heads());
        }
        uses
    }

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
        let branch = if self.norm_places == NormPlaces::After { self.d_model } else { 0 };
        let widths =
            [2 * self.d_model + branch, self.d_model.max(self.q_width()), self.q_width(), 2 * self.kv_width(), 2 * self.d_ff];
        // Beside activations a row has its angles, its entry in the table, its token and its factor.
        let row_words = widths.iter().sum::<usize>() + 2 * self.head_dim + 2 * 8 + 2;
        let logit_words = LOGIT_WORDS.min(positions.saturating_mul(self.vocab_size));
        let pass_words = (positions as u64).saturating_mul(row_words as u64).saturating_add(logit_words as u64);
        self.cache_bytes(positions).saturating_add(pass_words.saturating_mul(4))
    }
}
