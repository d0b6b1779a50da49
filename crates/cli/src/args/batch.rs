//! `atman batch`.

use super::SettingsArguments;
use clap::Args;
use gpu::Wish;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct BatchArguments {
    /// The model; one that is not on this machine is fetched first
    #[arg(long, short, value_name = "MODEL")]
    pub(crate) model: String,

    /// JSON Lines, each {"prompt": TEXT} and optionally "id", "chat", "system", "target", "contrast": [TEXT, ..], "span",
    /// or "prompt_ids" and "target_ids" in place of text
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Receives one line for each of --in: {"line", "id", "input_sha256", "explanation"}; what is there already is not done again
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// The most tokens of an answer that the model writes, where a line has none
    #[arg(long, short = 'n', value_name = "N", default_value_t = 48)]
    pub(crate) max_tokens: usize,

    #[command(flatten)]
    pub(crate) settings: SettingsArguments,

    /// What to compute on: auto, cpu or gpu
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: Wish,

    /// Memory for computing, beside the weights; where it is less than one unit takes, units run one at a time
    #[arg(long, value_name = "N")]
    pub(crate) memory_mib: Option<u64>,
}
