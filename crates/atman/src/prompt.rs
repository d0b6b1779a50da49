//! From what a person wrote to the text that the model reads.

use crate::{AtmanError, Text};
use std::ops::Range;
use weights::{Checkpoint, Message, Tokenizer};

/// A text for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// All that the model reads.
    pub text: String,
    /// The bytes of it that the person wrote; the rest is the chat template's.
    pub parts: Vec<Range<usize>>,
    /// Whether the tokenizer is to add what the model expects around a text. A chat template has it already.
    pub add_special: bool,
}

impl Prompt {
    /// The text as it is, for the model to continue.
    pub fn plain(text: String) -> Prompt {
        let whole = 0..text.len();
        Prompt { text, parts: vec![whole], add_special: true }
    }

    /// The text as a user's message within the model's chat template, after a system message if there is one.
    ///
    /// # Errors
    /// [`AtmanError::NoChatTemplate`], and when the template fails on these messages.
    pub fn chat(text: &str, system: Option<&str>, checkpoint: &Checkpoint) -> Result<Prompt, AtmanError> {
        let Some(template) = checkpoint.chat_template() else {
            return Err(AtmanError::NoChatTemplate { model: checkpoint.name().to_owned() });
        };
        let mut messages: Vec<Message> = system.map(|system| Message::new("system", system)).into_iter().collect();
        messages.push(Message::new("user", text));
        let rendered = template.render(&messages, true)?;
        let parts = written_parts(&rendered, system, text);
        Ok(Prompt { text: rendered, parts, add_special: false })
    }

    /// As the tokens that the model reads it as.
    ///
    /// # Errors
    /// When the tokenizer fails on this text.
    pub fn encode(&self, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        Text::encode(tokenizer, &self.text, self.add_special, &self.parts)
    }
}

/// Where the user's messages stand in the rendered text: the system message first, the prompt last. Templates may trim
/// messages; one that changed them more leaves the whole text to be searched.
fn written_parts(rendered: &str, system: Option<&str>, prompt: &str) -> Vec<Range<usize>> {
    let range = |start: usize, part: &str| start..start + part.len();
    let prompt = prompt.trim();
    let Some(at) = rendered.rfind(prompt).map(|start| range(start, prompt)) else {
        return std::iter::once(0..rendered.len()).collect();
    };
    let before = rendered.get(..at.start).unwrap_or_default();
    let system = system.map(str::trim).filter(|system| !system.is_empty());
    let system = system.and_then(|system| before.rfind(system).map(|start| range(start, system)));
    system.into_iter().chain([at]).collect()
}

#[cfg(test)]
mod tests {
    use super::written_parts;

    #[test]
    fn the_users_words_are_told_from_the_templates() {
        let rendered = "<s>system\nBe user kind</s><s>user\nWho is the user?</s><s>assistant\n";
        let parts = |system, prompt| -> Vec<&str> {
            written_parts(rendered, system, prompt).into_iter().map(|range| &rendered[range]).collect()
        };
        assert_eq!(parts(Some("Be user kind "), "Who is the user?\n"), ["Be user kind", "Who is the user?"]);
        assert_eq!(parts(None, "Who is the user?"), ["Who is the user?"]);
        assert_eq!(parts(None, "changed beyond recognition"), [rendered]);
    }
}
