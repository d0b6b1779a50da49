//! Arguments that several commands have.

use super::values::{one_of, one_of_or};
use crate::suppress::LayerRange;
use anyhow::Result;
use atman::{
    Budget, FaithfulnessSettings, Granularity, ImageGranularity, Postprocessing, Score, Settings, Suppression, Threshold,
};
use clap::Args;
use gpu::Wish;
use kernels::Operator;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the prompt comes from.
#[derive(Args, Clone, Debug)]
pub(crate) struct PromptArguments {
    /// The prompt; `-` reads it from stdin
    #[arg(long, short, value_name = "TEXT", conflicts_with = "prompt_file")]
    pub(crate) prompt: Option<String>,

    /// A file that holds the prompt, as UTF-8; `-` is stdin. A byte order mark at its beginning and one line end at its end are left
    /// out; lines may end as on Windows
    #[arg(long, value_name = "FILE")]
    pub(crate) prompt_file: Option<PathBuf>,

    /// A picture that the prompt is about, PNG, JPEG or WebP; may be given several times. Pictures come before the prompt, or
    /// where it says `<image>`
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Vec<PathBuf>,

    /// Put the prompt as a user's message into the model's chat template. Without saying so this is done for atman-tiny, and
    /// with pictures
    #[arg(long)]
    pub(crate) chat: bool,

    /// Have the model continue the prompt as it stands, without its chat template
    #[arg(long, conflicts_with_all = ["chat", "system"])]
    pub(crate) plain: bool,

    /// A system message before the user's, in the chat template
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,

    /// A conversation in place of a prompt, for the chat template: [{"role": "user", "content": TEXT}, ..] with the roles system,
    /// user, assistant and tool; the last turn is the user's. `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "prompt_file", "plain", "system"])]
    pub(crate) messages: Option<PathBuf>,
}

impl PromptArguments {
    /// What was said about the chat template, if anything.
    pub(crate) fn chat(&self) -> Option<bool> {
        if self.plain { Some(false) } else { (self.chat || self.messages.is_some()).then_some(true) }
    }
}

/// Which model, and what to run it on.
#[derive(Args, Clone, Debug)]
pub(crate) struct EngineArguments {
    /// The model; one that is not on this machine is fetched first [default: atman-tiny, which is built in]
    #[arg(long, short, value_name = "MODEL")]
    pub(crate) model: Option<String>,

    /// What to compute on. `atman doctor` says what auto takes, and why
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = one_of::<Wish>(Wish::NAMES))]
    pub(crate) device: Wish,

    /// Memory for computing, beside the weights; where it is less than one unit takes, units run one at a time
    #[arg(long, value_name = "N")]
    memory_mib: Option<u64>,
}

impl EngineArguments {
    /// Bytes that computing may take, if that was said.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        self.memory_mib.map(|mib| mib.saturating_mul(1 << 20))
    }

    /// The budget that was asked for.
    pub(crate) fn budget(&self) -> Budget {
        let default = Budget::default();
        Budget { buffer_bytes: self.memory_bytes().unwrap_or(default.buffer_bytes), ..default }
    }
}

