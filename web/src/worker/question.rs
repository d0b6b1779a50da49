//! From what the person wrote to what the model reads.

use super::engine::Loaded;
use crate::messages::{Ask, PromptText, Target};
use anyhow::Result;
use atman::{Prompt, Question, Text};

/// A prompt as the model reads it.
pub(super) fn prompt(written: &PromptText, loaded: &Loaded) -> Result<Text> {
    let checkpoint = &loaded.opened.checkpoint;
    let prompt = match written.chat {
        true => Prompt::chat(&written.text, None, 0, checkpoint)?,
        false => Prompt::plain(written.text.clone()),
    };
    Ok(prompt.encode(checkpoint.tokenizer()?)?)
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
pub(super) fn question(ask: &Ask, loaded: &Loaded) -> Result<(Question, Vec<Text>)> {
    let tokenizer = loaded.opened.checkpoint.tokenizer()?;
    let question = Question::new(prompt(&ask.prompt, loaded)?, target(&ask.target, loaded)?, Vec::new(), loaded.model.config())?;
    let alternatives = ask.alternatives.iter().map(|text| Text::following(tokenizer, text)).collect::<Result<_, _>>()?;
    Ok((question, alternatives))
}
