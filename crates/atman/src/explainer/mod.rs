//! An explanation under way: chunk by chunk, to be stopped and taken up again at any of them.

use crate::contrast::{Alternative, Compared, Contrast, of_rest};
use crate::explanation::{Cost, Explanation, Settings};
use crate::faithfulness::{Faithfulness, Measuring, Removal, most_runs};
use crate::job::Job;
use crate::neighbours::Similarities;
use crate::plan::Budget;
use crate::relevance::{Row, sum};
use crate::runs::{Runs, Spent};
use crate::units::{children, leaves, units};
use crate::{AtmanError, Granularity, Question, Source, Text, Unit};
use kernels::{Executor, Operator};
use model::Model;
use std::ops::Range;

/// Makes one explanation.
///
/// [`Explainer::begin`] runs the baseline; each [`Explainer::step`] runs one chunk; [`Explainer::explanation`] is what there
/// is so far, at any time. Whoever stops stepping has cancelled. After an error for which [`AtmanError::is_device_lost`]
/// holds, make a new executor, load the model into it, and begin again: what is done stays done.
#[derive(Debug)]
pub struct Explainer {
    question: Question,
    settings: Settings,
    budget: Budget,
    n_layers: usize,
    units: Vec<Unit>,
    /// What the units are of, where it was left open.
    granularity: Granularity,
    /// The granularity that each unit came from.
    levels: Vec<Granularity>,
    /// The first unit of the finest level so far.
    newest: usize,
    alternatives: Vec<Alternative>,
    runs: Runs,
    /// Of the question's positions, where neighbours are asked for.
    similarities: Option<Similarities>,
    /// The run of each unit, by unit.
    unit_jobs: Vec<Option<usize>>,
    noise_jobs: Range<usize>,
    contrasts: Vec<Option<Contrast>>,
    of_alternative: Option<AlternativeRuns>,
    measuring: Option<(Measuring, Range<usize>)>,
    faithfulness: Option<Faithfulness>,
    stage: Stage,
    /// What alternatives, whose runs are gone, took.
    spent_before: Spent,
    peak_bytes: u64,
}

/// What is being run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Units, level by level.
    Units,
    /// The alternative of that number, in runs of its own.
    Alternative(usize),
    /// Units left out one by one, for the order of faithfulness that needs it.
    LeaveOneOut,
    /// The curves of faithfulness.
    Curves,
    Done,
}

/// The runs of an alternative in place of the target.
#[derive(Debug)]
struct AlternativeRuns {
    runs: Runs,
    /// The unit of each run.
    units: Vec<usize>,
}

/// What a whole explanation takes, as far as it can be known before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Rows to compute; exact for units, an upper bound for what depends on their relevance.
    pub rows: u64,
    /// Floating-point operations of these rows.
    pub flops: u64,
    /// The most bytes of buffers held at a time, beside the weights.
    pub peak_bytes: u64,
}

