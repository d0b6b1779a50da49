//! What can go wrong between a checkpoint and a token.

use crate::Family;
use kernels::ExecError;
use tensor::DecodeError;
use weights::WeightsError;

/// Errors of loading and running models.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The architecture is none that this crate knows.
    #[error("{model}: architecture {found:?} is not supported; supported are {supported}")]
    Architecture {
        /// The model's name.
        model: String,
        /// What its configuration says.
        found: String,
        /// The names that would do.
        supported: String,
    },
    /// A value of the configuration is missing or makes no sense.
    #[error("{model}: configuration value {key} is {found}, expected {expected}")]
    Config {
        /// The model's name.
        model: String,
        /// Which value.
        key: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A tensor that the architecture needs is not there.
    #[error("{model}: tensor {tensor} is missing; {needed_by}")]
    MissingTensor {
        /// The model's name.
        model: String,
        /// The tensor's name in the file.
        tensor: String,
        /// What says that it should be there.
        needed_by: String,
    },
    /// A tensor that belongs to what is computed, of which the architecture does not know what it is for.
    #[error("{model}: tensor {tensor} has no place in {family} models, and without it the numbers would be others{hint}")]
    UnusedTensor {
        /// The model's name.
        model: String,
        /// The tensor's name in the file.
        tensor: String,
        /// The family that has no use for it.
        family: &'static str,
        /// What can be done about it, or nothing.
        hint: &'static str,
    },
    /// A tensor's shape contradicts the configuration.
    #[error("{model}: tensor {tensor} has shape {found:?}, but the configuration makes it {expected:?}")]
    TensorShape {
        /// The model's name.
        model: String,
        /// The tensor's name in the file.
        tensor: String,
        /// Its shape in the file, outermost dimension first.
        found: Vec<usize>,
        /// The shape that the configuration implies.
        expected: Vec<usize>,
    },
    /// The model sees no pictures.
    #[error("{model} reads text only, no pictures")]
    NoVision {
        /// The model's name.
        model: String,
    },
    /// A picture of another size than the vision tower's.
    #[error("a tile of {found_px} pixels a side was given, but the model sees {expected_px}")]
    TileSize {
        /// Its side.
        found_px: usize,
        /// The side that the model sees.
        expected_px: usize,
    },
    /// A prompt with more or fewer places for pictures than there are pictures.
    #[error("the prompt has {found} image positions, but the pictures fill {expected}")]
    ImagePositions {
        /// Positions of the prompt that stand for a picture.
        found: usize,
        /// Embeddings that there are.
        expected: usize,
    },
    /// A batch that cannot be run as it stands.
    #[error("sequence {sequence}: {what}")]
    Batch {
        /// Its index in the batch.
        sequence: usize,
        /// What is wrong with it.
        what: String,
    },
    /// More positions than there is room for.
    #[error("{needed} positions do not fit: {what} holds {limit}")]
    TooLong {
        /// What holds them: the cache, or the model's context.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many fit.
        limit: usize,
    },
    /// A sampling setting is out of its range.
    #[error("{setting} is {found}, expected {expected}")]
    Sampling {
        /// Its name.
        setting: &'static str,
        /// What was given.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// What the model computed is no finite number.
    #[error("{model} gives results that are no numbers: {began}. Its weights are damaged, or too large to compute with")]
    NotFinite {
        /// The model's name.
        model: String,
        /// Where they began.
        began: String,
    },
    /// The model's files could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A tensor's bytes are not what its format takes.
    #[error("tensor {tensor}: {source}")]
    Decode {
        /// The tensor's name in the file.
        tensor: String,
        /// What is wrong with them.
        source: DecodeError,
    },
    /// The device could not do it.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl ModelError {
    /// A tensor that a model of that family cannot do without.
    pub(crate) fn missing(model: &str, tensor: &str, family: &Family) -> ModelError {
        let name = family.name;
        let by_key = tensor.strip_suffix("_proj.bias").filter(|_| !family.hugging_face.always_biased);
        let needed_by = match by_key {
            // Only where the configuration says so.
            Some(part) if part.contains(".mlp.") => "config.json says by mlp_bias that it is there".to_owned(),
            Some(part) if !part.contains("vision") => "config.json says by attention_bias that it is there".to_owned(),
            _ => format!("{name} models have it"),
        };
        ModelError::MissingTensor { model: model.to_owned(), tensor: tensor.to_owned(), needed_by }
    }
}
