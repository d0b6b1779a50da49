//! The device in use.

use serde::{Deserialize, Serialize};

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

/// Bytes that the worker uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Weights on the device.
    pub weight_bytes: u64,
    /// The most that other buffers on the device have taken.
    pub peak_buffer_bytes: u64,
    /// WebAssembly's memory, which never shrinks: the most it has been. Holds the weights where the device is the CPU.
    pub heap_bytes: u64,
}
