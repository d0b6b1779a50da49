//! A baseline, and the changed runs that share its keys and values.

use crate::AtmanError;
use crate::job::{Job, Place};
use crate::plan::{Budget, Chunk, Frame, Plan, plan};
use crate::relevance::{Row, Score, row};
use crate::speed::Speed;
use kernels::Executor;
use model::{
    BatchShape, Estimate, Input, KvCache, Mixed, Model, ModelError, PREFILL_ROWS, RowBatch, RowResult, Sequence, Wanted,
};
use std::collections::VecDeque;
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

/// By how much the speed must have changed for pending chunks to be cut anew: what is less than this only jitters.
const RECUT: f64 = 1.5;

/// The runs of one input: its baseline first, then jobs in chunks.
#[derive(Debug)]
pub struct Runs {
    input: Mixed,
    wanted: Vec<Wanted>,
    budget: Budget,
    cache: Option<KvCache>,
    baseline: Option<Outcome>,
    speed: Speed,
    /// Floating-point operations a second that the pending chunks were cut for; `None` while nothing has been measured.
    cut_for: Option<f64>,
    /// Bytes that one buffer of the device may have, once the device is known.
    largest_buffer_bytes: u64,
    /// Bytes of buffers that a chunk may take by what the device turned down so far.
    chunk_bytes_at_most: u64,
    jobs: Vec<Job>,
    outcomes: Vec<Option<Outcome>>,
    /// What is still to be run, in order.
    pending: VecDeque<Chunk>,
    /// How often jobs were added.
    groups: usize,
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
            speed: Speed::default(),
            cut_for: None,
            largest_buffer_bytes: u64::MAX,
            chunk_bytes_at_most: u64::MAX,
            jobs: Vec::new(),
            outcomes: Vec::new(),
            pending: VecDeque::new(),
            groups: 0,
            spent: Spent::default(),
        }
    }

    /// Runs the baseline into a cache, a piece after the other. Called again after the device was lost, it makes the cache anew
    /// and keeps everything that is done.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn begin(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        self.cache = None;
        self.keep_to(executor);
        let started = Instant::now();
        let before = executor.stats().cost.flops;
        let mut cache = KvCache::new(model, executor, self.input.len())?;
        let input = Input::Mixed(self.input.clone());
        let sequence = Sequence { start: 0, input, factors: None, wanted: self.wanted.clone() };
        let results = model.prefill(executor, &sequence, &mut cache, PREFILL_ROWS).await?;
        self.cache = Some(cache);
        let flops = executor.stats().cost.flops.saturating_sub(before);
        let seconds = started.elapsed().as_secs_f64();
        self.spent.flops += flops;
        self.spent.seconds += seconds;
        self.speed.note_baseline(flops, seconds);
        if self.baseline.is_none() {
            self.baseline = Some(results.iter().map(|row| Some(scores(row, 0..row.log_probs.len()))).collect());
        }
        self.cut_anew(model)
    }

    /// Takes in what the device allows, for what is planned from now on.
    pub(crate) fn keep_to(&mut self, executor: &dyn Executor) {
        self.largest_buffer_bytes = executor.largest_buffer_bytes();
    }

    /// Cuts what is pending into chunks for the speed measured last, where that is another than they were cut for.
    fn cut_anew(&mut self, model: &Model) -> Result<(), AtmanError> {
        let Some(now) = self.speed.flops_per_second() else { return Ok(()) };
        if self.cut_for.is_some_and(|then| now < then * RECUT && then < now * RECUT) {
            return Ok(());
        }
        self.cut_for = Some(now);
        self.cut_pending(model)
    }

    /// Cuts what is pending into chunks, in the order in which it was added.
    fn cut_pending(&mut self, model: &Model) -> Result<(), AtmanError> {
        let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
        for chunk in &self.pending {
            match groups.last_mut() {
                Some((group, numbers)) if *group == chunk.group => numbers.extend(&chunk.jobs),
                _ => groups.push((chunk.group, chunk.jobs.clone())),
            }
        }
        let mut chunks = VecDeque::new();
        for (group, numbers) in groups {
            chunks.extend(self.plan_of(model, group, &numbers)?.chunks);
        }
        self.pending = chunks;
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
        let planned = self.plan_of(model, self.groups, &numbers.clone().collect::<Vec<_>>())?;
        self.groups += 1;
        self.pending.extend(planned.chunks);
        Ok(numbers)
    }

    fn plan_of(&self, model: &Model, group: usize, numbers: &[usize]) -> Result<Plan, AtmanError> {
        let jobs: Vec<(usize, &Job)> = numbers.iter().filter_map(|number| Some((*number, self.jobs.get(*number)?))).collect();
        plan(self.frame(model), group, &jobs)
    }

    fn frame<'a>(&'a self, model: &'a Model) -> Frame<'a> {
        Frame {
            model,
            n_positions: self.input.len(),
            wanted: &self.wanted,
            chunk_bytes: self.budget.buffer_bytes.saturating_sub(self.held_bytes(model)).min(self.chunk_bytes_at_most),
            chunk_flops: self.cut_for.map_or(u64::MAX, |per_second| (per_second * self.budget.chunk_seconds) as u64),
            largest_buffer_bytes: self.largest_buffer_bytes,
        }
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
        let baseline = self.baseline_estimate(model)?;
        let chunk = self.pending.iter().map(|chunk| chunk.estimate.buffer_bytes).max().unwrap_or(0);
        Ok(self.held_bytes(model) + baseline.buffer_bytes.max(chunk))
    }

    /// What the baseline takes, beside the cache.
    pub(crate) fn baseline_estimate(&self, model: &Model) -> Result<Estimate, AtmanError> {
        let wanted: Vec<(usize, usize)> = self.wanted.iter().map(|each| (each.position, each.tokens.len())).collect();
        let rows = model.prefill_rows(self.largest_buffer_bytes)?;
        Ok(model.estimate_prefill(0..self.input.len(), false, &wanted, rows)?)
    }

    /// Floating-point operations a second, measured on the last chunks, or on the baseline where none has run yet.
    pub fn flops_per_second(&self) -> Option<f64> {
        self.speed.flops_per_second()
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
    /// Those of the device. A chunk of several jobs that meets a limit or finds no memory is halved and tried again, and a single
    /// job is run in pieces if it can be.
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
            let ran = match (batch.sequences.as_slice(), chunk.piece_rows) {
                ([], _) => Ok(Vec::new()),
                ([sequence], Some(rows)) => model.run_in_pieces(executor, sequence, cache, rows).await,
                _ => model.run(executor, &batch, cache, 0).await,
            };
            let results = match ran {
                Err(ModelError::Exec(error)) if error.is_shortage() => {
                    if self.make_smaller(model)? {
                        continue;
                    }
                    return Err(ModelError::Exec(error).into());
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
            let flops = executor.stats().cost.flops.saturating_sub(before);
            let seconds = started.elapsed().as_secs_f64();
            self.spent.flops += flops;
            self.spent.seconds += seconds;
            self.pending.pop_front();
            self.speed.note(flops, seconds);
            self.cut_anew(model)?;
            return Ok(Some(chunk.jobs));
        }
        Ok(None)
    }

    /// Has the next chunk take less at a time: half of it, or pieces of its only job. Whether that is possible.
    fn make_smaller(&mut self, model: &Model) -> Result<bool, AtmanError> {
        let Some(mut chunk) = self.pending.pop_front() else { return Ok(false) };
        if let [number] = chunk.jobs.as_slice() {
            let can_be_cut = chunk.piece_rows.is_none()
                && match self.jobs.get(*number) {
                    Some(job) => self.frame(model).cut(&mut chunk, job)?,
                    None => false,
                };
            self.pending.push_front(chunk);
            return Ok(can_be_cut);
        }
        // Those after it would not find room either.
        self.chunk_bytes_at_most = chunk.estimate.buffer_bytes / 2;
        self.pending.push_front(chunk);
        self.cut_pending(model)?;
        Ok(true)
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
