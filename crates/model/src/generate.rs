//! Generation: prefill, then one token after another.

use crate::prefill::PREFILL_ROWS;
use crate::sampling::Sampler;
use crate::{Input, KeyFactors, KvCache, Mixed, Model, ModelError, Sampling, Sequence, TokenScore, Wanted};
use kernels::Executor;
use std::ops::Range;

/// A text being written. Each [`Generation::next`] is one token, so that the caller shows it and may stop at any time.
#[derive(Debug)]
pub struct Generation {
    cache: KvCache,
    sampler: Sampler,
    candidates: usize,
    factors: Option<KeyFactors>,
    /// The prompt and what was written after it.
    text: Mixed,
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
        let prompt = Mixed::from(prompt_ids.to_vec());
        Generation::start_mixed(model, executor, &prompt, max_tokens, sampling, factors).await
    }

    /// The same for a prompt with pictures.
    pub async fn start_mixed(
        model: &Model,
        executor: &mut dyn Executor,
        prompt: &Mixed,
        max_tokens: usize,
        sampling: Sampling,
        factors: Option<KeyFactors>,
    ) -> Result<Generation, ModelError> {
        sampling.check()?;
        if prompt.is_empty() {
            return Err(ModelError::Batch { sequence: 0, what: "the prompt holds no tokens".to_owned() });
        }
        let positions = prompt.len().saturating_add(max_tokens);
        if prompt.len() > model.config().max_positions {
            let limit = model.config().max_positions;
            return Err(ModelError::TooLong { what: "the model's context", needed: prompt.len(), limit });
        }
        if let Some(factors) = &factors
            && factors.factors.len() != prompt.len()
        {
            let what = format!("{} key factors for {} prompt tokens", factors.factors.len(), prompt.len());
            return Err(ModelError::Batch { sequence: 0, what });
        }
        let cache = KvCache::new(model, executor, positions.min(model.config().max_positions))?;
        let candidates = sampling.candidates();
        let mut generation = Generation { cache, sampler: Sampler::new(sampling), candidates, factors, text: prompt.clone() };
        generation.prefill(model, executor).await?;
        Ok(generation)
    }

    /// Takes the text up again on an executor that knows nothing of it, such as one opened after the device was lost: what was
    /// written stays, and what follows is what would have followed.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn resume(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), ModelError> {
        self.cache = KvCache::new(model, executor, self.cache.capacity())?;
        self.prefill(model, executor).await
    }

    /// Brings all but the last position into the cache: what follows that one is the next token.
    async fn prefill(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), ModelError> {
        let last = self.text.len().saturating_sub(1);
        let sequence = self.sequence(0..last, Vec::new());
        model.prefill(executor, &sequence, &mut self.cache, PREFILL_ROWS).await?;
        Ok(())
    }

    /// The next token; `None` when the model's context is full.
    pub async fn next(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<Option<TokenScore>, ModelError> {
        let n_positions = self.text.len();
        if n_positions > self.cache.capacity() {
            return Ok(None);
        }
        let wanted = vec![Wanted { position: n_positions - 1, tokens: Vec::new() }];
        let sequence = self.sequence(self.cache.len()..n_positions, wanted);
        let results = model.extend(executor, sequence, &mut self.cache, self.candidates).await?;
        let chosen = results.first().and_then(|row| self.sampler.choose(&row.top));
        if let Some(score) = chosen {
            self.text.push(score.token);
        }
        Ok(chosen)
    }

    fn sequence(&self, positions: Range<usize>, wanted: Vec<Wanted>) -> Sequence {
        let factors = self.factors.clone().map(|mut factors| {
            // What the model has written is left as it is.
            factors.factors.resize(positions.end, 1.0);
            factors
        });
        Sequence { start: positions.start, input: Input::Mixed(self.text.slice(positions)), factors, wanted }
    }
}
