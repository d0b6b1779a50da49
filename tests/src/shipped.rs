//! Runs the prompts of `goldens/atman-tiny.json`, what Hugging Face transformers computes with the model in `models/atman-tiny`.

use crate::goldens::greatest;
use atman::{AtmanError, Prompt, SeenImage, Turn, prompt_input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use images::{ImageError, ImageProcessor};
use kernels::Executor;
use model::{Input, KvCache, Model, ModelError, Sequence, Wanted};
use serde::Deserialize;
use weights::{Checkpoint, WeightsError};

/// The file.
#[derive(Clone, Debug, Deserialize)]
pub struct Shipped {
    /// The prompts.
    pub cases: Vec<Case>,
}

/// A prompt, from files and words to logits.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// The pictures' files, in base64.
    pub images: Vec<String>,
    /// What the user says after them.
    pub text: String,
    /// The tokens of both in the chat template.
    pub ids: Vec<u32>,
    /// Of every token after the last position.
    pub logits: Vec<f32>,
}

/// How far an executor is from a case.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Whether the prompt became the same tokens.
    pub same_ids: bool,
    /// The greatest difference of a logit.
    pub of_logits: f32,
}

/// Why a case could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ShippedError {
    /// A picture is no base64.
    #[error(transparent)]
    Base64(#[from] base64::DecodeError),
    /// The model's settings for pictures are not to be understood.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The model has no tokenizer, or no settings for pictures.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The prompt could not be made.
    #[error(transparent)]
    Atman(#[from] AtmanError),
}

/// Runs a case from its files and words on.
///
/// # Errors
/// When the prompt cannot be made, and those of the device.
pub async fn run(
    case: &Case,
    checkpoint: &Checkpoint,
    model: &Model,
    executor: &mut dyn Executor,
) -> Result<Difference, ShippedError> {
    let processor = checkpoint.image_processor().map(|settings| ImageProcessor::read(checkpoint.name(), settings)).transpose()?;
    let mut images = Vec::new();
    for (number, file) in case.images.iter().enumerate() {
        let Some(processor) = &processor else { break };
        images.push(SeenImage::see(&format!("{number}.png"), &STANDARD.decode(file)?, processor, model, executor).await?);
    }
    let prompt = Prompt::chat(&Turn::question(None, &case.text), images.len(), checkpoint)?.with_images(&images)?;
    let prompt = prompt.encode(checkpoint.tokenizer()?)?;
    let input = prompt_input(&prompt, &images, model)?;
    let (position, n_positions) = (input.len().saturating_sub(1), input.len());
    let vocab_size = u32::try_from(model.config().vocab_size).unwrap_or(u32::MAX);
    let wanted = vec![Wanted { position, tokens: (0..vocab_size).collect() }];
    let mut cache = KvCache::new(model, executor, n_positions)?;
    let sequence = Sequence { start: 0, input: Input::Mixed(input), factors: None, wanted };
    let rows = model.extend(executor, sequence, &mut cache, 0).await?;
    let of_logits = rows.last().map_or(f32::INFINITY, |row| greatest(&row.logits, &case.logits));
    Ok(Difference { same_ids: prompt.ids() == case.ids, of_logits })
}
