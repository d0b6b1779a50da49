//! One example, scored by one method after another.

use super::about_image::{AboutImage, Asked};
use super::about_text::AboutText;
use super::data::{About, Example, Selection};
use super::greying;
use super::method::Method;
use super::part::Part;
use crate::engine::Engine;
use crate::interrupt::Interrupt;
use anyhow::{Context, Result};
use atman::metrics::{Group, average_precision_of_groups, mean, pointing_game, soft_precision_recall_of_groups};
use atman::{Budget, Granularity, ImageGranularity, Job, Question, Runs, Score, Similarities, Spent, Suppression, sum, units};
use images::{ImageProcessor, Picture};
use model::{Generation, Sampling};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Random orders that the random method is the mean of.
const RANDOM_ORDERS: u64 = 1000;
/// How many tokens more than the answer's a model may take for it: it may write the same text in smaller pieces.
const MORE_TOKENS: usize = 8;

/// How well a method finds an example's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// [`Example::key`].
    pub(crate) key: String,
    pub(crate) method: String,
    /// Of the answer's tokens among the context's, or of the mask's pixels among the picture's, by falling score.
    pub(crate) average_precision: f64,
    pub(crate) soft_precision: f64,
    pub(crate) soft_recall: f64,
    /// Of a picture: whether the strongest patch lies on the mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pointing_game: Option<f64>,
    /// Of a picture: whether the model gives the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) right: Option<bool>,
    /// Rows computed for it.
    pub(crate) rows: u64,
    pub(crate) seconds: f64,
}

impl Measured {
    pub(crate) fn key(&self) -> (String, String) {
        (self.key.clone(), self.method.clone())
    }
}

/// An example under way.
pub(crate) struct Measuring {
    question: Question,
    /// What is scored: the tokens of the context, or the patches of the picture.
    parts: Vec<Part>,
    picture: Option<(Picture, ImageProcessor)>,
    right: Option<bool>,
    runs: Runs,
    similarities: Option<Similarities>,
    /// Runs without neighbours by operator, factor and unit: where a unit has no neighbours, they need not be run again.
    plain: HashMap<(u32, u32, usize), usize>,
}

impl Measuring {
    /// Asks the question, and runs the baseline.
    pub(crate) async fn begin(example: &Example, selection: &Selection, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        match (&example.about, &selection.processor) {
            (About::Image(about), Some(processor)) => {
                let asked = about.ask(processor, engine).await.with_context(|| example.id.clone())?;
                Self::of_image(about, asked, engine, budget).await
            }
            (About::Image(_), None) => anyhow::bail!("{} asks about a picture, which the model does not see", example.id),
            (About::Text(about), _) => Self::of_text(about, engine, budget).await,
        }
    }

    async fn of_text(about: &AboutText, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let sets = about.context.iter().map(|position| vec![*position]).collect();
        let (units, _) = units(&about.question, &Granularity::Given(sets), ImageGranularity::Patch)?;
        let parts = units.into_iter().zip(&about.is_answer).map(|(unit, is_answer)| Part::token(unit, *is_answer)).collect();
        Self::new(about.question.clone(), parts, engine, budget).await
    }

    async fn of_image(about: &AboutImage, asked: Asked, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let Asked { question, picture, mask, processor } = asked;
        // How the text is divided is all the same: it is not measured.
        let (units, _) = units(&question, &Granularity::Paragraph, ImageGranularity::Patch)?;
        let parts = units.into_iter().filter_map(|unit| Part::patch(unit, &mask)).collect();
        let answer = answer(&question, engine).await?;
        let mut measuring = Self::new(question, parts, engine, budget).await?;
        measuring.right = Some(answer.trim() == about.answer());
        measuring.picture = Some((picture, processor));
        Ok(measuring)
    }

    async fn new(question: Question, parts: Vec<Part>, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let mut runs = Runs::new(question.input().clone(), question.wanted(), budget);
        runs.begin(&engine.model, engine.executor.as_mut()).await?;
        Ok(Self { question, parts, picture: None, right: None, runs, similarities: None, plain: HashMap::new() })
    }

    /// Whether the model gives the answer of the data, where that was asked.
    pub(crate) fn is_right(&self) -> Option<bool> {
        self.right
    }

