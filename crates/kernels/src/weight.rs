//! Handles of weights that an executor holds in their stored precision.

use crate::{Buffer, Slots};
use tensor::Format;

/// What a weight is, before any of its bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightSpec {
    /// Its name in the model, for messages.
    pub name: String,
    /// Output features, or vocabulary entries.
    pub rows: usize,
    /// Input features: a whole number of the format's blocks.
    pub cols: usize,
    /// How the file stores it, which is how it stays.
    pub format: Format,
}

impl WeightSpec {
    /// Stored bytes of one row; `None` if the row is no whole number of blocks.
    pub fn row_bytes(&self) -> Option<usize> {
        self.format.bytes_of(self.cols)
    }

    /// Stored bytes of the whole weight; `None` if they cannot be counted.
    pub fn stored_bytes(&self) -> Option<usize> {
        self.row_bytes()?.checked_mul(self.rows)
    }
}

/// A weight on an executor: a matrix `[rows, cols]` in its stored format. Cloning is cheap and shares it.
///
/// How it lies on the device, in which layout and in how many pieces, is the executor's own affair.
#[derive(Clone, Debug)]
pub struct Weight {
    handle: Buffer,
    spec: std::sync::Arc<WeightSpec>,
}

impl Weight {
    /// A handle for a new weight, for executors to call.
    pub fn issue(slots: &Slots, spec: WeightSpec) -> Weight {
        Weight { handle: slots.issue(0), spec: std::sync::Arc::new(spec) }
    }

    /// Names the weight within its executor.
    pub fn id(&self) -> usize {
        self.handle.id()
    }

    /// Name, shape and format.
    pub fn spec(&self) -> &WeightSpec {
        &self.spec
    }

    /// Output features.
    pub fn rows(&self) -> usize {
        self.spec.rows
    }

    /// Input features.
    pub fn cols(&self) -> usize {
        self.spec.cols
    }

    /// How it is stored.
    pub fn format(&self) -> Format {
        self.spec.format
    }
}
