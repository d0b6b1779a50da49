//! `atman eval`.

use super::values::{one_of, one_of_or};
use super::{EngineArguments, ThresholdOrOff};
use clap::Args;
use kernels::Operator;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct EvalArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    /// JSON Lines, each {"context", "question", "answer", "answer_start"}, answer_start counting characters; or each
    /// {"image", "question", "answer", "mask"} with PNG, JPEG or WebP files beside the data
    ///
    /// Either may have an "id". A mask is white (128 and more of 255) where the question is about what is there, and black
    /// elsewhere; it is scaled to the picture. The question is asked in the model's chat template, a picture before it. The
    /// answer follows after a space, as a word follows another, unless the template ends in white space or in a control token
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,

    /// Only questions that the model answers rightly itself, always taking the likeliest token: about a picture just as the data do,
    /// about a text in words among which the answer's are, case, punctuation and articles aside
    #[arg(long)]
    pub(crate) only_right: bool,

    /// The method that the others are compared with, as the table names it, such as "leave-one-out" [default: the first]
    #[arg(long, value_name = "METHOD")]
    pub(crate) against: Option<String>,

    /// Operators to compare
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_values_t = Operator::ALL,
        value_parser = one_of::<Operator>(Operator::ALL)
    )]
    pub(crate) operators: Vec<Operator>,

    /// Factors to compare
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_value = "0,0.1,0.5")]
    pub(crate) factors: Vec<f32>,

    /// Thresholds for neighbours to compare; off is without neighbours
    #[arg(
        long,
        value_name = "CS",
        value_delimiter = ',',
        default_value = "off,0.7",
        value_parser = one_of_or::<ThresholdOrOff>(["off", "0.7", "q0.99"])
    )]
    pub(crate) thresholds: Vec<ThresholdOrOff>,

    /// Only the first N examples, of those that are not too long
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Leave out questions about texts that have more tokens
    #[arg(long, value_name = "N")]
    pub(crate) max_context_tokens: Option<usize>,

    /// Folder for results: results.jsonl, from which an evaluation is taken up again, summary.md, .csv and .json, and examples.csv
    #[arg(long, value_name = "FOLDER", default_value = "atman-eval")]
    pub(crate) out: PathBuf,
}
