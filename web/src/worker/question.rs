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

/// What is to be explained.
fn target(target: &Target, loaded: &Loaded) -> Result<Text> {
    let tokenizer = loaded.opened.checkpoint.tokenizer()?;
    Ok(match &target.ids {
        Some(ids) => Text::from_ids(tokenizer, ids),
        None => Text::following(tokenizer, &target.text)?,
    })
}

/// The question and the alternatives to its target.
pub(super) async fn question(
    ask: &Ask,
    loaded: &Loaded,
    pictures: &mut Pictures,
    executor: &mut dyn Executor,
) -> Result<(Question, Vec<Text>)> {
    let tokenizer = loaded.opened.checkpoint.tokenizer()?;
    let (prompt, seen) = prompt(&ask.prompt, loaded, pictures, executor).await?;
    let question = Question::new(prompt, target(&ask.target, loaded)?, seen, loaded.model.config())?;
    let alternatives = ask.alternatives.iter().map(|text| Text::following(tokenizer, text)).collect::<Result<_, _>>()?;
    Ok((question, alternatives))
}
