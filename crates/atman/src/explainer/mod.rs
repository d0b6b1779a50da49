//! An explanation under way: chunk by chunk, to be stopped and taken up again at any of them.

mod advance;
mod contrasts;
mod expected;
mod time;

pub use expected::Expected;

use crate::contrast::{Alternative, Contrast};
use crate::explanation::{Cost, Explanation, Settings};
use crate::faithfulness::{Faithfulness, FaithfulnessSettings, Measuring};
use crate::job::Job;
use crate::neighbours::Similarities;
use crate::plan::Budget;
use crate::relevance::Row;
use crate::runs::{Runs, Spent};
use crate::units::{Level, units};
use crate::{AtmanError, Granularity, ImageGranularity, Question, SeenImage, Text, Unit};
use contrasts::AlternativeRuns;
use kernels::Executor;
use model::Model;
use std::ops::Range;

/// Makes one explanation.
///
/// [`Explainer::prepare`] says what it will take; [`Explainer::begin`] runs the baseline; each [`Explainer::step`] runs one
/// chunk; [`Explainer::explanation`] is what there is so far, at any time. Whoever stops stepping has cancelled, and whoever
/// begins again goes on. After an error for which [`AtmanError::is_device_lost`] holds, make a new executor, load the model
/// into it, and begin again: what is done stays done.
#[derive(Debug)]
pub struct Explainer {
    question: Question,
    settings: Settings,
    budget: Budget,
    n_layers: usize,
    units: Vec<Unit>,
    /// What the units are of, where it was left open.
    granularity: Granularity,
    /// The level that each unit came from.
    levels: Vec<Level>,
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
    measuring: Option<Measuring>,
    /// The target tokens that faithfulness is measured on; all if not given.
    measured_span: Option<[usize; 2]>,
    faithfulness: Option<Faithfulness>,
    stage: Stage,
    /// What seeing pictures took, and alternatives, whose runs are gone.
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
    /// Units taken away one by one, for what faithfulness must know before it draws curves.
    Singles,
    /// The curves of faithfulness.
    Curves,
    Done,
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
        check_span(settings.span, question.n_target())?;
        if settings.refine == Some(0) {
            let expected = "at least 1".to_owned();
            return Err(AtmanError::Setting { setting: "refine", found: "0".to_owned(), expected });
        }
        let asked = match (&settings.granularity, settings.refine) {
            // From coarse to fine begins at the coarsest.
            (Granularity::Auto, Some(_)) => Granularity::Paragraph,
            (granularity, _) => granularity.clone(),
        };
        let of_images = match (settings.image_granularity, settings.refine) {
            // There is nothing finer to go to.
            (ImageGranularity::Patch, Some(_)) => ImageGranularity::Whole,
            (granularity, _) => granularity,
        };
        let (units, granularity) = units(&question, &asked, of_images)?;
        // What a given set has of pictures may be all of one.
        let is_given = matches!(granularity, Granularity::Given(_));
        let image = if is_given { ImageGranularity::Whole } else { of_images };
        let level = Level { text: granularity.clone(), image };
        let mut wanted = question.wanted();
        let mut prepared = Vec::with_capacity(alternatives.len());
        for text in alternatives {
            let whole = question.with_target(text, config)?;
            prepared.push(Alternative::new(&question, whole.target, &mut wanted)?);
        }
        Ok(Explainer {
            n_layers: config.n_layers,
            levels: vec![level; units.len()],
            unit_jobs: vec![None; units.len()],
            runs: Runs::new(question.input().clone(), wanted, budget),
            contrasts: vec![None; prepared.len()],
            spent_before: question.images.iter().map(SeenImage::spent).fold(Spent::default(), |sum, spent| sum + spent),
            peak_bytes: question.images.iter().map(|image| image.peak_bytes).max().unwrap_or(0),
            measured_span: settings.span,
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
        })
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The units so far; their neighbours are there once it is prepared.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Finds the units' neighbours and plans the units' runs, without the baseline; nothing where that is done.
    /// [`Explainer::begin`] does it too.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn prepare(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        if self.settings.suppression.threshold.is_some() && self.similarities.is_none() {
            self.similarities = Some(Similarities::of_input(model, executor, self.question.input()).await?);
        }
        if self.noise_jobs.is_empty() {
            self.runs.keep_to(executor);
            // First of all, so that whatever there is of the explanation when it is stopped has its noise floor. Of different
            // lengths, and so in different company.
            let last = self.question.row_of(0);
            let suppression = &self.settings.suppression;
            let layers = suppression.layers_of(self.n_layers);
            let identities = [0, last / 2, last].map(|start| Job::identity(start, suppression.operator, layers.clone()));
            let noise_jobs = self.runs.add(model, identities.into())?;
            self.add_units(model, 0..self.units.len())?;
            self.noise_jobs = noise_jobs;
        }
        Ok(())
    }

    /// Whether [`Explainer::begin`] is to be called before going on: it never was, or [`Explainer::end`] or
    /// [`Explainer::measure`] came after it. A lost device does not show here.
    pub fn needs_begin(&self) -> bool {
        let runs = self.of_alternative.as_ref().map_or(&self.runs, |of_alternative| &of_alternative.runs);
        !self.is_done() && !runs.is_begun()
    }

    /// Whether all that was asked for is there.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Runs the baseline, and prepares. Called again after it was stopped or a device was lost, it takes up where it was; where
    /// all is done, it does nothing.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn begin(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        if self.is_done() {
            return Ok(());
        }
        executor.reset_peak();
        match &mut self.of_alternative {
            Some(of_alternative) => of_alternative.runs.begin(model, executor).await?,
            None => self.runs.begin(model, executor).await?,
        }
        self.prepare(model, executor).await?;
        self.peak_bytes = self.peak_bytes.max(executor.stats().peak_bytes);
        Ok(())
    }

    /// Gives back the memory of the baseline's keys and values, where it is not to go on soon. What is done stays, and
    /// [`Explainer::begin`] goes on from there.
    pub fn end(&mut self) {
        self.runs.end();
        if let Some(of_alternative) = &mut self.of_alternative {
            of_alternative.runs.end();
        }
    }

    /// Has faithfulness measured too, as if it had been asked for from the beginning, on a span of target tokens, `[first, one past
    /// the last]`, or all of them: nothing that is done is run again but the baseline. For another span or other random orders only
    /// what no earlier order took away is run. Begin and step to go on.
    ///
    /// # Errors
    /// When the target has no such tokens.
    pub fn measure(&mut self, settings: FaithfulnessSettings, span: Option<[usize; 2]>) -> Result<(), AtmanError> {
        check_span(span, self.question.n_target())?;
        let before = (self.settings.faithfulness.replace(settings), std::mem::replace(&mut self.measured_span, span));
        if before == (Some(settings), span) {
            return Ok(());
        }
        self.faithfulness = None;
        if self.measuring.is_some() || self.is_done() {
            self.stage = Stage::Alternative(self.alternatives.len());
        }
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
        Ok(!self.is_done())
    }

    /// One unit's relevance for each target token; `None` while it has not run.
    pub fn row(&self, unit: usize) -> Option<Row> {
        let job = self.unit_jobs.get(unit).copied().flatten()?;
        self.runs.relevance(job, self.settings.score)
    }

    /// What was computed so far, seeing the pictures included.
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
            images: self.question.images.iter().map(|image| image.info.clone()).collect(),
            target,
            held: self.question.held(),
            notices: self.question.notices(),
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

    /// The greatest change that suppressing nothing makes to a target token's score: what computing the same thing in another
    /// way does. `None` while it was not measured.
    pub fn noise_floor(&self) -> Option<f32> {
        let rows = self.noise_jobs.clone().filter_map(|job| self.runs.relevance(job, self.settings.score));
        let changes = rows.flatten().flatten();
        changes.map(f32::abs).reduce(f32::max)
    }
}

/// Makes sure that a span is one of a target of so many tokens.
fn check_span(span: Option<[usize; 2]>, n_target: usize) -> Result<(), AtmanError> {
    match span {
        Some([first, end]) if first >= end || end > n_target => Err(AtmanError::Setting {
            setting: "span",
            found: format!("{first}..{end}"),
            expected: format!("a range that is not empty within the answer's tokens, 0..{n_target}"),
        }),
        _ => Ok(()),
    }
}
