//! Running batches of rows on an executor.

use crate::batch::Layout;
use crate::finite::first_not_finite;
use crate::pass::{Extras, Pass};
use crate::{Input, KvCache, Model, ModelError, RowBatch, RowResult, Sequence};
use kernels::{Buffer, Executor, Op};

impl Model {
    /// Runs sequences that share a baseline's cache, and leaves it as it is.
    ///
    /// Exact as long as nothing suppressed lies before a sequence's start, which is checked. One result for each wanted
    /// position, in the order of the sequences; each with its `top_k` likeliest tokens.
    pub async fn run(
        &self,
        executor: &mut dyn Executor,
        batch: &RowBatch,
        cache: &KvCache,
        top_k: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        let layout = Layout::new(batch, &self.config, cache.len, true)?;
        self.forward(executor, &layout, cache, Extras { top_k, ..Extras::default() }).await
    }

    /// Runs one sequence that continues the cache, and adds it there: prefill, or a step of decoding.
    ///
    /// Its key factors, if any, must have been the cache's own all along.
    pub async fn extend(
        &self,
        executor: &mut dyn Executor,
        sequence: Sequence,
        cache: &mut KvCache,
        top_k: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        self.extend_probed(executor, sequence, cache, top_k, None).await
    }

    /// The hidden state after each block at the last of the given positions, `n_layers` times `d_model` values.
    pub async fn hidden_states(&self, executor: &mut dyn Executor, input: Input) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut sequence = Sequence { start: 0, input, factors: None, wanted: Vec::new() };
        let len = sequence.len(self.config.d_model);
        sequence.wanted.push(crate::Wanted { position: len.saturating_sub(1), tokens: Vec::new() });
        let mut cache = KvCache::new(self, executor, len)?;
        let words = self.config.n_layers * self.config.d_model;
        let probe = executor.buffer(words, "hidden states")?;
        self.extend_probed(executor, sequence, &mut cache, 0, Some(&probe)).await?;
        let states = executor.read(&probe, words).await?;
        Ok(states.chunks_exact(self.config.d_model).map(|state| bytemuck::cast_slice(state).to_vec()).collect())
    }

    /// The embeddings of tokens, `[ids.len(), d_model]`.
    pub async fn embed(&self, executor: &mut dyn Executor, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let rows = ids.len();
        let input = executor.buffer(rows.max(1), "token ids")?;
        executor.write(&input, 0, ids)?;
        let words = rows * self.config.d_model;
        let out = executor.buffer(words.max(1), "embeddings")?;
        executor.run(&[Op::Embed { table: self.embedding.clone(), ids: input, out: out.clone(), rows }]).await?;
        Ok(bytemuck::cast_vec(executor.read(&out, words).await?))
    }

    /// Readies the device for passes of one row and of many, so that the first is no slower than the next.
    pub(crate) async fn warm_up(&self, executor: &mut dyn Executor) -> Result<(), ModelError> {
        let most = self.config.max_positions;
        for (start, rows, n_wanted) in WARM_UP_PASSES.into_iter().filter(|(start, rows, _)| start + rows <= most) {
            let end = start + rows;
            let wanted = (end - n_wanted..end).map(|position| crate::Wanted { position, tokens: vec![0] }).collect();
            let sequence = Sequence { start, input: Input::Tokens(vec![0; rows]), factors: None, wanted };
            let batch = RowBatch { sequences: vec![sequence] };
            let layout = Layout::new(&batch, &self.config, start, false)?;
            let cache = KvCache::new(self, executor, start + rows)?;
            let extras = Extras { top_k: 1, append: true, probe: None };
            let pass = Pass::prepare(self, executor, &layout, &cache, extras).await?;
            let (ops, _) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
            executor.warm_up(&ops).await?;
        }
        self.warm_up_vision(executor).await
    }

    async fn extend_probed(
        &self,
        executor: &mut dyn Executor,
        sequence: Sequence,
        cache: &mut KvCache,
        top_k: usize,
        probe: Option<&Buffer>,
    ) -> Result<Vec<RowResult>, ModelError> {
        let end = sequence.start + sequence.len(self.config.d_model);
        if sequence.start != cache.len {
            let what = format!("starts at position {}, but continues a cache of {}", sequence.start, cache.len);
            return Err(ModelError::Batch { sequence: 0, what });
        }
        if end > cache.capacity() {
            return Err(ModelError::TooLong { what: "the cache", needed: end, limit: cache.capacity() });
        }
        let batch = RowBatch { sequences: vec![sequence] };
        let layout = Layout::new(&batch, &self.config, cache.len, false)?;
        let results = self.forward(executor, &layout, cache, Extras { top_k, append: true, probe }).await?;
        cache.len = end;
        Ok(results)
    }

    async fn forward(
        &self,
        executor: &mut dyn Executor,
        layout: &Layout,
        cache: &KvCache,
        extras: Extras<'_>,
    ) -> Result<Vec<RowResult>, ModelError> {
        let pass = Pass::prepare(self, executor, layout, cache, extras).await?;
        let (ops, results) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
        if let Some(results) = &results {
            results.write_wanted(executor, &layout.wanted_tokens)?;
        }
        executor.run(&ops).await?;
        // What the operations alone held may be reused from here on.
        drop(ops);
        let Some(results) = results else { return Ok(Vec::new()) };
        let rows = results.read(executor, &layout.tokens_per_row).await?;
        if rows.iter().all(RowResult::is_finite) {
            return Ok(rows);
        }
        // Run again, for what the operations wrote is gone by now.
        let pass = Pass::prepare(self, executor, layout, cache, extras).await?;
        let (ops, _) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
        Err(self.not_finite(first_not_finite(executor, &ops).await?))
    }

    /// The error of results that are no finite numbers, which began where that says.
    pub(crate) fn not_finite(&self, began: Option<String>) -> ModelError {
        let began =
            began.unwrap_or_else(|| "they are not, operation by operation, so the device is not to be relied on".to_owned());
        ModelError::NotFinite { model: self.name().to_owned(), began }
    }
}

/// Start, rows and wanted rows of the passes that a device is readied for: kernels for one row, for few and for many, with and
/// without a cache, are different ones, and only wanted rows go through the last block and the head.
const WARM_UP_PASSES: [(usize, usize, usize); 5] = [(1, 1, 1), (0, 16, 1), (1, 3, 3), (0, 16, 16), (1, 16, 16)];
