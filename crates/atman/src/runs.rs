//! A baseline, and the changed runs that share its keys and values.

use crate::AtmanError;
use crate::job::{Job, Place};
use crate::plan::{Budget, Chunk, Frame, Plan, plan};
use crate::relevance::{Row, Score, row};
use kernels::{ExecError, Executor};
use model::{BatchShape, Input, KvCache, Mixed, Model, ModelError, RowBatch, RowResult, Sequence, Wanted};
use std::ops::Range;
use web_time::Instant;

/// How likely one token was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// The natural logarithm of its probability.
    pub log_prob: f32,
    /// Its logit.
    pub logit: f32,
}

/// What a run says of each wanted position: the scores of the tokens wanted there, or nothing where the run does not reach.
pub type Outcome = Vec<Option<Vec<TokenScore>>>;

/// What was computed, and what computing everything anew would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Rows of changed runs.
    pub rows: u64,
    /// Rows that all their positions would have been.
    pub full_recompute_rows: u64,
    /// Floating-point operations, the baseline's included.
    pub flops: u64,
    /// Seconds of computing, the baseline's included.
    pub seconds: f64,
}

impl std::ops::Add for Spent {
    type Output = Spent;

    fn add(self, other: Spent) -> Spent {
        Spent {
            rows: self.rows + other.rows,
            full_recompute_rows: self.full_recompute_rows + other.full_recompute_rows,
            flops: self.flops + other.flops,
            seconds: self.seconds + other.seconds,
        }
    }
}

/// The runs of one input: its baseline first, then jobs in chunks.
#[derive(Debug)]
pub struct Runs {
    input: Mixed,
    wanted: Vec<Wanted>,
    budget: Budget,
    cache: Option<KvCache>,
    baseline: Option<Outcome>,
    flops_per_second: f64,
    jobs: Vec<Job>,
    outcomes: Vec<Option<Outcome>>,
    /// What is still to be run, in order.
    pending: std::collections::VecDeque<Chunk>,
    /// Jobs that were added before anything had run, a range for each time: chunks of them are cut anew once the speed is known.
    added_before: Vec<Range<usize>>,
    spent: Spent,
}

impl Runs {
    /// Of an input, with the tokens `wanted` after some of its positions, by rising position.
    pub fn new(input: impl Into<Mixed>, wanted: Vec<Wanted>, budget: Budget) -> Runs {
        Runs {
            input: input.into(),
            wanted,
            budget,
            cache: None,
            baseline: None,
            flops_per_second: 0.0,
            jobs: Vec::new(),
            outcomes: Vec::new(),
            pending: std::collections::VecDeque::new(),
            added_before: Vec::new(),
            spent: Spent::default(),
        }
    }

