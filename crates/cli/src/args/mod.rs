//! What can be typed.

mod batch;
mod eval;
mod explain;
mod global;
mod shared;
mod values;

pub(crate) use batch::BatchArguments;
pub(crate) use eval::EvalArguments;
pub(crate) use explain::ExplainArguments;
pub(crate) use global::{Color, GlobalArguments};
pub(crate) use shared::{EngineArguments, IdList, PromptArguments, SettingsArguments, ThresholdOrOff};

use crate::region::Region;
use crate::suppress::{LayerRange, Suppress};
use atman::Suppression;
use clap::error::ErrorKind;
use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand};
use gpu::Wish;
use kernels::Operator;
use std::path::PathBuf;
use values::one_of;

const AFTER_HELP: &str = "\
Without --model it is atman-tiny, which is part of this program: questions about short texts and about pictures of shapes.
Any other model is named by
  a name of the catalogue           smollm2-135m-instruct   (`atman models` lists them)
  a repository of the hub           owner/name, owner/name@revision, owner/name:file.gguf
  a file or folder on this machine  ./model.gguf, ~/models/llama

Environment
  ATMAN_MODELS  folder of fetched models, in place of the platform's cache folder
  HF_ENDPOINT   address of the Hugging Face hub or of a mirror
  HF_TOKEN      token for repositories that ask for one
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY  as usual

Exit status
  0  done       1  failed      2  wrong usage      3  batch: some lines were bad      130  stopped by Ctrl-C";

/// Run small language models on this machine, and ask what made them say what they said.
#[derive(Debug, Parser)]
#[command(name = "atman", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Wrong usage that only shows after the arguments were read one by one. `main` shows it as clap shows its own.
pub(crate) fn usage_error(message: impl std::fmt::Display) -> anyhow::Error {
    Arguments::command().error(ErrorKind::ValueValidation, message).into()
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring models to this machine, verified and resumable; prints where they are
    Fetch(FetchArguments),
    /// List the models that have a name here, and those on this machine
    Models(ModelsArguments),
    /// Continue a prompt, or answer it, as the model would; the text goes to stdout as it comes, all else to stderr
    Generate(Box<GenerateArguments>),
    /// Explain why the model answers a prompt as it does: how much each part of the prompt supports each token of the answer
    Explain(Box<ExplainArguments>),
    /// Explain many prompts, one a line of a JSON Lines file; taken up where it stopped when it is started again
    Batch(Box<BatchArguments>),
    /// Measure how well explanations find the answers to questions about a text, or what questions about a picture are about,
    /// for several settings and beside simpler methods
    Eval(Box<EvalArguments>),
    /// Examine this machine: what it can compute on, what would be taken and why, and whether its numbers are right
    Doctor(DoctorArguments),
    /// Print what a shell needs to complete this command's words: `atman completions bash > ~/.local/share/bash-completion/completions/atman`
    Completions(CompletionsArguments),
    /// Print this command's manual page, or write one for each of its commands: `atman man | man -l -`
    Man(ManArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ModelsArguments {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArguments {
    /// Write the pages into this folder, atman.1 and one for each command
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct FetchArguments {
    /// Models: names of the catalogue, or repositories of the hub
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("steering").args(["suppress", "region"]).multiple(true)))]
pub(crate) struct GenerateArguments {
    /// The model; one that is not on this machine is fetched first [default: atman-tiny, which is built in]
    #[arg(long, short, value_name = "MODEL")]
    pub(crate) model: Option<String>,

    #[command(flatten)]
    pub(crate) prompt: PromptArguments,

    /// The most tokens to write
    #[arg(long, short = 'n', value_name = "N", default_value_t = 256)]
    pub(crate) max_tokens: usize,

    /// Randomness: 0 always takes the likeliest token, 1 follows the model's probabilities
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub(crate) temperature: f32,

    /// With a temperature: choose among the K likeliest tokens, 1 to 256
    #[arg(long, value_name = "K", default_value_t = 40)]
    pub(crate) top_k: usize,

    /// With a temperature: choose among the likeliest tokens that together have probability P
    #[arg(long, value_name = "P", default_value_t = 1.0)]
    pub(crate) top_p: f32,

    /// With a temperature: the same seed gives the same text
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Damp the attention paid to every occurrence of a text in the prompt: 0 damps most, 1 leaves it, more amplifies it; without a
    /// factor as much as `explain` damps
    #[arg(long, value_name = "TEXT[=F]")]
    pub(crate) suppress: Vec<Suppress>,

    /// Damp or amplify a region of a picture alike, in pixels from its upper left corner; without a factor as much as `explain`
    /// damps. With several pictures 2:X,Y,W,H=F for the second
    #[arg(long, value_name = "X,Y,W,H[=F]", requires = "image")]
    pub(crate) region: Vec<Region>,

    /// How a factor acts on attention scores, as `explain` does unless given; with log-additive 0 removes
    #[arg(
        long,
        value_name = "NAME",
        default_value_t = Suppression::default().operator,
        value_parser = one_of::<Operator>(Operator::ALL.into_iter().filter(|operator| *operator != Operator::ShiftedFull)),
        requires = "steering"
    )]
    pub(crate) operator: Operator,

    /// Layers in which to suppress, the first is 0, the end is not included; all without this
    #[arg(long, value_name = "A..B", requires = "steering")]
    pub(crate) layers: Option<LayerRange>,

    /// What to compute on. `atman doctor` says what auto takes, and why
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = one_of::<Wish>(Wish::NAMES))]
    pub(crate) device: Wish,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// How long a graphics driver may take to answer, in seconds; one that hangs is given up on then
    #[arg(long, value_name = "S", default_value_t = 60)]
    pub(crate) driver_timeout: u64,

    /// The one part of the examination that a process of its own does, for `doctor` itself
    #[arg(long, hide = true)]
    pub(crate) part: Option<crate::doctor::Part>,
}
