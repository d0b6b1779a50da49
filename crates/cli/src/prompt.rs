//! From what the user typed to the text that the model reads.

use crate::args::{PromptArguments, usage_error};
use anyhow::{Context, Result, anyhow, bail};
use atman::{AtmanError, Prompt};
use std::io::Read;
use std::path::Path;
use weights::Checkpoint;

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
        return Ok(Prompt::plain(text));
    }
    Prompt::chat(&text, arguments.system.as_deref(), 0, checkpoint).map_err(|error| match error {
        AtmanError::NoChatTemplate { .. } => anyhow!("{error}: leave out --chat to have it continue the prompt"),
        other => other.into(),
    })
}
