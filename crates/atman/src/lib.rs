//! AtMan: which parts of a prompt made a language model say what it said (Deiseroth et al. 2023, arXiv 2301.08110).
//!
//! Attention to one [`Unit`] of the input is damped in every layer, the model runs again, and the change of each target
//! token's likelihood is that unit's relevance. An [`Explainer`] does so for all units of a [`Question`], in chunks of
//! [`Runs`] that share the baseline's keys and values, and hands out an [`Explanation`] at any time. A [`SeenImage`] is a
//! picture of the prompt; its positions are suppressed like those of words.
//!
//! There is no I/O here, and no device: a model runs on whatever [`kernels::Executor`] it is given.

mod answer;
mod bootstrap;
mod contrast;
mod error;
mod explainer;
mod explanation;
mod faithfulness;
mod frame;
mod image;
mod job;
pub mod metrics;
mod neighbours;
mod plan;
mod prompt;
mod question;
mod relevance;
mod runs;
mod seen;
mod speed;
mod suppression;
mod text;
mod turn;
mod units;

pub use bootstrap::{Bootstrap, Interval};
pub use contrast::{Compared, Contrast};
pub use error::AtmanError;
pub use explainer::{Expected, Explainer};
pub use explanation::{Cost, Explanation, Settings};
pub use faithfulness::{Faithfulness, FaithfulnessSettings, Measures, Order, OrderCurves, Removal, STEPS, Verdict};
pub use frame::{Frame, Held, Notice, NoticeKind};
pub use image::{ImageGranularity, ImageInfo, ImagePart, PixelRect};
pub use job::Job;
pub use neighbours::Similarities;
pub use plan::{Budget, Chunk, Plan};
pub use prompt::{Prompt, Written, is_only_markers};
pub use question::Question;
pub use relevance::{Postprocessing, Row, Score, sum};
pub use runs::{Outcome, Runs, Spent, TokenScore};
pub use seen::{SeenImage, positions_of_region, prompt_input};
pub use suppression::{Suppression, Threshold};
pub use text::{Text, Token, TokenKind};
pub use turn::{Role, Turn};
pub use units::{Granularity, Source, Unit, units};
pub(crate) use weights::Place;
