//! `atman batch`.

use super::{EngineArguments, SettingsArguments};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct BatchArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    /// JSON Lines, each {"prompt": TEXT} and optionally "id", "chat": true or false, "system", "target", "contrast": [TEXT, ..],
    /// "span", "image": FILE or "images": [FILE, ..] with paths from the folder of this file; "messages": [{"role", "content"}, ..]
    /// in place of "prompt" and "system"; or "prompt_ids" and "target_ids" in place of text. `-` reads them from stdin as they come
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Receives one line for each of --in: {"line", "id", "input_sha256", "made_by", "explanation"}; what is there already is not
    /// done again, and must have been made by the same model, settings, pictures and version. `-` writes each to stdout as soon
    /// as it is there
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// The most tokens of an answer that the model writes, where a line has none
    #[arg(long, short = 'n', value_name = "N", default_value_t = 48)]
    pub(crate) max_tokens: usize,

    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
}
