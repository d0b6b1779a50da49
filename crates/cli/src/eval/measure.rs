//! One example, scored by one method after another.

use super::data::Example;
use super::method::Method;
use crate::engine::Engine;
use crate::interrupt::Interrupt;
use anyhow::Result;
use atman::metrics::{average_precision, mean, soft_precision_recall};
use atman::{Budget, Granularity, ImageGranularity, Job, Runs, Score, Similarities, Suppression, Unit, sum, units};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Random orders that the random method is the mean of.
const RANDOM_ORDERS: u64 = 1000;

/// How well a method finds an example's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// [`Example::key`].
    pub(crate) key: String,
    pub(crate) method: String,
    /// Of the answer's tokens among the context's, by falling score.
    pub(crate) average_precision: f64,
    pub(crate) soft_precision: f64,
    pub(crate) soft_recall: f64,
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
pub(crate) struct Measuring<'a> {
    example: &'a Example,
    runs: Runs,
    /// A unit for each token of the context.
    units: Vec<Unit>,
    similarities: Option<Similarities>,
    /// Runs without neighbours by operator, factor and unit: where a unit has no neighbours, they need not be run again.
    plain: HashMap<(u32, u32, usize), usize>,
}

impl<'a> Measuring<'a> {
    /// Runs the baseline.
    pub(crate) async fn begin(example: &'a Example, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let question = &example.question;
        let mut runs = Runs::new(question.input().clone(), question.wanted(), budget);
        runs.begin(&engine.model, engine.executor.as_mut()).await?;
        let sets = example.context.iter().map(|position| vec![*position]).collect();
        let (units, _) = units(question, &Granularity::Given(sets), ImageGranularity::Patch)?;
        Ok(Self { example, runs, units, similarities: None, plain: HashMap::new() })
    }

    /// Scores the context's tokens; nothing if it was stopped.
    pub(crate) async fn measure(
        &mut self,
        method: &Method,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<Measured>> {
        let before = self.runs.spent();
        let n = self.example.context.len();
        let scored: Vec<Vec<f32>> = match method {
            Method::Random => (0..RANDOM_ORDERS).map(|seed| random(seed, n)).collect(),
            Method::Position => vec![(0..n).map(|i| (n - i) as f32 / n as f32).collect()],
            Method::LeaveOneOut => {
                let first = self.example.question.row_of(0);
                let jobs = self.example.context.iter().map(|position| Job::without(&[*position], first)).collect();
                let numbers = self.runs.add(&engine.model, jobs)?.collect();
                let Some(scores) = self.run(numbers, engine, interrupt).await? else { return Ok(None) };
                vec![scores]
            }
            Method::Atman(suppression) => {
                let numbers = self.suppress(suppression, engine).await?;
                let Some(scores) = self.run(numbers, engine, interrupt).await? else { return Ok(None) };
                vec![scores]
            }
        };
        let is_answer = &self.example.is_answer;
        let precision: Vec<f64> = scored.iter().filter_map(|scores| average_precision(scores, is_answer)).collect();
        let soft: Vec<(f64, f64)> = scored.iter().filter_map(|scores| soft_precision_recall(scores, is_answer)).collect();
        let (soft_precision, soft_recall): (Vec<f64>, Vec<f64>) = soft.into_iter().unzip();
        let after = self.runs.spent();
        Ok(Some(Measured {
            average_precision: mean(&precision).unwrap_or(0.0),
            soft_precision: mean(&soft_precision).unwrap_or(0.0),
            soft_recall: mean(&soft_recall).unwrap_or(0.0),
            rows: after.rows - before.rows,
            seconds: after.seconds - before.seconds,
            ..Measured::default()
        }))
    }

    /// Plans the runs that are not there yet, and returns the run of each unit.
    async fn suppress(&mut self, suppression: &Suppression, engine: &mut Engine<'_>) -> Result<Vec<usize>> {
        if suppression.threshold.is_some() && self.similarities.is_none() {
            self.similarities =
                Some(Similarities::of_input(&engine.model, engine.executor.as_mut(), self.example.question.input()).await?);
        }
        let key = |unit: usize| (suppression.operator.code(), suppression.factor.to_bits(), unit);
        let mut jobs = Vec::new();
        let mut numbers = Vec::with_capacity(self.units.len());
        for (index, unit) in self.units.iter().enumerate() {
            let mut unit = unit.clone();
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

fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.next_u32() as f32 / u32::MAX as f32).collect()
}