    /// Scores the parts; nothing if it was stopped.
    pub(crate) async fn measure(
        &mut self,
        method: &Method,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<Measured>> {
        let before = self.runs.spent();
        let mut beside = Spent::default();
        let n = self.parts.len();
        let scored: Vec<Vec<f32>> = match method {
            Method::Random => (0..RANDOM_ORDERS).map(|seed| random(seed, n)).collect(),
            Method::Position => vec![(0..n).map(|i| (n - i) as f32 / n as f32).collect()],
            Method::CentreBlob => vec![self.parts.iter().map(|part| part.blob).collect()],
            Method::LeaveOneOut => {
                let Some((scores, spent)) = self.leave_one_out(engine, interrupt).await? else { return Ok(None) };
                beside = spent;
                vec![scores]
            }
            Method::Atman(suppression) => {
                let numbers = self.suppress(suppression, engine).await?;
                let Some(scores) = self.run(numbers, engine, interrupt).await? else { return Ok(None) };
                vec![scores]
            }
        };
        let after = self.runs.spent() + beside;
        Ok(Some(Measured { rows: after.rows - before.rows, seconds: after.seconds - before.seconds, ..self.measured(&scored) }))
    }

    /// Means over several scores.
    fn measured(&self, scored: &[Vec<f32>]) -> Measured {
        let groups =
            |scores: &Vec<f32>| -> Vec<Group> { self.parts.iter().zip(scores).map(|(part, score)| part.group(*score)).collect() };
        let precision: Vec<f64> = scored.iter().filter_map(|scores| average_precision_of_groups(&groups(scores))).collect();
        let soft: Vec<(f64, f64)> = scored.iter().filter_map(|scores| soft_precision_recall_of_groups(&groups(scores))).collect();
        let (soft_precision, soft_recall): (Vec<f64>, Vec<f64>) = soft.into_iter().unzip();
        // A patch of less than a pixel is no place to point at.
        let seen: Vec<usize> = (0..).zip(&self.parts).filter(|(_, part)| part.count > 0).map(|(i, _)| i).collect();
        let hits: Vec<bool> = seen.iter().filter_map(|i| self.parts.get(*i)).map(|part| part.is_hit).collect();
        let pointed = |scores: &Vec<f32>| {
            let scores: Vec<f32> = seen.iter().filter_map(|i| scores.get(*i).copied()).collect();
            pointing_game(&scores, &hits)
        };
        let pointed: Vec<f64> = scored.iter().filter(|_| self.picture.is_some()).filter_map(pointed).collect();
        Measured {
            average_precision: mean(&precision).unwrap_or(0.0),
            soft_precision: mean(&soft_precision).unwrap_or(0.0),
            soft_recall: mean(&soft_recall).unwrap_or(0.0),
            pointing_game: mean(&pointed),
            right: self.right,
            ..Measured::default()
        }
    }

    /// Tokens are taken out of the prompt; patches are made grey. With what was computed beside [`Measuring::runs`].
    async fn leave_one_out(&mut self, engine: &mut Engine<'_>, interrupt: &Interrupt) -> Result<Option<(Vec<f32>, Spent)>> {
        if let Some((picture, processor)) = &self.picture {
            let log_prob = |scores: &Option<Vec<atman::TokenScore>>| Some(scores.as_ref()?.first()?.log_prob);
            let baseline: Vec<f32> = self.runs.baseline().into_iter().flatten().filter_map(log_prob).collect();
            let seen = (picture, processor);
            return greying::without_each(&self.parts, &self.question, seen, &baseline, engine, interrupt).await;
        }
        let first = self.question.row_of(0);
        let jobs = self.parts.iter().map(|part| Job::without(&part.unit.positions, first)).collect();
        let numbers = self.runs.add(&engine.model, jobs)?.collect();
        Ok(self.run(numbers, engine, interrupt).await?.map(|scores| (scores, Spent::default())))
    }

    /// Plans the runs that are not there yet, and returns the run of each unit.
    async fn suppress(&mut self, suppression: &Suppression, engine: &mut Engine<'_>) -> Result<Vec<usize>> {
        if suppression.threshold.is_some() && self.similarities.is_none() {
            let input = self.question.input();
            self.similarities = Some(Similarities::of_input(&engine.model, engine.executor.as_mut(), input).await?);
        }
        let key = |unit: usize| (suppression.operator.code(), suppression.factor.to_bits(), unit);
        let mut jobs = Vec::new();
        let mut numbers = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let mut unit = part.unit.clone();
            if let Some(similarities) = &self.similarities {
                suppression.find_neighbours(&mut unit, similarities);
            }
            let is_plain = unit.neighbours.is_empty();
            if let Some(number) = self.plain.get(&key(index)).filter(|_| is_plain) {
                numbers.push(*number);
                continue;
            }
            let number = self.runs.n_jobs() + jobs.len();
            jobs.push(suppression.job(&unit, engine.model.config().n_layers));
            numbers.push(number);
            if is_plain {
                self.plain.insert(key(index), number);
            }
        }
        self.runs.add(&engine.model, jobs)?;
        Ok(numbers)
    }

    /// Runs what is pending, and returns the score of each of the runs: the sum over the answer's tokens.
    async fn run(&mut self, numbers: Vec<usize>, engine: &mut Engine<'_>, interrupt: &Interrupt) -> Result<Option<Vec<f32>>> {
        while self.runs.step(&engine.model, engine.executor.as_mut()).await?.is_some() {
            if interrupt.is_asked() {
                return Ok(None);
            }
        }
        let score = |number: usize| {
            let row = self.runs.relevance(number, Score::CrossEntropy)?;
            sum(&row, 0..row.len())
        };
        Ok(Some(numbers.into_iter().map(|number| score(number).unwrap_or(0.0)).collect()))
    }
}

/// What the model answers, always taking the likeliest token, until it ends its text or has written more than the answer.
async fn answer(question: &Question, engine: &mut Engine<'_>) -> Result<String> {
    let (model, executor) = (&engine.model, engine.executor.as_mut());
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let most = question.n_target() + MORE_TOKENS;
    let prompt = question.prompt_input(model)?;
    let mut generation = Generation::start_mixed(model, executor, &prompt, most, Sampling::default(), None).await?;
    let mut stream = tokenizer.stream();
    let mut text = String::new();
    for _ in 0..most {
        let Some(score) = generation.next(model, executor).await? else { break };
        if tokenizer.end_ids().contains(&score.token) {
            break;
        }
        text.push_str(&stream.push(score.token));
    }
    text.push_str(&stream.finish());
    Ok(text)
}

fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.next_u32() as f32 / u32::MAX as f32).collect()
}
