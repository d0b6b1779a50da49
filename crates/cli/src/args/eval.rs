//! `atman eval`.

use super::EngineArguments;
use atman::Threshold;
use clap::Args;
use kernels::Operator;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Args, Debug)]
pub(crate) struct EvalArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    /// JSON Lines, each {"context", "question", "answer", "answer_start"} and optionally "id"; answer_start counts characters
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,

    /// Operators to compare
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "log-additive,multiplicative,shifted,shifted-full")]
    pub(crate) operators: Vec<Operator>,

    /// Factors to compare
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_value = "0,0.1,0.5")]
    pub(crate) factors: Vec<f32>,

    /// Thresholds for neighbours to compare; off is without neighbours
    #[arg(long, value_name = "CS", value_delimiter = ',', default_value = "off,0.7")]
    pub(crate) thresholds: Vec<ThresholdOrOff>,

    /// Only the first N examples that are not too long
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Leave out examples whose context has more tokens
    #[arg(long, value_name = "N")]
    pub(crate) max_context_tokens: Option<usize>,

    /// Folder for results: results.jsonl, from which an evaluation is taken up again, summary.md, summary.csv and examples.csv
    #[arg(long, value_name = "FOLDER", default_value = "atman-eval")]
    pub(crate) out: PathBuf,
}

/// A threshold, or `off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ThresholdOrOff(pub(crate) Option<Threshold>);

impl FromStr for ThresholdOrOff {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "off" => Ok(Self(None)),
            _ => given.parse().map(|threshold| Self(Some(threshold))),
        }
    }
}
