//! Decoders and their vision towers: configuration, weights, caches, batches of rows, generation.
//!
//! There is one block in this crate (`block.rs`), made of parts (`parts/`), for decoders and towers alike. A [`Family`] of
//! architectures is names and flags; quantisation is a property of each weight; and everything that a decoder runs is a
//! [`RowBatch`].

mod batch;
mod block;
mod cache;
mod config;
mod error;
mod family;
mod finite;
mod forward;
mod generate;
mod head;
mod inventory;
mod load;
mod mixed;
mod parts;
mod pass;
mod prefill;
mod sampling;
mod shape;
mod vision;

pub use batch::{Input, KeyFactors, RowBatch, Sequence, Wanted};
pub use cache::KvCache;
pub use config::{ModelConfig, Positions, RopeScaling};
pub use error::ModelError;
pub use family::Family;
pub use generate::Generation;
pub use head::{RowResult, TokenScore};
pub use inventory::Inventory;
pub use load::{LoadProgress, Model};
pub use mixed::Mixed;
pub use parts::{Bias, NormKind, NormPlaces, QkNorm};
pub use prefill::PREFILL_ROWS;
pub use sampling::{MAX_TOP_K, Sampling};
pub use shape::{BatchShape, Estimate, TYPICAL_POSITIONS};
pub use vision::VisionConfig;
