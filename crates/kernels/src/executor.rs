//! Who carries operations out.

use crate::{Buffer, Cost, Op, ShapeError, Weight, WeightSpec};
use std::future::Future;
use std::pin::Pin;

/// A future of an executor. It stays on its thread: a browser's device lives in one worker.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ExecError>> + 'a>>;

/// Memory and arithmetic with which a model runs. The CPU's and the GPU's do the same and agree.
///
/// Operations of one executor happen in the order of its calls: a `write` is seen by every `run` after it.
pub trait Executor {
    /// One line for people: the device, and how it is driven.
    fn describe(&self) -> String;

    /// Memory for `words` 32-bit words, contents undefined. `purpose` is for messages.
    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError>;

    /// Writes `data` at word `offset` of `buffer`.
    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError>;

    /// Room for a weight, to be filled by [`Executor::write_weight`].
    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError>;

    /// Fills rows from `first_row` on with `bytes`, a whole number of rows as the file stores them.
    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError>;

    /// Makes whatever running on these weights at these kinds of operations needs (pipelines), so that the first run is
    /// no slower than the others. Calling it is optional.
    fn warm_up<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()>;

    /// Carries out the operations in order. Resolves when they are under way, not necessarily done: what follows sees
    /// their results all the same.
    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()>;

    /// The first `words` words of `buffer`, after everything before has been carried out.
    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>>;

    /// The most bytes that one buffer may have, whatever memory there is. Unless an executor says otherwise, only memory is a limit.
    fn largest_buffer_bytes(&self) -> u64 {
        isize::MAX as u64
    }

    /// What has been used so far.
    fn stats(&self) -> Stats;

    /// Starts [`Stats::peak_bytes`] anew from the bytes in use now.
    fn reset_peak(&mut self);
}

/// What an executor has used since it was made. Bytes are those of buffers and weights, not of programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of weights now held.
    pub weight_bytes: u64,
    /// Bytes of buffers now held, those waiting for reuse included.
    pub buffer_bytes: u64,
    /// The most that `buffer_bytes` has been.
    pub peak_bytes: u64,
    /// Operations carried out.
    pub ops: u64,
    /// Kernel launches; 0 on the CPU.
    pub dispatches: u64,
    /// Command submissions; 0 on the CPU.
    pub submits: u64,
    /// Transfers from the device back to the host.
    pub read_backs: u64,
    /// Answers of the device that were asked for and waited for: ends of submissions, transfers to the host, outcomes of error
    /// scopes. In a browser each is a promise; 0 on the CPU.
    pub promises: u64,
    /// What the operations carried out cost in all.
    pub cost: Cost,
}

/// Why an executor could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The device has no room. The weights already there stay; retry with less.
    #[error("out of memory: {bytes} more bytes for {purpose} do not fit on {device}, which holds {held_bytes}")]
    OutOfMemory {
        /// What the memory was for.
        purpose: String,
        /// Bytes asked for.
        bytes: u64,
        /// Bytes held at the time.
        held_bytes: u64,
        /// The device.
        device: String,
    },
    /// The device is gone (driver reset, unplugged, tab suspended). Make a new executor and load the weights again.
    #[error("the device {device} was lost: {reason}")]
    DeviceLost {
        /// The device.
        device: String,
        /// What its driver said.
        reason: String,
    },
    /// Something exceeds what the device allows.
    #[error("{what} needs {needed}, but {device} allows {limit}")]
    Limit {
        /// What was asked for.
        what: String,
        /// How much of it.
        needed: u64,
        /// How much there is.
        limit: u64,
        /// The device.
        device: String,
    },
    /// An operation's operands do not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A handle of another executor, or one whose memory is gone.
    #[error("{what} {id} does not belong to this executor")]
    Unknown {
        /// `buffer` or `weight`.
        what: &'static str,
        /// Its id.
        id: usize,
    },
    /// The device or its driver refused, for a reason of its own.
    #[error("{device}: {message}")]
    Device {
        /// The device.
        device: String,
        /// What it said.
        message: String,
    },
}

impl ExecError {
    /// Whether it asked for more than there is, memory or what one buffer or dispatch may have, so that less at a time may do.
    pub fn is_shortage(&self) -> bool {
        matches!(self, ExecError::OutOfMemory { .. } | ExecError::Limit { .. })
    }
}
