//! Whether a file holds all of its picture, undamaged, as far as its format lets that be known.
//!
//! Decoders made for looking at pictures show what there is. Whoever explains a picture must know that it is the one that was
//! meant.

mod jpeg;
mod png;
mod webp;

use image::ImageFormat;

/// Goes through a file of that format.
///
/// # Errors
/// How it is damaged.
pub(crate) fn check(format: ImageFormat, bytes: &[u8]) -> Result<(), String> {
    match format {
        ImageFormat::Jpeg => jpeg::check(bytes),
        ImageFormat::Png => png::check(bytes),
        ImageFormat::WebP => webp::check(bytes),
        _ => Ok(()),
    }
}
