//! Pictures as models take them: decoded from PNG, JPEG or WebP, resized, cut into tiles and normalised, as the processor of
//! the Idefics3 family does it; and the text that stands for a picture in a prompt.
//!
//! A picture is untrusted input: any bytes give a picture or a [clear error](ImageError), and none larger than stated.

mod decode;
mod error;
mod intact;
mod picture;
mod process;
mod prompt;
mod resize;
mod settings;

pub use decode::{MAX_PIXELS, decode};
pub use error::ImageError;
pub use picture::{Area, Picture, PixelValues, Prepared, Tile};
pub use prompt::{IMAGE, prompt_text};
pub use settings::ImageProcessor;
