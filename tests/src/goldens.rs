//! Runs a golden case on any executor: the baseline, then every suppressed sequence from its first suppressed key.

use atman::{AtmanError, Budget, Runs, Score, Similarities, Suppression, Threshold, Unit};
use kernels::Executor;
use model::{Input, KvCache, Model, ModelError, Sequence, Wanted};
use serde::{Deserialize, Serialize};

/// One file of `tests/goldens`: an input, a suppression, and what an independent implementation made of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    /// The input's tokens.
    pub prompt_ids: Vec<u32>,
    /// The explained tokens.
    pub target_ids: Vec<u32>,
    /// The name of the operator.
    pub operator: String,
    /// The factor of a suppressed key.
    pub factor: f32,
    /// Least cosine similarity of embeddings that are suppressed along, if any are.
    pub threshold: Option<f32>,
    /// `positions[i]` is suppressed in `relevance[i]`.
    pub positions: Vec<usize>,
    /// Natural logarithms, one for each target token.
    pub baseline_log_probs: Vec<f32>,
    /// `[positions, target tokens]`, in nats.
    pub relevance: Vec<Vec<f32>>,
    /// What the model computes at the prompt's last position.
    pub last_position: Option<LastPosition>,
}

/// What the model computes at the prompt's last position.
#[derive(Clone, Debug, Deserialize)]
pub struct LastPosition {
    /// The ten likeliest tokens, best first.
    pub top_ids: Vec<u32>,
    /// Their logits.
    pub top_logits: Vec<f32>,
    /// The first 16 values of the hidden state after each layer.
    pub hidden_first16_per_layer: Vec<Vec<f32>>,
    /// The length of the hidden state after each layer.
    pub hidden_norm_per_layer: Vec<f32>,
}

/// How far an executor is from a golden.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Greatest difference of a baseline log-probability, in nats.
    pub baseline_difference_nats: f32,
    /// Greatest difference of a relevance, in nats.
    pub relevance_difference_nats: f32,
    /// Rows computed for the suppressed sequences.
    pub rows: usize,
    /// Rows that recomputing each from its first position would have taken.
    pub full_rows: usize,
}

impl Outcome {
    /// The greater of both differences.
    pub fn difference_nats(&self) -> f32 {
        self.baseline_difference_nats.max(self.relevance_difference_nats)
    }
}

