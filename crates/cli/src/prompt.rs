//! From what the user typed to the text that the model reads.

use crate::args::{PromptArguments, usage_error};
use anyhow::{Context, Result, bail};
use atman::{AtmanError, Text};
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use weights::{Checkpoint, Message, Tokenizer};

/// A text for the model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// The bytes of it that the user wrote; the rest is the chat template's.
    pub(crate) parts: Vec<Range<usize>>,
    /// Whether the tokenizer is to add what the model expects around a text. A chat template has it already.
    pub(crate) add_special: bool,
}

impl Prompt {
    /// As the tokens that the model reads it as.
    pub(crate) fn encode(&self, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        Text::encode(tokenizer, &self.text, self.add_special, &self.parts)
    }
}

/// The prompt from the argument, a file or stdin.
pub(crate) fn read(arguments: &PromptArguments) -> Result<String> {
    if arguments.prompt.is_none() && arguments.prompt_file.is_none() {
        return Err(usage_error("there is no prompt; give one with --prompt TEXT or --prompt-file FILE"));
    }
    let file = match (&arguments.prompt, &arguments.prompt_file) {
        (Some(text), _) if text != "-" => return non_empty(text.clone()),
        (_, Some(file)) => file.as_path(),
        _ => Path::new("-"),
    };
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read the prompt from stdin")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("cannot read the prompt from {}", file.display()))?;
    }
    // What an editor or `echo` ends a file with is not part of the prompt.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    non_empty(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn non_empty(text: String) -> Result<String> {
    if text.is_empty() {
        bail!("the prompt is empty");
    }
    Ok(text)
}

/// The prompt as it is, or within the model's chat template.
pub(crate) fn prepare(text: String, arguments: &PromptArguments, checkpoint: &Checkpoint) -> Result<Prompt> {
    if !arguments.chat {
        return Ok(plain(text));
    }
    chat(&text, arguments.system.as_deref(), checkpoint)
}

/// The prompt as it is.
pub(crate) fn plain(text: String) -> Prompt {
    let whole = 0..text.len();
    Prompt { text, parts: vec![whole], add_special: true }
}

/// The prompt as a user's message within the model's chat template.
pub(crate) fn chat(text: &str, system: Option<&str>, checkpoint: &Checkpoint) -> Result<Prompt> {
    let Some(template) = checkpoint.chat_template() else {
        bail!("{} has no chat template: leave out --chat to have it continue the prompt", checkpoint.name());
    };
    let mut messages: Vec<Message> = system.map(|system| Message::new("system", system)).into_iter().collect();
    messages.push(Message::new("user", text));
    let rendered = template.render(&messages, true)?;
    let parts = written_parts(&rendered, system, text);
    Ok(Prompt { text: rendered, parts, add_special: false })
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
