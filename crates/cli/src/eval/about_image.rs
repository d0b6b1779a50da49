//! Questions about a picture, each with a mask that shows what in the picture it is about.

use super::mask::Mask;
use crate::answer::following;
use crate::engine::{Engine, Opened};
use crate::fetch::sha256_of;
use anyhow::{Context, Result, anyhow, bail};
use atman::{Prompt, Question, SeenImage, Turn};
use images::{ImageProcessor, Picture};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What a line of the data says.
#[derive(Debug, Deserialize)]
struct Line {
    image: String,
    question: String,
    answer: String,
    mask: String,
}

/// A question about a picture whose files have been looked at. They are read again when its turn comes: many pictures are
/// larger than what there is of memory.
#[derive(Debug)]
pub(crate) struct AboutImage {
    image: PathBuf,
    mask: PathBuf,
    prompt: Prompt,
    answer: String,
    pub(crate) width_px: usize,
    pub(crate) height_px: usize,
    pub(crate) mask_pixels: usize,
}

/// A question about a picture that the model has seen.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) picture: Picture,
    pub(crate) mask: Mask,
    pub(crate) processor: ImageProcessor,
}

impl AboutImage {
    /// Reads a line of a file in that folder, and the SHA-256 of its picture and of its mask.
    pub(crate) fn read(line: &str, folder: &Path, opened: &Opened) -> Result<(Self, Vec<String>)> {
        let Line { image, question, answer, mask } = serde_json::from_str(line)?;
        if answer.trim().is_empty() {
            bail!("the answer is empty; give the one to be explained");
        }
        let (image, mask) = (folder.join(image), folder.join(mask));
        let image_bytes = bytes(&image)?;
        let picture = decoded(&image, &image_bytes)?;
        let mask_bytes = bytes(&mask)?;
        let of_mask = mask_for(&mask, &mask_bytes, &picture)?;
        // The chat prompt where the model has one; else a text that a model continues with an answer.
        let prompt = match opened.checkpoint.chat_template() {
            Some(_) => Prompt::chat(&Turn::question(None, &question), 1, &opened.checkpoint)?,
            None => Prompt::plain(format!("Question: {question}\nAnswer:")),
        };
        let contents = vec![sha256_of(&image_bytes), sha256_of(&mask_bytes)];
        let (width_px, height_px, mask_pixels) = (picture.width(), picture.height(), of_mask.n_white());
        Ok((Self { image, mask, prompt, answer, width_px, height_px, mask_pixels }, contents))
    }

    /// The answer, without space around it.
    pub(crate) fn answer(&self) -> &str {
        self.answer.trim()
    }

    /// Has the model look at the picture, and reads mask and question.
    pub(crate) async fn ask(&self, processor: &ImageProcessor, engine: &mut Engine<'_>) -> Result<Asked> {
        let image_bytes = bytes(&self.image)?;
        let picture = decoded(&self.image, &image_bytes)?;
        let mask = mask_for(&self.mask, &bytes(&self.mask)?, &picture)?;
        let name = self.image.file_name().unwrap_or_default().to_string_lossy();
        let seen = SeenImage::see(&name, &image_bytes, processor, &engine.model, engine.executor.as_mut()).await?;
        let seen = vec![seen];
        let tokenizer = engine.opened.checkpoint.tokenizer()?;
        let text = self.prompt.clone().with_images(&seen)?.encode(tokenizer)?;
        let target = following(tokenizer, &text, &self.answer)?;
        let question = Question::new(text, target, seen, &engine.opened.config)?;
        Ok(Asked { question, picture, mask, processor: processor.clone() })
    }
}

/// How the model wants its pictures.
pub(crate) fn processor(opened: &Opened) -> Result<ImageProcessor> {
    let (checkpoint, name) = (&opened.checkpoint, opened.checkpoint.name());
    let settings = checkpoint.image_processor().filter(|_| opened.config.vision.is_some());
    let settings = settings.ok_or_else(|| {
        anyhow!("{name} sees no pictures, and the data ask about some; take a model that does, such as atman-tiny")
    })?;
    Ok(ImageProcessor::read(name, settings)?)
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}; paths count from the folder of the data", path.display()))
}

fn decoded(path: &Path, bytes: &[u8]) -> Result<Picture> {
    let told = || format!("{} cannot be used; give a PNG, JPEG or WebP picture", path.display());
    images::decode(bytes).with_context(told)
}

fn mask_for(path: &Path, bytes: &[u8], picture: &Picture) -> Result<Mask> {
    let mask = decoded(path, bytes)?;
    Mask::new(&mask, picture.width(), picture.height()).with_context(|| format!("{} is no mask", path.display()))
}
