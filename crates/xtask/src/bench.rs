//! How fast the engine runs here, beside PyTorch where that is wanted.

use crate::setup::model_file;
use crate::{places, process};
use anyhow::Result;
use std::path::PathBuf;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Time the same pass in PyTorch too, in turn with ours, with this Python (one that has PyTorch)
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, default_missing_value = "python3")]
    against_pytorch: Option<PathBuf>,
    /// Which executors
    #[arg(long, value_delimiter = ',', default_value = "cpu,gpu")]
    devices: Vec<String>,
    /// Row counts: 1 is a step of decoding behind 128 cached positions, more are a prefill
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,128")]
    rows: Vec<usize>,
    /// Timed passes of each kind
    #[arg(long, default_value_t = 7)]
    repeats: usize,
}

/// Fetches the model unless it is there, builds the measurement with optimisation, and runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let model = model_file()?;
    let mut cargo = process::cargo();
    cargo.current_dir(places::root()?).args(["bench", "--locked", "--package", "atman-tests", "--bench", "forward", "--"]);
    cargo.arg("--model").arg(model);
    cargo.args(["--devices", &options.devices.join(",")]);
    cargo.args(["--rows", &options.rows.iter().map(usize::to_string).collect::<Vec<_>>().join(",")]);
    cargo.args(["--repeats", &options.repeats.to_string()]);
    if let Some(python) = &options.against_pytorch {
        cargo.arg("--against-pytorch").arg(python);
    }
    process::run(&mut cargo)
}
