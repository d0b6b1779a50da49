//! Which jobs run together, and what all of it takes, before it runs.

use crate::AtmanError;
use crate::job::Job;
use model::{BatchShape, Estimate, Model, Wanted};

/// How much may run at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Bytes of buffers beside the weights: those of norms, of the baseline's cache and of one chunk. Where it is less than one job
    /// takes, jobs run one at a time.
    pub buffer_bytes: u64,
    /// Seconds that a chunk is meant to take, so that results come in often. How much that is is measured on the baseline, and on
    /// every chunk after it.
    pub chunk_seconds: f64,
}

impl Default for Budget {
    /// 256 MiB and half a second.
    fn default() -> Budget {
        Budget { buffer_bytes: 256 << 20, chunk_seconds: 0.5 }
    }
}

/// Jobs in the order in which they run, cut into chunks.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In order.
    pub chunks: Vec<Chunk>,
}

/// Jobs that run together.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Which ones.
    pub(crate) jobs: Vec<usize>,
    /// Which of the additions they come from: what was added first runs first.
    pub(crate) group: usize,
    /// Positions of a pass, where it is one job that does not go through in one.
    pub(crate) piece_rows: Option<usize>,
    /// Rows that they compute.
    pub rows: u64,
    /// Rows that computing all their positions would take.
    pub full_recompute_rows: u64,
    /// What they take.
    pub estimate: Estimate,
}

impl Plan {
    /// Rows to compute.
    pub fn rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows).sum()
    }

    /// Rows that computing all positions of every job would take.
    pub fn full_recompute_rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.full_recompute_rows).sum()
    }

    /// Floating-point operations.
    pub fn flops(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.estimate.cost.flops).sum()
    }

    /// Bytes of buffers that the largest chunk takes, beside weights and the baseline's cache.
    pub fn chunk_bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.estimate.buffer_bytes).max().unwrap_or(0)
    }
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) model: &'a Model,
    pub(crate) n_positions: usize,
    pub(crate) wanted: &'a [Wanted],
    /// Bytes that a chunk may take.
    pub(crate) chunk_bytes: u64,
    /// Floating-point operations that it may take.
    pub(crate) chunk_flops: u64,
    /// Bytes that one buffer may have.
    pub(crate) largest_buffer_bytes: u64,
}

impl Frame<'_> {
    /// A job that runs alone: in one pass, or in several where one would take a larger buffer than there may be.
    fn alone(&self, number: usize, job: &Job, group: usize) -> Result<Chunk, AtmanError> {
        let shape = job.shape(self.n_positions, self.wanted);
        let mut chunk = Chunk {
            jobs: vec![number],
            group,
            piece_rows: None,
            rows: shape.rows as u64,
            full_recompute_rows: job.n_positions(self.n_positions) as u64,
            estimate: self.model.estimate(shape)?,
        };
        if chunk.estimate.largest_buffer_bytes > self.largest_buffer_bytes {
            self.cut(&mut chunk, job)?;
        }
        Ok(chunk)
    }

    /// Has a chunk of one job run in several passes; whether that is possible.
    pub(crate) fn cut(&self, chunk: &mut Chunk, job: &Job) -> Result<bool, AtmanError> {
        let rows = self.model.prefill_rows(self.largest_buffer_bytes)?;
        let Some(estimate) = job.estimate_in_pieces(self.model, self.n_positions, self.wanted, rows)? else {
            return Ok(false);
        };
        (chunk.piece_rows, chunk.estimate) = (Some(rows), estimate);
        Ok(true)
    }
}

/// Orders jobs by their first changed position and cuts them into chunks, each at least one job and otherwise within the budget.
pub(crate) fn plan(frame: Frame<'_>, group: usize, jobs: &[(usize, &Job)]) -> Result<Plan, AtmanError> {
    let mut order: Vec<(usize, &Job)> = jobs.to_vec();
    order.sort_by_key(|(_, job)| job.start);
    let mut plan = Plan::default();
    let mut shape = BatchShape::default();
    for (index, job) in order {
        let own = job.shape(frame.n_positions, frame.wanted);
        let together = frame.model.estimate(shape + own)?;
        let full = job.n_positions(frame.n_positions) as u64;
        match plan.chunks.last_mut() {
            Some(chunk)
                if together.buffer_bytes <= frame.chunk_bytes
                    && together.largest_buffer_bytes <= frame.largest_buffer_bytes
                    && together.cost.flops <= frame.chunk_flops =>
            {
                shape = shape + own;
                chunk.jobs.push(index);
                chunk.rows += own.rows as u64;
                chunk.full_recompute_rows += full;
                chunk.estimate = together;
            }
            _ => {
                shape = own;
                plan.chunks.push(frame.alone(index, job, group)?);
            }
        }
    }
    Ok(plan)
}
