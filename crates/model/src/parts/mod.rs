//! What blocks are made of. A part holds its weights and appends its operations; sizes and kinds come from the configuration.

mod attention;
mod heads;
mod linear;
mod mlp;
mod norm;
mod rope;

pub(crate) use attention::{Attending, Attention, Cached};
pub(crate) use heads::{Rotation, reorder};
pub(crate) use linear::{Linear, Stored, bias_of, weight_of};
pub(crate) use mlp::Mlp;
pub(crate) use norm::{Norm, NormForm};
pub(crate) use rope::Rope;

pub use attention::QkNorm;
pub use linear::Bias;
pub use norm::{NormKind, NormPlaces};
