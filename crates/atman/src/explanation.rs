//! An explanation as data.

use crate::contrast::Contrast;
use crate::faithfulness::{Faithfulness, FaithfulnessSettings};
use crate::relevance::{Postprocessing, Row, Score, sum};
use crate::{Granularity, Held, ImageGranularity, ImageInfo, Notice, Suppression, Text, Unit};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Everything that was asked for, so that the numbers can be had again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How the text is divided, as it was asked for.
    pub granularity: Granularity,
    /// How pictures are divided. From coarse to fine, patches being asked for means to begin with whole pictures.
    #[serde(default)]
    pub image_granularity: ImageGranularity,
    /// How a unit is suppressed.
    #[serde(flatten)]
    pub suppression: Suppression,
    /// What is compared.
    #[serde(default)]
    pub score: Score,
    /// What is done to the units' sums.
    #[serde(default)]
    pub postprocessing: Postprocessing,
    /// The target tokens in question, `[first, one past the last]`; all if not given. Every unit's relevance is computed for all of
    /// them; which units are divided further, and in which order faithfulness takes units away, goes by these.
    #[serde(default)]
    pub span: Option<[usize; 2]>,
    /// From coarse to fine: how many of the strongest units of each level are divided further; none if not given.
    #[serde(default)]
    pub refine: Option<usize>,
    /// Whether faithfulness is measured, and how.
    #[serde(default)]
    pub faithfulness: Option<FaithfulnessSettings>,
}

/// What it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Rows computed for changed runs.
    pub rows: u64,
    /// Rows that computing all their positions would have taken.
    pub full_recompute_rows: u64,
    /// Floating-point operations, those of the baseline and of seeing pictures included.
    pub flops: u64,
    /// The most bytes of buffers held at a time, beside the weights.
    pub peak_bytes: u64,
    /// Seconds of computing, seeing pictures included.
    pub seconds: f64,
}

/// Units times target tokens of relevance, with everything needed to have it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Whether it was stopped before all of it was there.
    pub partial: bool,
    /// What was asked for.
    pub settings: Settings,
    /// The granularity of the units, where it was left open.
    pub granularity: Granularity,
    /// What the model read.
    pub prompt: Text,
    /// The prompt's pictures, in order; units name them by their number.
    #[serde(default)]
    pub images: Vec<ImageInfo>,
    /// What is explained.
    pub target: Text,
    /// What was the same in every run.
    #[serde(default)]
    pub held: Held,
    /// What whoever reads it has to know of the question.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// What was suppressed.
    pub units: Vec<Unit>,
    /// A row for each unit, a column for each target token; a row that was not computed is `None`.
    pub relevance: Vec<Option<Row>>,
    /// The greatest change of one target token's score that computing the same thing in another way makes.
    pub noise_floor: Option<f32>,
    /// Why the target rather than something else.
    #[serde(default)]
    pub contrasts: Vec<Contrast>,
    /// How far the order of the units can be trusted.
    pub faithfulness: Option<Faithfulness>,
    /// What it took.
    pub cost: Cost,
}

impl Explanation {
    /// Target tokens, as a range.
    pub fn whole_target(&self) -> Range<usize> {
        0..self.target.tokens.len()
    }

    /// Each unit's relevance for a span of target tokens, post-processed; `None` where it has none or is not there yet.
    pub fn scores(&self, span: Range<usize>) -> Vec<Option<f32>> {
        let mut scores: Vec<_> = self.relevance.iter().map(|row| row.as_ref().and_then(|row| sum(row, span.clone()))).collect();
        self.settings.postprocessing.apply(&mut scores);
        scores
    }

    /// The change of a span's score that is no more than noise; `None` where it was not measured, or where post-processing makes
    /// the two incomparable.
    pub fn noise_of(&self, span: Range<usize>) -> Option<f32> {
        let noise = self.noise_floor? * span.len() as f32;
        match self.settings.postprocessing {
            Postprocessing::None | Postprocessing::Absolute => Some(noise),
            Postprocessing::Square => Some(noise.powi(2)),
            Postprocessing::MinMax => None,
        }
    }

    /// The units that no other is a part of: together they cover the text, each place once.
    pub fn leaves(&self) -> Vec<usize> {
        crate::units::leaves(&self.units)
    }
}
