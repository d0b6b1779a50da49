//! Generation: prefill, then one token after another.

use crate::sampling::Sampler;
use crate::{Input, KeyFactors, KvCache, Model, ModelError, Sampling, Sequence, TokenScore, Wanted};
use kernels::Executor;

/// Positions of a prompt that are computed together: enough to use the device well, few enough to bound memory.
const PREFILL_ROWS: usize = 256;

/// A text being written. Each [`Generation::next`] is one token, so that the caller shows it and may stop at any time.
#[derive(Debug)]
pub struct Generation {
    cache: KvCache,
    sampler: Sampler,
    candidates: usize,
    factors: Option<KeyFactors>,
    /// Tokens not yet in the cache.
    pending: Vec<u32>,
}

impl Generation {
    /// Takes up a prompt; at most `max_tokens` tokens will follow it. `factors`, one for each prompt position, suppress or
    /// amplify parts of the prompt throughout.
    pub async fn start(
        model: &Model,
        executor: &mut dyn Executor,
        prompt_ids: &[u32],
        max_tokens: usize,
        sampling: Sampling,
        factors: Option<KeyFactors>,
    ) -> Result<Generation, ModelError> {
        sampling.check()?;
        let Some((last, before)) = prompt_ids.split_last() else {
            return Err(ModelError::Batch { sequence: 0, what: "the prompt holds no tokens".to_owned() });
        };
        let positions = prompt_ids.len().saturating_add(max_tokens);
        if prompt_ids.len() > model.config().max_positions {
            let limit = model.config().max_positions;
            return Err(ModelError::TooLong { what: "the model's context", needed: prompt_ids.len(), limit });
        }
        if let Some(factors) = &factors
            && factors.factors.len() != prompt_ids.len()
        {
            let what = format!("{} key factors for {} prompt tokens", factors.factors.len(), prompt_ids.len());
            return Err(ModelError::Batch { sequence: 0, what });
        }
        let cache = KvCache::new(model, executor, positions.min(model.config().max_positions))?;
        let candidates = sampling.candidates();
        let mut generation = Generation { cache, sampler: Sampler::new(sampling), candidates, factors, pending: Vec::new() };
        for ids in before.chunks(PREFILL_ROWS) {
            let sequence = generation.sequence(ids.to_vec(), Vec::new());
            model.extend(executor, sequence, &mut generation.cache, 0).await?;
        }
        generation.pending.push(*last);
        Ok(generation)
    }

    /// The next token; `None` when the model's context is full.
    pub async fn next(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<Option<TokenScore>, ModelError> {
        if self.cache.len() + self.pending.len() > self.cache.capacity() {
            return Ok(None);
        }
        let position = self.cache.len() + self.pending.len() - 1;
        let pending = std::mem::take(&mut self.pending);
        let sequence = self.sequence(pending, vec![Wanted { position, tokens: Vec::new() }]);
        let results = model.extend(executor, sequence, &mut self.cache, self.candidates).await?;
        let chosen = results.first().and_then(|row| self.sampler.choose(&row.top));
        self.pending.extend(chosen.map(|score| score.token));
        Ok(chosen)
    }

    fn sequence(&self, ids: Vec<u32>, wanted: Vec<Wanted>) -> Sequence {
        let start = self.cache.len();
        let factors = self.factors.clone().map(|mut factors| {
            // What the model has written is left as it is.
            factors.factors.resize(start + ids.len(), 1.0);
            factors
        });
        Sequence { start, input: Input::Tokens(ids), factors, wanted }
    }
}
