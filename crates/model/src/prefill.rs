//! Sequences in several passes: positions that would take too much memory, or too large a buffer, all at once.

use crate::{BatchShape, KvCache, Model, ModelError, RowResult, Sequence, Wanted};
use kernels::Executor;

/// Positions of a sequence that are computed together: enough to use the device well, few enough to bound memory.
pub const PREFILL_ROWS: usize = 256;

impl Model {
    /// Positions of a pass, at most [`PREFILL_ROWS`], such that no buffer of it is larger than that.
    ///
    /// # Errors
    /// None that depends on the limit.
    pub fn prefill_rows(&self, largest_buffer_bytes: u64) -> Result<usize, ModelError> {
        let mut rows = PREFILL_ROWS;
        while rows > 1 && self.estimate(BatchShape::of_sequence(0, rows, 0, []))?.largest_buffer_bytes > largest_buffer_bytes {
            rows /= 2;
        }
        Ok(rows)
    }

    /// [`Model::extend`] in passes of at most `rows` positions, fewer where the device has no room for so many. A sequence whose
    /// operator looks at future keys is one pass.
    ///
    /// # Errors
    /// Those of [`Model::extend`]; a shortage only where not even one position finds room.
    pub async fn prefill(
        &self,
        executor: &mut dyn Executor,
        sequence: &Sequence,
        cache: &mut KvCache,
        rows: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        let d_model = self.config().d_model;
        let (mut start, end) = (sequence.start, sequence.start + sequence.len(d_model));
        let rows = rows.min(self.prefill_rows(executor.largest_buffer_bytes())?).max(1);
        let mut rows = if sequence.is_causal() { rows } else { usize::MAX };
        let mut results = Vec::with_capacity(sequence.wanted.len());
        while start < end {
            let until = end.min(start.saturating_add(rows));
            match self.extend(executor, sequence.part(start..until, d_model), cache, 0).await {
                Ok(of_piece) => {
                    results.extend(of_piece);
                    start = until;
                }
                Err(ModelError::Exec(error)) if error.is_shortage() && sequence.is_causal() && until - start > 1 => {
                    rows = (until - start).div_ceil(2);
                }
                Err(error @ ModelError::NotFinite { .. }) if start > sequence.start => {
                    // It may have begun in an earlier pass, of which nothing was wanted.
                    self.check_passes(executor, sequence, cache, rows, start).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(results)
    }

    /// Goes through the passes up to `end` again, each with its last row wanted: the error of the first that is not finite.
    async fn check_passes(
        &self,
        executor: &mut dyn Executor,
        sequence: &Sequence,
        cache: &mut KvCache,
        rows: usize,
        end: usize,
    ) -> Result<(), ModelError> {
        cache.truncate(sequence.start);
        for start in (sequence.start..end).step_by(rows) {
            let until = end.min(start + rows);
            let wanted = vec![Wanted { position: until - 1, tokens: vec![0] }];
            let part = Sequence { wanted, ..sequence.part(start..until, self.config().d_model) };
            self.extend(executor, part, cache, 0).await?;
        }
        Ok(())
    }

    /// [`Model::run`] of one sequence in passes of at most `rows` positions. It takes a cache of its own beside the baseline's,
    /// for its later rows read the keys of its earlier ones.
    ///
    /// # Errors
    /// Those of [`Model::run`]; a shortage only where the second cache or a pass of one position finds no room.
    pub async fn run_in_pieces(
        &self,
        executor: &mut dyn Executor,
        sequence: &Sequence,
        cache: &KvCache,
        rows: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        let end = sequence.start + sequence.len(self.config().d_model);
        let wrong = |what: String| Err(ModelError::Batch { sequence: 0, what });
        if sequence.start > cache.len() {
            return wrong(format!("starts at position {}, but only {} are cached", sequence.start, cache.len()));
        }
        if let Some(first) = sequence.first_suppressed().filter(|first| *first < sequence.start) {
            return wrong(format!("starts at position {}, but key {first} before it is suppressed", sequence.start));
        }
        let mut own = cache.branch(self, executor, sequence.start, end).await?;
        self.prefill(executor, sequence, &mut own, rows).await
    }
}
