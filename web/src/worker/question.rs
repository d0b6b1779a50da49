//! From what the person wrote to what the model reads.

use super::engine::Loaded;
use super::pictures::Pictures;
use crate::messages::{Ask, PromptText, Target};
use anyhow::Result;
use atman::{AtmanError, Frame, Prompt, Question, SeenImage, Text, Turn, is_only_markers};
use kernels::Executor;

/// A prompt as the model reads it, with its pictures.
pub(super) struct Asked {
    pub(super) text: Text,
    pub(super) images: Vec<SeenImage>,
    /// What it was made of.
    pub(super) frame: Frame,
}

/// Puts the prompt into the chat template, if it is to be there, and its pictures into it.
pub(super) async fn prompt(
    written: &PromptText,
    loaded: &Loaded,
    pictures: &mut Pictures,
    executor: &mut dyn Executor,
) -> Result<Asked> {
    let checkpoint = &loaded.opened.checkpoint;
    let images = pictures.see(&written.pictures, loaded, executor).await?;
    if images.is_empty() && loaded.model.config().vision.is_some() && is_only_markers(&written.text) {
        return Err(AtmanError::Places { places: written.text.matches(images::IMAGE).count(), images: 0 }.into());
    }
    let prompt = match written.chat {
        true => Prompt::chat(&Turn::question(None, &written.text), images.len(), checkpoint)?,
        false => Prompt::plain(written.text.clone()),
    };
    let prompt = prompt.with_images(&images)?;
    Ok(Asked { text: prompt.encode(checkpoint.tokenizer()?)?, images, frame: prompt.frame })
}

/// A question, the alternatives to its target, and whether its answer was set apart from the prompt by a space.
pub(super) struct Understood {
    pub(super) question: Question,
    pub(super) alternatives: Vec<Text>,
    pub(super) is_set_apart: bool,
}

/// The question and the alternatives to its target. What the model wrote is taken as its tokens, what a person typed as
/// [`Text::typed_answer`] has it.
pub(super) async fn question(
    ask: &Ask,
    loaded: &Loaded,
    pictures: &mut Pictures,
    executor: &mut dyn Executor,
) -> Result<Understood> {
    let tokenizer = loaded.opened.checkpoint.tokenizer()?;
    let Asked { text: prompt, images, frame } = prompt(&ask.prompt, loaded, pictures, executor).await?;
    let Target { text, ids } = &ask.target;
    let is_set_apart = ids.is_none() && prompt.sets_apart(ask.prompt.chat, text);
    let target = match ids {
        Some(ids) => Text::from_ids(tokenizer, ids),
        None => prompt.typed_answer(ask.prompt.chat, text, tokenizer)?,
    };
    let alternatives = ask.alternatives.iter().map(|text| prompt.typed_answer(ask.prompt.chat, text, tokenizer));
    let alternatives = alternatives.collect::<Result<_, _>>()?;
    let question = Question::new(prompt, target, images, loaded.model.config())?.within(frame);
    Ok(Understood { question, alternatives, is_set_apart })
}
