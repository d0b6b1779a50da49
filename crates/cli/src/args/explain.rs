//! `atman explain`.

use super::values::one_of;
use super::{EngineArguments, IdList, PromptArguments, SettingsArguments};
use clap::Args;
use report::Format;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    #[command(flatten)]
    pub(crate) prompt: PromptArguments,

    /// The prompt as token ids, in place of text: [504, 3575]
    #[arg(long, value_name = "JSON", conflicts_with_all = ["prompt", "prompt_file", "chat", "plain", "system", "messages"])]
    pub(crate) prompt_ids: Option<IdList>,

    /// The answer to explain; without it the model writes one first. In a chat it follows after a space where the template ends
    /// in a word
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) target: Option<String>,

    /// The answer as token ids, in place of text
    #[arg(long, value_name = "JSON", conflicts_with = "target")]
    pub(crate) target_ids: Option<IdList>,

    /// The most tokens of an answer that the model writes
    #[arg(long, short = 'n', value_name = "N", default_value_t = 48)]
    pub(crate) max_tokens: usize,

    /// Why the answer rather than this one? May be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) contrast: Vec<String>,

    /// Explain this part of the answer only
    #[arg(long, value_name = "TEXT")]
    pub(crate) span: Option<String>,

    #[command(flatten)]
    pub(crate) settings: SettingsArguments,

    /// Without it what the ending of --out says, or terminal
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<Format>(Format::ALL))]
    pub(crate) format: Option<Format>,

    /// Write to this file, in place of stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Also tint the first position and the chat template, where models park attention
    #[arg(long)]
    pub(crate) sinks: bool,
}
