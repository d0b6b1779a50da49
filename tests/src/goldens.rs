//! Runs a golden case on any executor: the baseline, then every suppressed sequence from its first suppressed key.

use kernels::{Executor, Operator};
use model::{Input, KeyFactors, KvCache, Model, ModelError, RowBatch, Sequence, Wanted};
use serde::{Deserialize, Serialize};

/// Rows that run together at most.
const CHUNK_ROWS: usize = 256;

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

    /// Factors of all keys when `position` is suppressed; `embeddings` are those of the input, `[positions, d_model]`.
    pub fn factors(&self, position: usize, embeddings: &[f32], d_model: usize) -> Vec<f32> {
        let rows: Vec<&[f32]> = embeddings.chunks_exact(d_model).collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = |a: &[f32], b: &[f32]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-16);
        let factor = |(j, row): (usize, &&[f32])| {
            let c = cosine(row, rows[position]) as f32;
            match self.threshold {
                _ if j == position => self.factor,
                Some(threshold) if c >= threshold && c >= 0.0 => (1.0 - self.factor) * (1.0 - c) + self.factor,
                _ => 1.0,
            }
        };
        rows.iter().enumerate().map(factor).collect()
    }
}

/// Runs the case: sequences start at their first suppressed key, or at position 0 if `full` or the operator asks for it.
/// Returns the relevance too, `[positions, target tokens]`.
pub async fn run(
    case: &Golden,
    model: &Model,
    executor: &mut dyn Executor,
    full: bool,
) -> Result<(Outcome, Vec<Vec<f32>>), GoldenError> {
    let operator: Operator = case.operator.parse()?;
    let ids = case.input_ids();
    let mut cache = KvCache::new(model, executor, ids.len())?;
    let sequence = Sequence { start: 0, input: Input::Tokens(ids.clone()), factors: None, wanted: case.wanted(0) };
    let results = model.extend(executor, sequence, &mut cache, 0).await?;
    let baseline: Vec<f32> = results.into_iter().flat_map(|row| row.log_probs).collect();
    let mut outcome = Outcome { baseline_difference_nats: greatest(&baseline, &case.baseline_log_probs), ..Outcome::default() };

    let embeddings =
        if case.threshold.is_some() { model.embed(executor, &ids).await? } else { vec![1.0; ids.len() * model.config().d_model] };
    let sequences = case.positions.iter().map(|position| {
        let factors = case.factors(*position, &embeddings, model.config().d_model);
        let first = factors.iter().position(|f| *f != 1.0).unwrap_or(0);
        let start = if full || operator == Operator::ShiftedFull { 0 } else { first };
        let layers = 0..model.config().n_layers;
        let factors = Some(KeyFactors { factors, operator, layers });
        Sequence { start, input: Input::Tokens(ids[start..].to_vec()), factors, wanted: case.wanted(start) }
    });
    let mut relevance = Vec::new();
    let mut batch = RowBatch::default();
    let mut rows = 0;
    let mut sequences = sequences.peekable();
    while let Some(sequence) = sequences.next() {
        rows += ids.len() - sequence.start;
        outcome.rows += ids.len() - sequence.start;
        outcome.full_rows += ids.len();
        batch.sequences.push(sequence);
        if rows < CHUNK_ROWS && sequences.peek().is_some() {
            continue;
        }
        let mut results = model.run(executor, &batch, &cache, 0).await?.into_iter();
        for sequence in &batch.sequences {
            // Tokens predicted before the sequence's start cannot have changed.
            let mut row = vec![0.0; baseline.len() - sequence.wanted.len()];
            for baseline in &baseline[row.len()..] {
                row.push(baseline - results.next().and_then(|r| r.log_probs.first().copied()).unwrap_or(f32::NAN));
            }
            relevance.push(row);
        }
        (batch, rows) = (RowBatch::default(), 0);
    }
    for (found, expected) in relevance.iter().zip(&case.relevance) {
        outcome.relevance_difference_nats = outcome.relevance_difference_nats.max(greatest(found, expected));
    }
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