    /// Runs the baseline into a cache. Called again after the device was lost, it makes the cache anew and keeps everything
    /// that is done.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn begin(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        self.cache = None;
        let started = Instant::now();
        let before = executor.stats().cost.flops;
        let mut cache = KvCache::new(model, executor, self.input.len())?;
        let input = Input::Mixed(self.input.clone());
        let sequence = Sequence { start: 0, input, factors: None, wanted: self.wanted.clone() };
        let results = model.extend(executor, sequence, &mut cache, 0).await?;
        self.cache = Some(cache);
        let flops = executor.stats().cost.flops.saturating_sub(before);
        let seconds = started.elapsed().as_secs_f64();
        self.spent.flops += flops;
        self.spent.seconds += seconds;
        self.flops_per_second = flops as f64 / seconds.max(1e-6);
        if self.baseline.is_none() {
            self.baseline = Some(results.iter().map(|row| Some(scores(row, 0..row.log_probs.len()))).collect());
        }
        self.plan_anew(model)
    }

    /// Cuts what was added before the speed was known into chunks that keep to the budget's time too. None of it has run yet.
    fn plan_anew(&mut self, model: &Model) -> Result<(), AtmanError> {
        if self.added_before.is_empty() {
            return Ok(());
        }
        let mut chunks = std::collections::VecDeque::new();
        for numbers in &self.added_before {
            chunks.extend(self.plan_of(model, numbers.clone())?.chunks);
        }
        self.pending = chunks;
        self.added_before.clear();
        Ok(())
    }

    /// Gives the cache's memory back. What is done stays.
    pub fn end(&mut self) {
        self.cache = None;
    }

    /// Whether the baseline's keys and values are at hand.
    pub fn is_begun(&self) -> bool {
        self.cache.is_some()
    }

    /// The baseline's scores; `None` before [`Runs::begin`].
    pub fn baseline(&self) -> Option<&Outcome> {
        self.baseline.as_ref()
    }

    /// Plans jobs to be run after those that are there already, and returns their numbers. Before [`Runs::begin`], which
    /// measures how much can be done in a chunk's time, chunks are as large as memory allows; it cuts them anew.
    ///
    /// # Errors
    /// None that depends on the jobs.
    pub fn add(&mut self, model: &Model, jobs: Vec<Job>) -> Result<Range<usize>, AtmanError> {
        let first = self.jobs.len();
        self.jobs.extend(jobs);
        self.outcomes.resize(self.jobs.len(), None);
        let numbers = first..self.jobs.len();
        let planned = self.plan_of(model, numbers.clone())?;
        self.pending.extend(planned.chunks);
        if self.baseline.is_none() {
            self.added_before.push(numbers.clone());
        }
        Ok(numbers)
    }

    fn plan_of(&self, model: &Model, numbers: Range<usize>) -> Result<Plan, AtmanError> {
        let jobs: Vec<(usize, &Job)> = numbers.clone().zip(self.jobs.get(numbers).unwrap_or_default()).collect();
        let frame = Frame {
            model,
            n_positions: self.input.len(),
            wanted: &self.wanted,
            chunk_bytes: self.budget.buffer_bytes.saturating_sub(self.held_bytes(model)),
            chunk_flops: match self.baseline {
                Some(_) => (self.flops_per_second * self.budget.chunk_seconds) as u64,
                None => u64::MAX,
            },
        };
        plan(frame, &jobs)
    }

    /// What is still to be run.
    pub fn pending(&self) -> Plan {
        Plan { chunks: self.pending.iter().cloned().collect() }
    }

    /// Bytes of buffers beside the weights that baseline and pending chunks take at most.
    ///
    /// # Errors
    /// None that depends on the runs.
    pub fn peak_bytes(&self, model: &Model) -> Result<u64, AtmanError> {
        let wanted = self.wanted.iter().map(|each| (each.position, each.tokens.len()));
        let baseline = model.estimate(BatchShape::of_sequence(0, self.input.len(), 0, wanted))?;
        let chunk = self.pending.iter().map(|chunk| chunk.estimate.buffer_bytes).max().unwrap_or(0);
        Ok(self.held_bytes(model) + baseline.buffer_bytes.max(chunk))
    }

    /// Floating-point operations of one row, on average over a run that computes every position.
    pub(crate) fn flops_per_row(&self, model: &Model) -> Result<f64, AtmanError> {
        let wanted = self.wanted.iter().map(|each| (each.position, each.tokens.len()));
        let n_positions = self.input.len();
        let whole = model.estimate(BatchShape::of_sequence(0, n_positions, n_positions, wanted))?;
        Ok(whole.cost.flops as f64 / n_positions.max(1) as f64)
    }

    /// Bytes of buffers that are held throughout.
    fn held_bytes(&self, model: &Model) -> u64 {
        model.norm_bytes() + model.cache_bytes(self.input.len())
    }

    /// Runs the next chunk and returns the numbers of its jobs; `None` when nothing is pending. On an error everything that
    /// was done stays, and the chunk is still pending.
    ///
    /// # Errors
    /// Those of the device. Where a chunk of several jobs finds no memory, it is halved and tried again.
    pub async fn step(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<Option<Vec<usize>>, AtmanError> {
        while let Some(chunk) = self.pending.front().cloned() {
            let Some(cache) = &self.cache else { return Err(AtmanError::NotBegun) };
            let started = Instant::now();
            let mut batch = RowBatch::default();
            let mut places: Vec<(usize, usize, Vec<Option<Place>>)> = Vec::with_capacity(chunk.jobs.len());
            let mut first_result = 0;
            for number in &chunk.jobs {
                let Some(job) = self.jobs.get(*number) else { continue };
                let (sequence, of_job) = job.sequence(&self.input, &self.wanted);
                places.push((*number, first_result, of_job));
                first_result += sequence.as_ref().map_or(0, |sequence| sequence.wanted.len());
                batch.sequences.extend(sequence);
            }
            let before = executor.stats().cost.flops;
            let ran = if batch.sequences.is_empty() { Ok(Vec::new()) } else { model.run(executor, &batch, cache, 0).await };
            let results = match ran {
                Err(ModelError::Exec(ExecError::OutOfMemory { .. })) if chunk.jobs.len() > 1 => {
                    self.halve_first(model)?;
                    continue;
                }
                other => other?,
            };
            for (number, first, of_job) in places {
                let of_place = |(place, wanted): (Option<Place>, &Wanted)| {
                    let place = place?;
                    let tokens = place.first_token..place.first_token + wanted.tokens.len();
                    results.get(first + place.index).map(|row| scores(row, tokens))
                };
                let outcome: Outcome = of_job.into_iter().zip(&self.wanted).map(of_place).collect();
                if let Some(slot) = self.outcomes.get_mut(number) {
                    *slot = Some(outcome);
                }
            }
            self.spent.rows += chunk.rows;
            self.spent.full_recompute_rows += chunk.full_recompute_rows;
            self.spent.flops += executor.stats().cost.flops.saturating_sub(before);
            self.spent.seconds += started.elapsed().as_secs_f64();
            self.pending.pop_front();
            return Ok(Some(chunk.jobs));
        }
        Ok(None)
    }

    /// Cuts the next chunk in two.
    fn halve_first(&mut self, model: &Model) -> Result<(), AtmanError> {
        let Some(chunk) = self.pending.pop_front() else { return Ok(()) };
        let (a, b) = chunk.jobs.split_at(chunk.jobs.len() / 2);
        for half in [b, a] {
            let jobs: Vec<(usize, &Job)> = half.iter().filter_map(|n| Some((*n, self.jobs.get(*n)?))).collect();
            let frame = Frame {
                model,
                n_positions: self.input.len(),
                wanted: &self.wanted,
                chunk_bytes: u64::MAX,
                chunk_flops: u64::MAX,
            };
            for chunk in plan(frame, &jobs)?.chunks {
                self.pending.push_front(chunk);
            }
        }
        Ok(())
    }

    /// Jobs that were added so far.
    pub fn n_jobs(&self) -> usize {
        self.jobs.len()
    }

    /// What a job came to; `None` while it has not run.
    pub fn outcome(&self, job: usize) -> Option<&Outcome> {
        self.outcomes.get(job)?.as_ref()
    }

    /// The relevance that a job shows for the first token wanted at each position; `None` while it has not run.
    pub fn relevance(&self, job: usize, score: Score) -> Option<Row> {
        Some(row(self.baseline()?, self.outcome(job)?, score))
    }

    /// What was computed so far.
    pub fn spent(&self) -> Spent {
        self.spent
    }
}

fn scores(row: &RowResult, tokens: Range<usize>) -> Vec<TokenScore> {
    let log_probs = row.log_probs.get(tokens.clone()).unwrap_or_default();
    let logits = row.logits.get(tokens).unwrap_or_default();
    log_probs.iter().zip(logits).map(|(log_prob, logit)| TokenScore { log_prob: *log_prob, logit: *logit }).collect()
}
