//! Why there is no executor on a device.

use kernels::ExecError;

/// Why a device cannot be used, before there is an executor to ask.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// Nothing to run on.
    #[error("no GPU adapter was found: neither Vulkan, Metal, DirectX 12 nor, in a browser, WebGPU offers one")]
    NoAdapter,
    /// There are fewer adapters.
    #[error("there is no adapter {index}: {found} were found, counted from 0")]
    NoSuchAdapter {
        /// Which one was asked for.
        index: usize,
        /// How many there are.
        found: usize,
    },
    /// The adapter offers less than every WebGPU device must.
    #[error("{adapter} allows {allowed} for {limit}, but {needed} is needed")]
    Limit {
        /// The adapter.
        adapter: String,
        /// WebGPU's name of the limit.
        limit: String,
        /// What the engine needs.
        needed: u64,
        /// What the adapter has.
        allowed: u64,
    },
    /// The adapter draws, and does nothing else.
    #[error("{adapter} has no compute shaders")]
    NoCompute {
        /// The adapter.
        adapter: String,
    },
    /// The driver or the browser would not open it.
    #[error("{adapter} could not be opened: {reason}")]
    Refused {
        /// The adapter.
        adapter: String,
        /// What it said.
        reason: String,
    },
    /// A kernel computes wrong numbers there.
    #[error(transparent)]
    SelfTest(#[from] crate::SelfTestError),
    /// The device failed while it was being set up.
    #[error(transparent)]
    Exec(#[from] ExecError),
}
