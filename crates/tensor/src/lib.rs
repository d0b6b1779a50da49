//! Shapes, number formats and block quantisation: how weights are stored, and how to read them.
//!
//! Nothing here knows of files, models or devices.

mod affine;
mod decode;
mod format;
pub mod repack;

pub use affine::{dot_stored, mul_add};
pub use decode::{DecodeError, decode, decode_blocks};
pub use format::Format;
