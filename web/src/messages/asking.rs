//! Questions to a loaded model.

use atman::{Explanation, Row, Settings, Unit};
use kernels::Operator;
use model::Sampling;
use serde::{Deserialize, Serialize};

/// What the model reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptText {
    /// As the person wrote it.
    pub text: String,
    /// Whether it is a message within the model's chat template, rather than a text to continue.
    pub chat: bool,
    /// The pictures that come with it, by the numbers they were given in [`Request::TakePicture`](super::Request::TakePicture).
    #[serde(default)]
    pub pictures: Vec<u32>,
}

/// What is explained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its text.
    pub text: String,
    /// Its tokens, where the model wrote it just so; another division of the same text has other likelihoods.
    pub ids: Option<Vec<u32>>,
}

/// A question, and how it is to be answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// What the model reads.
    pub prompt: PromptText,
    /// What is explained.
    pub target: Target,
    /// How.
    pub settings: Settings,
    /// Why the target rather than each of these.
    pub alternatives: Vec<String>,
}

/// A text to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generate {
    /// What the model reads.
    pub prompt: PromptText,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The most tokens to write.
    pub max_tokens: usize,
    /// What is suppressed or amplified meanwhile.
    pub steering: Option<Steering>,
}

/// Attention to parts of the prompt is scaled while the model writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steering {
    /// Positions of the prompt with a factor each.
    pub factors: Vec<(usize, f32)>,
    /// How a factor acts.
    pub operator: Operator,
    /// The layers in which it acts, `[first, one past the last]`; all if not given.
    pub layers: Option<[usize; 2]>,
}

/// A text that the model wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// The whole of it, with its tokens.
    pub target: Target,
    /// Why it ends.
    pub end: WritingEnd,
    /// Seconds from the request to the last token.
    pub seconds: f64,
}

/// Why a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WritingEnd {
    /// The model ended it.
    OfText,
    /// It has as many tokens as were asked for.
    TokenLimit,
    /// The model takes no more positions.
    ContextFull,
    /// The person stopped it.
    Stopped,
}

/// What an explanation would take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Why it cannot be explained so, if it cannot.
    pub problem: Option<String>,
    /// See [`Started::is_set_apart`].
    pub is_set_apart: bool,
    /// The units with their neighbours.
    pub units: Vec<Unit>,
    /// What each position's token reads, for naming neighbours.
    pub tokens: Vec<String>,
    /// Rows to compute.
    pub rows: u64,
    /// The most bytes of buffers held at a time, beside the weights.
    pub peak_bytes: u64,
    /// Seconds that it would take at the speed measured last; `None` before anything has run.
    pub seconds: Option<f64>,
}

/// An explanation has begun: its units, and nothing known of them yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The number of the [`Request::Explain`](super::Request::Explain) that began it, for going on and for measuring.
    pub of: u32,
    /// Whether the answer was typed without the space that it comes after in this model's chats, and is explained with one.
    pub is_set_apart: bool,
    /// Without any relevance, or with what was known when it was stopped.
    pub explanation: Box<Explanation>,
    /// Name of the model.
    pub model: String,
}

/// Some units are done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// All units, where there are more than before.
    pub units: Option<Vec<Unit>>,
    /// Units by their numbers, with their relevance for each target token.
    pub rows: Vec<(usize, Row)>,
    /// The noise floor so far.
    pub noise_floor: Option<f32>,
    /// Rows of the model computed so far.
    pub done_rows: u64,
    /// All that are expected.
    pub total_rows: u64,
    /// Seconds left at the speed so far; `None` before there is one.
    pub seconds_left: Option<f64>,
}
