//! Units: what is suppressed together and gets one score.

mod build;
mod granularity;
mod pictures;
mod segments;

pub use build::units;
pub(crate) use build::{Level, children};
pub use granularity::Granularity;

use crate::{ImagePart, Role};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Positions that are suppressed together, and the text that they stand for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Which text it is a part of.
    pub source: Source,
    /// The part.
    pub text: String,
    /// Its first character in that text.
    pub start: usize,
    /// One past its last.
    pub end: usize,
    /// The same as `start` in bytes of UTF-8.
    pub start_byte: usize,
    /// The same as `end` in bytes of UTF-8.
    pub end_byte: usize,
    /// Its input positions, rising.
    pub positions: Vec<usize>,
    /// Positions that are suppressed along, the most similar first.
    #[serde(default)]
    pub neighbours: Vec<usize>,
    /// Cosine similarity of each neighbour to the unit's most similar position.
    #[serde(default)]
    pub similarities: Vec<f32>,
    /// Whether models park attention here whatever it says: the first position and the chat template with its control tokens.
    /// Scored like others, and shown apart.
    pub sink: bool,
    /// Of what was written in a conversation: who wrote all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether it has control tokens that somebody wrote: they imitate the chat template.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
    /// Of positions that see a picture: the part of it that they see, which `text` only names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImagePart>,
    /// The unit that this one is a part of, where an explanation goes from coarse to fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
}

/// The numbers of the units that no other is a part of: together they cover the text, each place once.
pub(crate) fn leaves(units: &[Unit]) -> Vec<usize> {
    let parents: HashSet<usize> = units.iter().filter_map(|unit| unit.parent).collect();
    (0..units.len()).filter(|unit| !parents.contains(unit)).collect()
}

/// Where a unit comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The prompt.
    #[default]
    Prompt,
    /// Target tokens before the last.
    Target,
}
