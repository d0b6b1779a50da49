//! From what the person wrote to what the model reads.

use super::engine::Loaded;
use super::pictures::Pictures;
use crate::messages::{Ask, PromptText, Target};
use anyhow::Result;
use atman::{Prompt, Question, SeenImage, Text};
use kernels::Executor;

/// A prompt as the model reads it, with its pictures.
pub(super) async fn prompt(
    written: &PromptText,
    loaded: &Loaded,
    pictures: &mut Pictures,
    executor: &mut dyn Executor,
) -> Result<(Text, Vec<SeenImage>)> {
    let checkpoint = &loaded.opened.checkpoint;
    let seen = pictures.see(&written.pictures, loaded, executor).await?;
    let prompt = match written.chat {
        true => Prompt::chat(&written.text, None, seen.len(), checkpoint)?,
        false => Prompt::plain(written.text.clone()),
    };
    Ok((prompt.with_images(&seen)?.encode(checkpoint.tokenizer()?)?, seen))
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
    let (prompt, seen) = prompt(&ask.prompt, loaded, pictures, executor).await?;
    let Target { text, ids } = &ask.target;
    let is_set_apart = ids.is_none() && prompt.sets_apart(ask.prompt.chat, text);
    let target = match ids {
        Some(ids) => Text::from_ids(tokenizer, ids),
        None => prompt.typed_answer(ask.prompt.chat, text, tokenizer)?,
    };
    let alternatives = ask.alternatives.iter().map(|text| prompt.typed_answer(ask.prompt.chat, text, tokenizer));
    let alternatives = alternatives.collect::<Result<_, _>>()?;
    let question = Question::new(prompt, target, seen, loaded.model.config())?;
    Ok(Understood { question, alternatives, is_set_apart })
}