/// How an explanation is made.
#[derive(Args, Clone, Debug)]
pub(crate) struct SettingsArguments {
    /// How a factor acts on attention scores
    #[arg(
        long,
        value_name = "NAME",
        default_value_t = Suppression::default().operator,
        value_parser = one_of::<Operator>(Operator::ALL)
    )]
    pub(crate) operator: Operator,

    /// What a unit's attention is scaled by: 0 to 1 damps, more than 1 amplifies. Without this it is 0.1 where there are
    /// pictures, and 0 for texts
    #[arg(long, value_name = "F")]
    pub(crate) factor: Option<f32>,

    /// Suppress similar positions along: from a cosine similarity of embeddings on (0.7), or the part of all pairs of tokens
    /// that are less similar (q0.99); or off. Without this it is 0.7 where there are pictures, whose things take several
    /// patches each, and off for texts
    #[arg(long, value_name = "C", value_parser = one_of_or::<ThresholdOrOff>(["off", "0.7", "q0.99"]))]
    pub(crate) threshold: Option<ThresholdOrOff>,

    /// With a threshold: the most neighbours of a unit
    #[arg(long, value_name = "N")]
    pub(crate) max_neighbours: Option<usize>,

    /// Layers in which to suppress, the first is 0, the end is not included; all without this
    #[arg(long, value_name = "A..B")]
    pub(crate) layers: Option<LayerRange>,

    /// What gets one score; auto is what comes nearest to 30 units. Delimiters and matches of a pattern end a unit
    #[arg(
        long,
        value_name = "UNITS",
        default_value_t = Granularity::Auto,
        value_parser = one_of_or::<Granularity>(granularities())
    )]
    pub(crate) granularity: Granularity,

    /// What of a picture gets one score: a patch, 2x2 or 4x4 of them, or the whole image
    #[arg(
        long,
        value_name = "UNITS",
        default_value_t = ImageGranularity::default(),
        value_parser = one_of::<ImageGranularity>(ImageGranularity::STEPS)
    )]
    pub(crate) image_granularity: ImageGranularity,

    /// Sets of positions as units, in place of a granularity: `[[3, 4], [10]]`. Positions count the prompt's tokens from 0 on, then
    /// the answer's
    #[arg(long, value_name = "JSON", conflicts_with = "granularity")]
    pub(crate) positions: Option<PositionSets>,

    /// From coarse to fine: divide the N strongest units of each level further, down to tokens
    #[arg(long, value_name = "N")]
    pub(crate) refine: Option<usize>,

    /// What is compared with and without a unit; cross-entropy is in nats
    #[arg(
        long,
        value_name = "SCORE",
        default_value_t = Score::CrossEntropy,
        value_parser = one_of::<Score>(Score::ALL.map(|(score, _)| score))
    )]
    pub(crate) score: Score,

    /// What is done to the units' scores
    #[arg(
        long,
        value_name = "HOW",
        default_value_t = Postprocessing::None,
        value_parser = one_of::<Postprocessing>(Postprocessing::ALL.map(|(kind, _)| kind))
    )]
    pub(crate) postprocessing: Postprocessing,

    /// Measure how far the order of units can be trusted; takes several times as long
    #[arg(long)]
    pub(crate) faithfulness: bool,
}

impl SettingsArguments {
    /// For a model with `n_layers`, and a prompt with so many pictures.
    pub(crate) fn settings(&self, n_layers: usize, n_images: usize) -> Result<Settings> {
        let layers = self.layers.map(|layers| layers.of(n_layers)).transpose()?;
        let usual = Suppression::of_prompt(n_images);
        let suppression = Suppression {
            operator: self.operator,
            factor: self.factor.unwrap_or(usual.factor),
            layers: layers.map(|layers| [layers.start, layers.end]),
            threshold: self.threshold.map_or(usual.threshold, |given| given.0),
            max_neighbours: self.max_neighbours,
        };
        suppression.check(n_layers).map_err(super::usage_error)?;
        Ok(Settings {
            granularity: self.positions.clone().map_or_else(|| self.granularity.clone(), |sets| Granularity::Given(sets.0)),
            suppression,
            image_granularity: self.image_granularity,
            score: self.score,
            postprocessing: self.postprocessing,
            refine: self.refine,
            faithfulness: self.faithfulness.then(FaithfulnessSettings::default),
            // Which tokens of the answer are meant is known once it is there.
            span: None,
        })
    }
}

/// The names of [`Granularity`], and the forms of what people make up themselves.
fn granularities() -> impl Iterator<Item = String> {
    let named = std::iter::once(Granularity::Auto).chain(Granularity::STEPS).map(|step| step.to_string());
    named.chain(["custom:DELIMITER", "regex:PATTERN"].map(str::to_owned))
}

/// Token ids as a JSON array: `[1, 2, 3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdList(pub(crate) Vec<u32>);

impl FromStr for IdList {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        serde_json::from_str(given)
            .map(Self)
            .map_err(|error| format!("expected a JSON array of token ids, such as [1, 2]: {error}"))
    }
}

/// Sets of positions as a JSON array of arrays: `[[0, 1], [5]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PositionSets(Vec<Vec<usize>>);

impl FromStr for PositionSets {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let parsed = serde_json::from_str(given).map(Self);
        parsed.map_err(|error| format!("expected a JSON array of arrays of positions, such as [[0, 1], [5]]: {error}"))
    }
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
