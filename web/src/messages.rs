//! What page and worker say to each other, as JSON text. Picked files travel beside a message, in a list.

use serde::{Deserialize, Serialize};

/// What the page asks of the worker. One is carried out after the other; [`Request::Cancel`] at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Choose a device, anew if there is one; answered by [`Event::Device`]. A loaded model is let go.
    Start {
        /// Which device to use.
        device: DeviceChoice,
    },
    /// Load a model onto the device; answered by [`Event::Progress`] as it goes and then [`Event::Loaded`].
    Load {
        /// Where it is.
        from: ModelFrom,
    },
    /// Stop loading; answered by [`Event::Cancelled`] if something was under way.
    Cancel,
    /// Run a golden file on the loaded model; answered by [`Event::Parity`].
    #[cfg(feature = "parity")]
    Parity {
        /// The golden file's text.
        golden: String,
    },
}

/// What the person wants the model to run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The GPU where there is a real one, else the CPU.
    #[default]
    Auto,
    /// WebGPU, even where a program emulates it.
    Gpu,
    /// WebAssembly.
    Cpu,
}

/// Where a model's files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFrom {
    /// On a server: one address a file, relative to `base`.
    Web {
        /// The page's own address: a worker would resolve against its script's.
        base: String,
        /// The files' addresses.
        urls: Vec<String>,
    },
    /// Picked by the person; they come beside the message.
    Picked,
}

/// What the worker tells the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The worker listens.
    Ready,
    /// What device was chosen.
    Device(DeviceReport),
    /// How far loading is.
    Progress {
        /// Bytes of weights on the device.
        loaded_bytes: u64,
        /// Bytes of weights in all.
        total_bytes: u64,
    },
    /// The model is on the device.
    Loaded(ModelReport),
    /// What was under way has been stopped, or there was nothing to stop.
    Cancelled,
    /// How near a golden file's numbers were met.
    #[cfg(feature = "parity")]
    Parity(ParityReport),
    /// A request could not be carried out.
    Failed {
        /// Why, for people.
        message: String,
    },
}

/// The device in use, and why it was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// The device and how it is driven.
    pub description: String,
    /// Why this one.
    pub reason: String,
    /// Whether it is driven through WebGPU.
    pub is_gpu: bool,
    /// Kernels compared with their twins on the CPU, on this device; empty for the CPU itself.
    pub self_test: Vec<KernelCheck>,
}

/// One kernel's comparison with its twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelCheck {
    /// The kernel.
    pub kernel: String,
    /// Largest difference found, relative to the largest value.
    pub difference: f32,
    /// Largest difference accepted.
    pub bound: f32,
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// File name.
    pub name: String,
    /// Architecture and size in a few words.
    pub description: String,
    /// Bytes in use.
    pub memory: Memory,
}

/// Bytes that the worker uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Weights on the device.
    pub weight_bytes: u64,
    /// The most that other buffers on the device have taken.
    pub peak_buffer_bytes: u64,
    /// WebAssembly's memory, which never shrinks: the most it has been. Holds the weights where the device is the CPU.
    pub heap_bytes: u64,
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
