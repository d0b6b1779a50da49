//! What page and worker say to each other, as JSON text. Picked files, and the bytes of pictures, travel beside a message, in a
//! list.

mod asking;
mod device;
mod models;
mod pictures;

pub use asking::{Ask, Generate, Generated, Planned, PromptText, Rows, Started, Steering, Target, WritingEnd};
pub use device::{DeviceChoice, DeviceReport, KernelCheck, Memory};
pub use models::{Kept, KeptModel, LoadPhase, ModelFacts, ModelFrom, ModelReport, SiteFile};
pub use pictures::{PictureKind, PictureReport};

use report::Document;
use serde::{Deserialize, Serialize};

/// A request with the number by which its answers are told from those of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The page's own count: no two requests of a page have the same.
    pub id: u32,
    /// What is asked.
    pub request: Request,
}

/// An event with the number of the request that brought it about. The last event of each request is the one that its
/// documentation names, [`Event::Cancelled`] or [`Event::Failed`]; nothing with its number comes after that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// That of the request; `None` for what nobody asked for, such as that the worker listens.
    pub id: Option<u32>,
    /// What is said.
    pub event: Event,
}

/// What the page asks of the worker. What a model and a device are needed for is done one after the other; models are looked up,
/// fetched and listed meanwhile; [`Request::Cancel`] is heard at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Choose a device, anew if there is one; answered by [`Event::Device`]. A loaded model is let go, with [`Event::Unloaded`].
    Start {
        /// Which device to use.
        device: DeviceChoice,
    },
    /// Say what a model is and takes, without loading it; answered by [`Event::Described`].
    Describe {
        /// Where it is.
        from: ModelFrom,
    },
    /// Load a model onto the device; answered by [`Event::Progress`] as it goes and then [`Event::Loaded`]. The model that is
    /// loaded stays until the other's files are all here and right.
    Load {
        /// Where it is.
        from: ModelFrom,
    },
    /// List the models kept in this browser; answered by [`Event::Kept`].
    ListKept,
    /// Delete one of them, or what has come of it; answered by [`Event::Kept`].
    Forget {
        /// [`KeptModel::id`].
        id: String,
    },
    /// Hold a picture, whose bytes come beside the message, for questions to name it; answered by [`Event::Picture`].
    TakePicture {
        /// What to call it by in questions.
        id: u32,
        /// What a person calls it.
        name: String,
    },
    /// Let a picture go; answered by [`Event::Dropped`].
    DropPicture {
        /// Its number.
        id: u32,
    },
    /// Have the model write; answered by [`Event::Token`] as it does and then [`Event::Generated`].
    Generate(Generate),
    /// Say what an explanation would take, and who the neighbours are; answered by [`Event::Planned`].
    Plan {
        /// What would be explained, and how.
        ask: Ask,
    },
    /// Explain; answered by [`Event::Started`], [`Event::Rows`] as they come, and then [`Event::Explained`].
    Explain(Ask),
    /// Go on with the explanation that was stopped last; answered like [`Request::Explain`].
    Continue {
        /// The number of the [`Request::Explain`] that began it.
        of: u32,
    },
    /// Measure how far the last explanation's order can be trusted; answered like [`Request::Explain`].
    Measure {
        /// The number of the [`Request::Explain`] that began it.
        of: u32,
        /// For these target tokens, `[first, one past the last]`; all if not given.
        span: Option<[usize; 2]>,
    },
    /// Stop a request, wherever it is and whatever it waits for. That request is then answered by what there is of it, or by
    /// [`Event::Cancelled`]; this one has no answer of its own, and one that is done already is left as it is.
    Cancel {
        /// The number of the request to stop.
        asked: u32,
    },
    /// Run a golden file on the loaded model; answered by [`Event::Parity`].
    #[cfg(feature = "parity")]
    Parity {
        /// The golden file's text.
        golden: String,
    },
    /// Run the prompts of a file of [`atman_tests::shipped`] on the loaded model; answered by [`Event::Shipped`].
    #[cfg(feature = "parity")]
    Shipped {
        /// The file's text.
        golden: String,
    },
    /// Behave as if the device were lost at the next step.
    #[cfg(feature = "parity")]
    LoseDevice,
    /// Break down without a last word, as where memory runs out.
    #[cfg(feature = "parity")]
    Trap,
    /// Break down as where AtMan itself has a fault.
    #[cfg(feature = "parity")]
    Panic,
}

/// What the worker tells the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The worker listens.
    Ready,
    /// What device was chosen.
    Device(DeviceReport),
    /// What a model is and takes.
    Described(ModelFacts),
    /// How far loading is.
    Progress {
        /// What is being done.
        phase: LoadPhase,
        /// Bytes fetched and bytes placed on the device, together.
        done_bytes: u64,
        /// All bytes to fetch and to place; 0 while that is not known.
        total_bytes: u64,
    },
    /// This model is on the device from now on. Only the worker says which it is.
    Loaded(ModelReport),
    /// No model is loaded any more.
    Unloaded,
    /// The models kept in this browser.
    Kept(Kept),
    /// A picture has been looked at.
    Picture(PictureReport),
    /// A picture has been let go.
    Dropped {
        /// Its number.
        id: u32,
    },
    /// More of a text that is being written.
    Token {
        /// What is added to it.
        text: String,
    },
    /// A text has been written, or writing was stopped.
    Generated(Generated),
    /// What an explanation would take.
    Planned(Planned),
    /// An explanation has begun.
    Started(Started),
    /// Some of its units are done.
    Rows(Rows),
    /// It is done, or was stopped and is marked partial.
    Explained(Box<Document>),
    /// The device was lost: it is opened again and the model loaded again, then the work goes on.
    Rebuilding,
    /// What was asked for has been stopped with nothing to show.
    Cancelled,
    /// How near a golden file's numbers were met.
    #[cfg(feature = "parity")]
    Parity(ParityReport),
    /// How near the logits of prompts were met.
    #[cfg(feature = "parity")]
    Shipped {
        /// Of each prompt the greatest difference of a logit; infinity where it became other tokens.
        differences: Vec<f32>,
    },
    /// A request could not be carried out.
    Failed {
        /// Why, for people.
        message: String,
        /// What kind of failure it is.
        kind: FailureKind,
    },
}

/// What can be done about a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// What the message says.
    #[default]
    Other,
    /// The device has no room for what was asked for: a smaller model may fit.
    OutOfMemory,
    /// The worker cannot go on and must be started again.
    Fatal,
}

/// A golden file against what this device computes.
#[cfg(feature = "parity")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParityReport {
    /// Largest difference in relevance or baseline, in nats.
    pub max_difference_nats: f32,
    /// Largest relative difference of hidden states and top logits at the prompt's last position, if the file has them.
    pub last_position_difference: Option<f32>,
    /// Time that the baseline and all suppressed sequences took.
    pub time_ms: f64,
    /// Bytes in use after these; the peak of buffers is theirs alone.
    pub memory: Memory,
}
