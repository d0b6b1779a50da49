//! What can be typed.

use clap::{Args, Parser, Subcommand};

const AFTER_HELP: &str = "\
A model is named by
  a name of the catalogue           smollm2-135m-instruct   (`atman models` lists them)
  a repository of the hub           owner/name, owner/name@revision, owner/name:file.gguf
  a file or folder on this machine  ./model.gguf, ~/models/llama

Environment
  ATMAN_MODELS  folder of fetched models, in place of the platform's cache folder
  HF_ENDPOINT   address of the Hugging Face hub or of a mirror
  HF_TOKEN      token for repositories that ask for one
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY  as usual

Exit status
  0  done       1  failed      2  wrong usage      130  stopped by Ctrl-C";

/// Run small language models on this machine, and ask what made them say what they said.
#[derive(Debug, Parser)]
#[command(name = "atman", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring models to this machine, verified and resumable; prints where they are
    Fetch(FetchArguments),
    /// List the models that can be fetched by name, and those on this machine
    Models,
}

#[derive(Args, Debug)]
pub(crate) struct FetchArguments {
    /// Models: names of the catalogue, or repositories of the hub
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,
}
