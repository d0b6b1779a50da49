//! An answer from a table of questions, as the model itself would write it.

use anyhow::Result;
use atman::Text;
use weights::Tokenizer;

/// The answer as a text that follows the prompt: after a space where [`Text::wants_space`] holds, and else after none.
pub(crate) fn following(tokenizer: &Tokenizer, prompt: &Text, answer: &str) -> Result<Text> {
    let space = if prompt.wants_space() { " " } else { "" };
    Ok(Text::following(tokenizer, &format!("{space}{}", answer.trim()))?)
}
