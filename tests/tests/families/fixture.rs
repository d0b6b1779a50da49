//! The checkpoints of `fixtures/families`, opened, changed and run.

use kernels::Executor;
use kernels::cpu::CpuExecutor;
use model::{Input, KeyFactors, KvCache, Model, ModelError, RowBatch, RowResult, Sequence, Wanted};
use serde::Deserialize;
use serde_json::Value;
use std::ops::Range;
use std::path::PathBuf;
use weights::{Checkpoint, ModelFiles, WeightsError};

pub(crate) const ALL: [&str; 19] = [
    "grouped-f32",
    "sharded-bf16",
    "llama3-f16",
    "linear-mixed",
    "biased-f32",
    "qwen2-tied",
    "qwen2-untied",
    "qwen3-f32",
    "qwen3-biased",
    "mistral-f32",
    "mistral-wide",
    "smollm3-list",
    "smollm3-interval",
    "olmo2-f32",
    "olmo2-grouped",
    "stablelm-biased",
    "stablelm-half",
    "gpt2-f32",
    "gpt2-plain",
];

/// What transformers computes: see `make.py`.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) ids: Vec<u32>,
    pub(crate) hidden: Vec<Vec<f32>>,
    pub(crate) logits: Vec<f32>,
    /// Position, token, log-probability; in rising order of positions.
    pub(crate) log_probs: Vec<(usize, u32, f32)>,
    pub(crate) suppressed: Vec<Suppressed>,
}

/// A run with key factors, log-additive.
#[derive(Deserialize)]
pub(crate) struct Suppressed {
    pub(crate) factors: Vec<f32>,
    pub(crate) layers: (usize, usize),
    pub(crate) logits: Vec<f32>,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/families").join(name)
}

pub(crate) fn content(name: &str, file: &str) -> Vec<u8> {
    std::fs::read(folder(name).join(file)).unwrap()
}

pub(crate) fn expected(name: &str) -> Expected {
    serde_json::from_slice(&content(name, "expected.json")).unwrap()
}

pub(crate) fn config(name: &str) -> Value {
    serde_json::from_slice(&content(name, "config.json")).unwrap()
}

pub(crate) fn checkpoint(name: &str) -> Checkpoint {
    pollster::block_on(Checkpoint::open(ModelFiles::from_path(folder(name)).unwrap())).unwrap()
}

/// A checkpoint of one weight file with its configuration and its weights changed.
pub(crate) fn changed(
    name: &str,
    config_change: impl FnOnce(&mut Value),
    weights_change: impl FnOnce(&mut Vec<u8>),
) -> Result<Checkpoint, WeightsError> {
    let (mut config, mut weights) = (config(name), content(name, "model.safetensors"));
    config_change(&mut config);
    weights_change(&mut weights);
    crate::files::open(vec![("config.json", config.to_string().into()), ("model.safetensors", weights)])
}

/// A model and what runs it.
pub(crate) struct Engine<E = CpuExecutor> {
    pub(crate) executor: E,
    pub(crate) model: Model,
}

impl Engine {
    pub(crate) fn load(checkpoint: &Checkpoint) -> Result<Engine, ModelError> {
        Engine::load_on(CpuExecutor::new(), checkpoint)
    }
}

impl<E: Executor> Engine<E> {
    pub(crate) fn load_on(mut executor: E, checkpoint: &Checkpoint) -> Result<Engine<E>, ModelError> {
        let model = pollster::block_on(Model::load(checkpoint, &mut executor, &mut |_| {}))?;
        Ok(Engine { executor, model })
    }

    pub(crate) fn vocab_size(&self) -> usize {
        self.model.config().vocab_size
    }

    pub(crate) fn cache(&mut self, capacity: usize) -> KvCache {
        KvCache::new(&self.model, &mut self.executor, capacity).unwrap()
    }

    /// Continues the cache, wanting every position with all its logits.
    pub(crate) fn extend(&mut self, input: Input, cache: &mut KvCache) -> Vec<RowResult> {
        let sequence = self.sequence(cache.len(), input, None);
        let top_k = self.vocab_size();
        pollster::block_on(self.model.extend(&mut self.executor, sequence, cache, top_k)).unwrap()
    }

    /// All positions at once into an empty cache.
    pub(crate) fn prefill(&mut self, ids: &[u32]) -> Vec<RowResult> {
        let mut cache = self.cache(ids.len());
        self.extend(Input::Tokens(ids.to_vec()), &mut cache)
    }

    /// Sequences over a shared cache.
    pub(crate) fn run(&mut self, sequences: Vec<Sequence>, cache: &KvCache) -> Vec<RowResult> {
        let top_k = self.vocab_size();
        pollster::block_on(self.model.run(&mut self.executor, &RowBatch { sequences }, cache, top_k)).unwrap()
    }

    /// One sequence from position 0 on with log-additive factors in `layers`.
    pub(crate) fn suppressed(&mut self, ids: &[u32], factors: &[f32], layers: Range<usize>) -> Vec<RowResult> {
        let factors = KeyFactors { factors: factors.to_vec(), operator: Default::default(), layers };
        let sequence = self.sequence(0, Input::Tokens(ids.to_vec()), Some(factors));
        let cache = self.cache(0);
        self.run(vec![sequence], &cache)
    }

    /// A sequence that wants all of its positions.
    pub(crate) fn sequence(&self, start: usize, input: Input, factors: Option<KeyFactors>) -> Sequence {
        let mut sequence = Sequence { start, input, factors, wanted: Vec::new() };
        let end = start + sequence.len(self.model.config().d_model);
        sequence.wanted = (start..end).map(|position| Wanted { position, tokens: Vec::new() }).collect();
        sequence
    }
}

/// All logits of a row, by token.
pub(crate) fn logits(row: &RowResult) -> Vec<f32> {
    by_token(row, |score| score.logit)
}

/// All log-probabilities of a row, by token.
pub(crate) fn log_probs(row: &RowResult) -> Vec<f32> {
    by_token(row, |score| score.log_prob)
}

fn by_token(row: &RowResult, value: impl Fn(&model::TokenScore) -> f32) -> Vec<f32> {
    let mut values = vec![f32::NAN; row.top.len()];
    for score in &row.top {
        values[score.token as usize] = value(score);
    }
    values
}

/// The greatest difference of a log-probability between two runs over the same positions.
pub(crate) fn difference_nats(a: &[RowResult], b: &[RowResult]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| atman_tests::goldens::greatest(&log_probs(a), &log_probs(b))).fold(0.0, f32::max)
}
