//! What makes the explanations of lines, beside the lines themselves.

use super::line::Line;
use crate::args::BatchArguments;
use crate::engine::Opened;
use crate::made_by::MadeBy;
use crate::pictures::Picture;
use anyhow::Result;
use serde_json::Value;
use std::path::PathBuf;

/// A model and what was said on the command line.
pub(super) struct Maker<'a> {
    arguments: &'a BatchArguments,
    opened: &'a Opened,
    model_sha256: String,
    /// Where the pictures that lines name lie.
    folder: PathBuf,
}

impl<'a> Maker<'a> {
    pub(super) fn new(arguments: &'a BatchArguments, opened: &'a Opened, folder: PathBuf) -> Result<Self> {
        Ok(Self { arguments, opened, model_sha256: opened.sha256()?, folder })
    }

    /// What makes a line's explanation now. Reads its pictures.
    pub(super) fn made_by(&self, line: &Line) -> Result<MadeBy> {
        let pictures = line.pictures(&self.folder)?;
        let settings = self.arguments.settings.settings(self.opened.config.n_layers, pictures.len())?;
        // Through text, which has the shortest decimals that give the same numbers.
        let mut settings: Value = serde_json::from_str(&serde_json::to_string(&settings)?)?;
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("chat".to_owned(), line.is_chat(pictures.len(), self.opened).into());
            let max_tokens = (!line.has_target()).then_some(self.arguments.max_tokens);
            settings.insert("max_tokens".to_owned(), max_tokens.into());
        }
        Ok(MadeBy::now(self.model_sha256.clone(), settings, pictures.iter().map(Picture::sha256).collect()))
    }
}
