//! What a model asks of an executor's kernels.

use crate::AttentionShape;
use tensor::Format;

/// Everything about a model that decides which programs a device runs for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Formats of its matrices, each with whether the columns are a multiple of 4, once.
    pub weights: Vec<(Format, bool)>,
    /// Heads of its decoder and of its towers.
    pub attention: Vec<AttentionShape>,
}

impl Default for Uses {
    /// What many models have, for when none is known yet.
    fn default() -> Uses {
        Uses {
            weights: vec![(Format::F32, true), (Format::F16, true), (Format::Q8_0, true), (Format::Q4_1, true)],
            attention: vec![AttentionShape { n_heads: 6, n_kv_heads: 2, head_dim: 64 }],
        }
    }
}

impl Uses {
    /// Nothing yet.
    pub const fn none() -> Uses {
        Uses { weights: Vec::new(), attention: Vec::new() }
    }

    /// Adds a matrix of so many columns.
    pub fn add_weight(&mut self, format: Format, cols: usize) {
        let kind = (format, cols.is_multiple_of(4));
        if !self.weights.contains(&kind) {
            self.weights.push(kind);
        }
    }

    /// Adds heads.
    pub fn add_attention(&mut self, shape: AttentionShape) {
        if !self.attention.contains(&shape) {
            self.attention.push(shape);
        }
    }
}
