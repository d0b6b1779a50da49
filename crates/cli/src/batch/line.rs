//! A line of the input, and what it asks for.

use crate::args::BatchArguments;
use crate::engine::Opened;
use crate::explain::{Asked, Request};
use crate::pictures::{self, Picture};
use crate::prompt::{self, Wording};
use anyhow::Result;
use atman::{Text, Turn};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A line of the input.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    #[serde(default)]
    pub(super) id: Value,
    prompt: Option<String>,
    prompt_ids: Option<Vec<u32>>,
    messages: Option<Vec<Turn>>,
    chat: Option<bool>,
    system: Option<String>,
    target: Option<String>,
    target_ids: Option<Vec<u32>>,
    #[serde(default)]
    contrast: Vec<String>,
    span: Option<String>,
    image: Option<PathBuf>,
    images: Option<Vec<PathBuf>>,
}

/// What is wrong with a line, as opposed to with the machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadLine(String);

impl Line {
    /// From JSON.
    pub(super) fn read(text: &str) -> Result<Self, BadLine> {
        serde_json::from_str(text).map_err(|error| BadLine(error.to_string()))
    }

    /// The pictures that it names, which lie in `folder`.
    pub(super) fn pictures(&self, folder: &Path) -> Result<Vec<Picture>, BadLine> {
        let paths: Vec<&PathBuf> = match (&self.image, &self.images) {
            (None, paths) => paths.iter().flatten().collect(),
            (Some(path), None) => vec![path],
            (Some(_), Some(_)) => return Err(BadLine("expected at most one of \"image\" and \"images\"".to_owned())),
        };
        let read = paths.into_iter().map(|path| Picture::read(&folder.join(path)));
        read.collect::<Result<_>>().map_err(|error| BadLine(format!("{error:#}")))
    }

    /// Whether its prompt goes into the chat template.
    pub(super) fn is_chat(&self, n_pictures: usize, opened: &Opened) -> bool {
        self.messages.is_some() || prompt::is_chat(self.chat, n_pictures, opened)
    }

    /// Whether it says what to explain; else the model writes an answer.
    pub(super) fn has_target(&self) -> bool {
        self.target.is_some() || self.target_ids.is_some()
    }

    /// What the line asks for. Pictures lie in `folder`.
    pub(super) fn request(self, arguments: &BatchArguments, opened: &Opened, folder: &Path) -> Result<Request> {
        let tokenizer = opened.checkpoint.tokenizer()?;
        let bad = |what: &str| BadLine(what.to_owned());
        let bad_line = |error: anyhow::Error| BadLine(format!("{error:#}"));
        let pictures = self.pictures(folder)?;
        if !pictures.is_empty() {
            pictures::check(opened, "\"image\"").map_err(bad_line)?;
        }
        let is_chat = self.is_chat(pictures.len(), opened);
        let wording = match (self.prompt, self.messages) {
            (Some(text), None) => Some(Wording::Text(text)),
            (None, Some(turns)) => Some(Wording::Turns(turns)),
            (None, None) => None,
            _ => return Err(bad("expected either \"prompt\" or \"messages\"").into()),
        };
        let is_conversation = matches!(wording, Some(Wording::Turns(_)));
        if is_conversation && (self.chat == Some(false) || self.system.is_some()) {
            let reason =
                "\"messages\" go into the chat template with their own system message; leave out \"chat\" and \"system\"";
            return Err(bad(reason).into());
        }
        let prompt = match (wording, self.prompt_ids) {
            (Some(wording), None) => {
                if self.system.is_some() && !is_chat {
                    return Err(bad("\"system\" needs \"chat\": true").into());
                }
                let put = prompt::put(&wording, self.system.as_deref(), is_chat, pictures.len(), opened);
                Asked::Written(put.map_err(|error| bad_line(error.into()))?)
            }
            (None, Some(ids)) if self.chat != Some(true) => Asked::Tokens(Text::from_ids(tokenizer, &ids)),
            (None, Some(_)) => return Err(bad("\"prompt_ids\" cannot be put into a chat template; leave out \"chat\"").into()),
            _ => return Err(bad("expected either \"prompt\", \"messages\" or \"prompt_ids\"").into()),
        };
        let target = match (self.target, self.target_ids) {
            (Some(text), None) => Some(prompt.answer(&text, tokenizer)?),
            (None, Some(ids)) => Some(Text::from_ids(tokenizer, &ids)),
            (None, None) => None,
            _ => return Err(bad("expected at most one of \"target\" and \"target_ids\"").into()),
        };
        let contrasts = self.contrast.iter().map(|text| prompt.answer(text, tokenizer)).collect::<Result<_, _>>()?;
        let settings = arguments.settings.settings(opened.config.n_layers, pictures.len())?;
        Ok(Request {
            prompt,
            pictures,
            target,
            max_tokens: arguments.max_tokens,
            contrasts,
            span: self.span,
            settings,
            budget: arguments.engine.budget(),
        })
    }
}