/// Why a case could not be run.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The explanation failed.
    #[error(transparent)]
    Atman(#[from] AtmanError),
    /// The case names an operator that does not exist.
    #[error(transparent)]
    Operator(#[from] kernels::UnknownOperator),
}

impl Golden {
    /// Input positions: the prompt's tokens and all target tokens but the last.
    pub fn input_ids(&self) -> Vec<u32> {
        let (_, earlier) = self.target_ids.split_last().unwrap_or((&0, &[]));
        [&self.prompt_ids, earlier].concat()
    }

    /// Where target tokens are predicted, from position `first` on.
    pub fn wanted(&self, first: usize) -> Vec<Wanted> {
        let at = |(t, token): (usize, &u32)| Wanted { position: self.prompt_ids.len() - 1 + t, tokens: vec![*token] };
        self.target_ids.iter().enumerate().map(at).filter(|wanted| wanted.position >= first).collect()
    }

    /// How the case suppresses.
    fn suppression(&self) -> Result<Suppression, GoldenError> {
        let threshold = self.threshold.map(Threshold::Cosine);
        Ok(Suppression { operator: self.operator.parse()?, factor: self.factor, threshold, ..Suppression::default() })
    }
}

/// Runs the case: from the first suppressed key on, or from position 0 if `full` or the operator asks for it.
/// Returns the relevance too, `[positions, target tokens]`.
pub async fn run(
    case: &Golden,
    model: &Model,
    executor: &mut dyn Executor,
    full: bool,
) -> Result<(Outcome, Vec<Vec<f32>>), GoldenError> {
    let suppression = case.suppression()?;
    let mut runs = Runs::new(case.input_ids(), case.wanted(0), Budget::default());
    runs.begin(model, executor).await?;
    let similarities = Similarities::of_input(model, executor, &case.input_ids().into()).await?;
    let mut jobs = Vec::with_capacity(case.positions.len());
    for position in &case.positions {
        let mut unit = Unit { positions: vec![*position], ..Unit::default() };
        suppression.find_neighbours(&mut unit, &similarities);
        let job = suppression.job(&unit, model.config().n_layers);
        jobs.push(if full { job.unshared() } else { job });
    }
    let numbers = runs.add(model, jobs)?;
    while runs.step(model, executor).await?.is_some() {}
    let scores = runs.baseline().into_iter().flatten();
    let baseline: Vec<f32> = scores.filter_map(|scores| scores.as_ref()?.first().map(|score| score.log_prob)).collect();
    let row = |job| runs.relevance(job, Score::CrossEntropy).unwrap_or_default();
    // What a suppression does not reach stands as 0 in the files.
    let relevance: Vec<Vec<f32>> = numbers.map(|job| row(job).into_iter().map(|score| score.unwrap_or(0.0)).collect()).collect();
    let spent = runs.spent();
    let difference = |(found, expected): (&Vec<f32>, &Vec<f32>)| greatest(found, expected);
    let outcome = Outcome {
        baseline_difference_nats: greatest(&baseline, &case.baseline_log_probs),
        relevance_difference_nats: relevance.iter().zip(&case.relevance).map(difference).fold(0.0, f32::max),
        rows: spent.rows as usize,
        full_rows: spent.full_recompute_rows as usize,
    };
    Ok((outcome, relevance))
}

/// Greatest absolute difference; infinite where one is no number or lengths differ.
pub fn greatest(found: &[f32], expected: &[f32]) -> f32 {
    if found.len() != expected.len() || found.is_empty() {
        return f32::INFINITY;
    }
    let difference = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    found.iter().zip(expected).map(difference).fold(0.0, f32::max)
}

/// Greatest relative difference of a model's last-position state from a golden's.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LastPositionOutcome {
    /// Of the first entries of hidden states, relative to the state's root mean square, over all layers.
    pub hidden: f32,
    /// Of the hidden states' lengths.
    pub norm: f32,
    /// Of the ten greatest logits; infinite if these belong to other tokens.
    pub logits: f32,
}

impl LastPositionOutcome {
    /// The greatest of all.
    pub fn greatest(&self) -> f32 {
        self.hidden.max(self.norm).max(self.logits)
    }
}

/// Compares the last position's hidden states and top logits with the golden's.
pub async fn last_position(
    case: &Golden,
    expected: &LastPosition,
    model: &Model,
    executor: &mut dyn Executor,
) -> Result<LastPositionOutcome, GoldenError> {
    let input = Input::Tokens(case.prompt_ids.clone());
    let states = model.hidden_states(executor, input.clone()).await?;
    let mut outcome = LastPositionOutcome::default();
    if states.len() != expected.hidden_norm_per_layer.len() {
        outcome.hidden = f32::INFINITY;
    }
    for ((state, first), norm) in states.iter().zip(&expected.hidden_first16_per_layer).zip(&expected.hidden_norm_per_layer) {
        let found = state.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32;
        let root_mean_square = norm / (state.len() as f32).sqrt();
        outcome.norm = outcome.norm.max((found / norm - 1.0).abs());
        outcome.hidden = outcome.hidden.max(greatest(&state[..first.len().min(state.len())], first) / root_mean_square);
    }
    let mut cache = KvCache::new(model, executor, case.prompt_ids.len())?;
    let wanted = vec![Wanted { position: case.prompt_ids.len() - 1, tokens: Vec::new() }];
    let sequence = Sequence { start: 0, input, factors: None, wanted };
    let results = model.extend(executor, sequence, &mut cache, expected.top_ids.len()).await?;
    let top = results.first().map(|row| row.top.as_slice()).unwrap_or_default();
    if top.iter().map(|score| score.token).ne(expected.top_ids.iter().copied()) {
        outcome.logits = f32::INFINITY;
    }
    for (score, logit) in top.iter().zip(&expected.top_logits) {
        outcome.logits = outcome.logits.max((score.logit / logit - 1.0).abs());
    }
    Ok(outcome)
}