impl Explainer {
    /// Prepares the explanation of a question, and the contrast with each of `alternatives`.
    ///
    /// # Errors
    /// When a setting is out of its range, or an alternative leaves nothing to decide.
    pub fn new(
        question: Question,
        settings: Settings,
        alternatives: Vec<Text>,
        budget: Budget,
        model: &Model,
    ) -> Result<Explainer, AtmanError> {
        let config = model.config();
        settings.suppression.check(config.n_layers)?;
        if settings.refine == Some(0) {
            let expected = "at least 1".to_owned();
            return Err(AtmanError::Setting { setting: "refine", found: "0".to_owned(), expected });
        }
        let asked = match (&settings.granularity, settings.refine) {
            // From coarse to fine begins at the coarsest.
            (Granularity::Auto, Some(_)) => Granularity::Paragraph,
            (granularity, _) => granularity.clone(),
        };
        let (units, granularity) = units(&question, &asked)?;
        let mut wanted = question.wanted();
        let mut prepared = Vec::with_capacity(alternatives.len());
        for text in alternatives {
            let whole = Question::new(question.prompt.clone(), text, config)?;
            prepared.push(Alternative::new(&question, whole.target, &mut wanted)?);
        }
        Ok(Explainer {
            n_layers: config.n_layers,
            levels: vec![granularity.clone(); units.len()],
            unit_jobs: vec![None; units.len()],
            runs: Runs::new(question.input_ids(), wanted, budget),
            contrasts: vec![None; prepared.len()],
            question,
            settings,
            budget,
            units,
            granularity,
            alternatives: prepared,
            newest: 0,
            similarities: None,
            noise_jobs: 0..0,
            of_alternative: None,
            measuring: None,
            faithfulness: None,
            stage: Stage::Units,
            spent_before: Spent::default(),
            peak_bytes: 0,
        })
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The units so far; their neighbours are there once it has begun.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Runs the baseline, and plans the units. Called again after a device was lost, it takes up where it was.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn begin(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        executor.reset_peak();
        match &mut self.of_alternative {
            Some(of_alternative) => of_alternative.runs.begin(model, executor).await?,
            None => self.runs.begin(model, executor).await?,
        }
        if self.settings.suppression.threshold.is_some() && self.similarities.is_none() {
            self.similarities = Some(Similarities::of_input(model, executor, &self.question.input_ids()).await?);
        }
        if self.noise_jobs.is_empty() {
            self.add_units(model, 0..self.units.len())?;
            // Of different lengths, and so in different company.
            let last = self.question.row_of(0);
            let suppression = &self.settings.suppression;
            let layers = suppression.layers_of(self.n_layers);
            let identities = [0, last / 2, last].map(|start| Job::identity(start, suppression.operator, layers.clone()));
            self.noise_jobs = self.runs.add(model, identities.into())?;
        }
        self.peak_bytes = self.peak_bytes.max(executor.stats().peak_bytes);
        Ok(())
    }

    /// Finds the neighbours of some units and plans their runs.
    fn add_units(&mut self, model: &Model, added: Range<usize>) -> Result<(), AtmanError> {
        if let Some(similarities) = &self.similarities {
            for unit in self.units.get_mut(added.clone()).unwrap_or_default() {
                self.settings.suppression.find_neighbours(unit, similarities);
            }
        }
        let jobs = self.units.get(added.clone()).unwrap_or_default().iter().map(|unit| self.job(unit)).collect();
        let numbers = self.runs.add(model, jobs)?;
        self.unit_jobs.resize(self.units.len(), None);
        for (unit, number) in added.zip(numbers) {
            if let Some(slot) = self.unit_jobs.get_mut(unit) {
                *slot = Some(number);
            }
        }
        Ok(())
    }

    fn job(&self, unit: &Unit) -> Job {
        self.settings.suppression.job(unit, self.n_layers)
    }

    /// What is still to be done.
    ///
    /// # Errors
    /// None that depends on the question.
    pub fn expected(&self, model: &Model) -> Result<Expected, AtmanError> {
        let plan = self.runs.pending();
        let mut expected = Expected { rows: plan.rows(), flops: plan.flops(), peak_bytes: self.runs.peak_bytes(model)? };
        if let Some(of_alternative) = &self.of_alternative {
            let plan = of_alternative.runs.pending();
            expected.rows += plan.rows();
            expected.flops += plan.flops();
        }
        let next = match self.stage {
            Stage::Units => 0,
            Stage::Alternative(number) => number + usize::from(self.of_alternative.is_some()),
            _ => self.alternatives.len(),
        };
        let flops_per_row = plan.flops() as f64 / plan.rows().max(1) as f64;
        let mut later_rows = 0;
        for alternative in self.alternatives.iter().skip(next).filter(|each| each.compared == Compared::Rest) {
            let n_positions = self.question.n_prompt() + alternative.text.tokens.len() - 1;
            let starts = self.contrasted_units(alternative).map(|unit| self.job(&self.units[unit]).start);
            later_rows += starts.map(|start| n_positions.saturating_sub(start) as u64).sum::<u64>();
        }
        if let Some(settings) = self.settings.faithfulness {
            let n_units = self.ordered_units().len();
            let left = match self.stage {
                Stage::Units | Stage::Alternative(_) => n_units + most_runs(settings),
                Stage::LeaveOneOut => most_runs(settings),
                Stage::Curves | Stage::Done => 0,
            };
            later_rows += left as u64 * self.question.n_positions() as u64;
        }
        expected.rows += later_rows;
        expected.flops += (later_rows as f64 * flops_per_row) as u64;
        Ok(expected)
    }

    /// Runs the next chunk; whether there is more to do. On an error everything that was done stays.
    ///
    /// # Errors
    /// Those of the device, and [`AtmanError::NotBegun`].
    pub async fn step(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<bool, AtmanError> {
        let runs = self.of_alternative.as_mut().map_or(&mut self.runs, |of_alternative| &mut of_alternative.runs);
        let ran = runs.step(model, executor).await?;
        if ran.is_none() {
            self.advance(model, executor).await?;
        }
        self.peak_bytes = self.peak_bytes.max(executor.stats().peak_bytes);
        Ok(self.stage != Stage::Done)
    }

    /// Nothing is pending: goes on to what comes next.
    async fn advance(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        match self.stage {
            Stage::Units => {
                let added = self.divide_strongest()?;
                if added.is_empty() {
                    self.stage = Stage::Alternative(0);
                    return Ok(());
                }
                self.add_units(model, added)
            }
            Stage::Alternative(number) => self.advance_alternative(number, model, executor).await,
            Stage::LeaveOneOut => {
                let n_jobs = self.runs.n_jobs();
                if let Some((measuring, left_out)) = &mut self.measuring {
                    let jobs = measuring.curve_jobs(&self.runs, left_out.clone(), n_jobs);
                    self.runs.add(model, jobs)?;
                }
                self.stage = Stage::Curves;
                Ok(())
            }
            Stage::Curves => {
                self.faithfulness = self.measuring.as_ref().map(|(measuring, _)| measuring.finish(&self.runs));
                self.stage = Stage::Done;
                self.runs.end();
                Ok(())
            }
            Stage::Done => Ok(()),
        }
    }

    async fn advance_alternative(&mut self, number: usize, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        let Some(alternative) = self.alternatives.get(number) else {
            return self.begin_faithfulness(model, executor).await;
        };
        if let Some(done) = self.of_alternative.take() {
            let contrast = self.contrast_of_rest(alternative, &done);
            let spent = done.runs.spent();
            self.spent_before = self.spent_before + spent;
            if let Some(slot) = self.contrasts.get_mut(number) {
                *slot = Some(contrast);
            }
            self.stage = Stage::Alternative(number + 1);
            return Ok(());
        }
        match alternative.compared {
            Compared::OneToken => {
                let contrast = self.contrast_of_one_token(alternative);
                if let Some(slot) = self.contrasts.get_mut(number) {
                    *slot = Some(contrast);
                }
                self.stage = Stage::Alternative(number + 1);
            }
            Compared::Rest => {
                let question = Question { prompt: self.question.prompt.clone(), target: alternative.text.clone() };
                let mut runs = Runs::new(question.input_ids(), question.wanted(), self.budget);
                // One cache at a time: the target's is made again should faithfulness need it.
                self.runs.end();
                runs.begin(model, executor).await?;
                let similarities = match self.settings.suppression.threshold {
                    Some(_) => Some(Similarities::of_input(model, executor, &question.input_ids()).await?),
                    None => None,
                };
                let units: Vec<usize> = self.contrasted_units(alternative).collect();
                let mut jobs = Vec::with_capacity(units.len());
                for unit in &units {
                    let mut unit = self.units[*unit].clone();
                    if let Some(similarities) = &similarities {
                        self.settings.suppression.find_neighbours(&mut unit, similarities);
                    }
                    jobs.push(self.job(&unit));
                }
                runs.add(model, jobs)?;
                self.of_alternative = Some(AlternativeRuns { runs, units });
            }
        }
        Ok(())
    }

    /// Units that stand before the first token in which the alternative differs.
    fn contrasted_units(&self, alternative: &Alternative) -> impl Iterator<Item = usize> {
        let first = self.question.n_prompt() + alternative.first_difference;
        let before = move |unit: &Unit| unit.positions.iter().all(|position| *position < first);
        self.units.iter().enumerate().filter(move |(_, unit)| before(unit)).map(|(index, _)| index)
    }

    fn contrast_of_one_token(&self, alternative: &Alternative) -> Contrast {
        let mut relevance = vec![None; self.units.len()];
        for unit in self.contrasted_units(alternative) {
            let outcome = self.unit_jobs.get(unit).copied().flatten().and_then(|job| self.runs.outcome(job));
            let of_unit = self.runs.baseline().zip(outcome);
            if let Some(slot) = relevance.get_mut(unit) {
                *slot = of_unit
                    .and_then(|(baseline, suppressed)| alternative.of_one_token(baseline, suppressed, self.settings.score));
            }
        }
        Contrast {
            alternative: alternative.text.clone(),
            first_difference: alternative.first_difference,
            compared: Compared::OneToken,
            log_odds_nats: self.runs.baseline().map_or(0.0, |baseline| alternative.log_odds_of_one_token(baseline)),
            relevance,
        }
    }

    fn contrast_of_rest(&self, alternative: &Alternative, done: &AlternativeRuns) -> Contrast {
        let from = alternative.first_difference;
        let mut relevance = vec![None; self.units.len()];
        let baseline = done.runs.baseline();
        for (job, unit) in done.units.iter().enumerate() {
            let of_alternative = done.runs.relevance(job, self.settings.score);
            if let Some(slot) = relevance.get_mut(*unit) {
                *slot = self.row(*unit).zip(of_alternative).and_then(|(target, other)| of_rest(&target, &other, from));
            }
        }
        let rest = |runs: &Runs| -> f32 {
            let scores = runs.baseline().into_iter().flatten().skip(from);
            scores.filter_map(|scores| scores.as_ref()?.first().map(|score| score.log_prob)).sum()
        };
        let mut text = alternative.text.clone();
        for (token, scores) in text.tokens.iter_mut().zip(baseline.into_iter().flatten()) {
            token.log_prob = scores.as_ref().and_then(|scores| scores.first()).map(|score| score.log_prob);
        }
        Contrast {
            alternative: text,
            first_difference: from,
            compared: Compared::Rest,
            log_odds_nats: rest(&self.runs) - rest(&done.runs),
            relevance,
        }
    }

    /// Divides the strongest units of the finest level, where that was asked for; the numbers of what they are divided into.
    fn divide_strongest(&mut self) -> Result<Range<usize>, AtmanError> {
        let first = self.units.len();
        let Some(keep) = self.settings.refine else { return Ok(first..first) };
        let mut candidates: Vec<(usize, f32)> = Vec::new();
        for (index, unit) in self.units.iter().enumerate().skip(self.newest) {
            let is_open = unit.positions.len() > 1 && !unit.sink;
            let strength = self.row(index).and_then(|row| sum(&row, 0..row.len()));
            candidates.extend(strength.filter(|_| is_open).map(|strength| (index, strength.abs())));
        }
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
        candidates.truncate(keep);
        self.newest = first;
        for (index, _) in candidates {
            let (Some(unit), Some(level)) = (self.units.get(index), self.levels.get(index)) else { continue };
            let (parts, level) = children(&self.question, unit, level)?;
            for mut part in parts {
                part.parent = Some(index);
                self.units.push(part);
                self.levels.push(level.clone());
            }
        }
        Ok(first..self.units.len())
    }

    /// Units of the prompt that faithfulness orders, with their positions and relevance.
    fn ordered_units(&self) -> Vec<(Vec<usize>, f32)> {
        let mut ordered = Vec::new();
        for index in leaves(&self.units) {
            let Some(unit) = self.units.get(index) else { continue };
            if unit.source == Source::Prompt && !unit.sink {
                let score = self.row(index).and_then(|row| sum(&row, 0..row.len())).unwrap_or(0.0);
                ordered.push((unit.positions.clone(), score));
            }
        }
        ordered.sort_by(|a, b| a.0.cmp(&b.0));
        ordered
    }

    async fn begin_faithfulness(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        let units = self.ordered_units();
        let Some(settings) = self.settings.faithfulness.filter(|_| units.len() > 1) else {
            self.stage = Stage::Done;
            self.runs.end();
            return Ok(());
        };
        let suppression = &self.settings.suppression;
        let removes_keys = suppression.operator == Operator::LogAdditive && suppression.factor == 0.0;
        let removal = if removes_keys { Removal::Tokens } else { Removal::Keys };
        let measuring = Measuring::new(settings, removal, units, self.question.row_of(0), self.n_layers);
        if !self.runs.is_begun() {
            self.runs.begin(model, executor).await?;
        }
        let left_out = self.runs.add(model, measuring.leave_one_out_jobs())?;
        self.measuring = Some((measuring, left_out));
        self.stage = Stage::LeaveOneOut;
        Ok(())
    }

    /// The relevance of one unit, if it is there.
    fn row(&self, unit: usize) -> Option<Row> {
        let job = self.unit_jobs.get(unit).copied().flatten()?;
        self.runs.relevance(job, self.settings.score)
    }

    /// What was computed so far.
    pub fn spent(&self) -> Spent {
        let of_alternative = self.of_alternative.as_ref().map(|each| each.runs.spent());
        self.spent_before + self.runs.spent() + of_alternative.unwrap_or_default()
    }

    /// What there is so far.
    pub fn explanation(&self) -> Explanation {
        let mut target = self.question.target.clone();
        for (token, scores) in target.tokens.iter_mut().zip(self.runs.baseline().into_iter().flatten()) {
            token.log_prob = scores.as_ref().and_then(|scores| scores.first()).map(|score| score.log_prob);
        }
        let spent = self.spent();
        Explanation {
            partial: self.stage != Stage::Done,
            settings: self.settings.clone(),
            granularity: self.granularity.clone(),
            prompt: self.question.prompt.clone(),
            target,
            units: self.units.clone(),
            relevance: (0..self.units.len()).map(|unit| self.row(unit)).collect(),
            noise_floor: self.noise_floor(),
            contrasts: self.contrasts.iter().flatten().cloned().collect(),
            faithfulness: self.faithfulness.clone(),
            cost: Cost {
                rows: spent.rows,
                full_recompute_rows: spent.full_recompute_rows,
                flops: spent.flops,
                peak_bytes: self.peak_bytes,
                seconds: spent.seconds,
            },
        }
    }

    /// The greatest change that the identity suppression makes to a target token.
    fn noise_floor(&self) -> Option<f32> {
        let rows = self.noise_jobs.clone().filter_map(|job| self.runs.relevance(job, self.settings.score));
        let changes = rows.flatten().flatten();
        changes.map(f32::abs).reduce(f32::max)
    }
}
