//! From what the user typed to the text that the model reads.

use crate::args::{PromptArguments, usage_error};
use crate::engine::Opened;
use crate::text_file;
use anyhow::{Context, Result, anyhow, bail};
use atman::{AtmanError, Prompt, Turn, is_only_markers};
use std::path::Path;

/// What the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wording {
    /// One text.
    Text(String),
    /// A conversation.
    Turns(Vec<Turn>),
}

/// The conversation from a file, or the prompt from the argument, a file or stdin.
pub(crate) fn read(arguments: &PromptArguments) -> Result<Wording> {
    if let Some(file) = &arguments.messages {
        return turns(file).map(Wording::Turns);
    }
    text(arguments).map(Wording::Text)
}

fn turns(file: &Path) -> Result<Vec<Turn>> {
    let told = || format!("cannot read the conversation from {}", file.display());
    let json = if file == Path::new("-") { text_file::read_stdin() } else { text_file::read(file) }.with_context(told)?;
    serde_json::from_str(&json).with_context(|| {
        format!(
            "{} is no conversation; expected [{{\"role\": \"user\", \"content\": \"..\"}}, ..] with the roles system, user, \
             assistant and tool",
            file.display()
        )
    })
}

fn text(arguments: &PromptArguments) -> Result<String> {
    if arguments.prompt.is_none() && arguments.prompt_file.is_none() {
        return Err(usage_error(
            "there is no prompt; give one with --prompt TEXT or --prompt-file FILE, or a conversation with --messages FILE",
        ));
    }
    let file = match (&arguments.prompt, &arguments.prompt_file) {
        (Some(text), _) if text != "-" => return non_empty(text.clone()),
        (_, Some(file)) => file.as_path(),
        _ => Path::new("-"),
    };
    let text = if file == Path::new("-") {
        text_file::read_stdin().context("cannot read the prompt from stdin")?
    } else {
        text_file::read(file).with_context(|| format!("cannot read the prompt from {}", file.display()))?
    };
    // What an editor or `echo` ends a file with is not part of the prompt.
    non_empty(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn non_empty(text: String) -> Result<String> {
    if text.is_empty() {
        bail!("the prompt is empty");
    }
    Ok(text)
}

/// Whether the prompt goes into the chat template: as the user says, or else where the model is best asked so, and where
/// there are pictures, whose places the template knows.
pub(crate) fn is_chat(said: Option<bool>, n_images: usize, opened: &Opened) -> bool {
    let has_template = || opened.checkpoint.chat_template().is_some_and(|template| template.refused().is_none());
    said.unwrap_or_else(|| opened.prefers_chat() || n_images > 0 && has_template())
}

/// The wording as it is, or within the model's chat template. Pictures come before it, or where its own markers `<image>` are.
pub(crate) fn put(
    wording: &Wording,
    system: Option<&str>,
    is_chat: bool,
    n_images: usize,
    opened: &Opened,
) -> Result<Prompt, AtmanError> {
    let last = match wording {
        Wording::Text(text) => text,
        Wording::Turns(turns) => turns.last().map_or("", |turn| turn.content.as_str()),
    };
    // Without pictures it is a word, unless it is all there is; with some it says where each of them goes.
    let places = last.matches(images::IMAGE).count();
    let is_wrong = if n_images == 0 { is_only_markers(last) } else { places > 0 && places != n_images };
    if opened.config.vision.is_some() && is_wrong {
        return Err(AtmanError::Places { places, images: n_images });
    }
    match wording {
        Wording::Text(text) if is_chat => Prompt::chat(&Turn::question(system, text), n_images, &opened.checkpoint),
        Wording::Text(text) => Ok(Prompt::plain(text.clone())),
        Wording::Turns(turns) => Prompt::chat(turns, n_images, &opened.checkpoint),
    }
}

/// What was typed as the model is to read it, but for its pictures.
pub(crate) fn prepare(wording: &Wording, arguments: &PromptArguments, opened: &Opened) -> Result<Prompt> {
    let n_images = arguments.image.len();
    let is_chat = is_chat(arguments.chat(), n_images, opened);
    if arguments.system.is_some() && !is_chat {
        return Err(usage_error("--system needs --chat: without the chat template there is no place for it"));
    }
    put(wording, arguments.system.as_deref(), is_chat, n_images, opened).map_err(|error| match error {
        AtmanError::NoChatTemplate { .. } if arguments.messages.is_some() => {
            anyhow!("{error}, and --messages needs one: give --prompt to have it continue a text")
        }
        AtmanError::NoChatTemplate { .. } => anyhow!("{error}: leave out --chat to have it continue the prompt"),
        other => other.into(),
    })
}
