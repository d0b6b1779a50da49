//! From the bytes of a file to pixels.

use crate::{ImageError, Picture, intact};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most pixels of a picture that is read: what cameras take, and not more than a browser has memory for.
pub const MAX_PIXELS: u64 = 64_000_000;
/// What a decoder may allocate: a picture of that many pixels with an alpha channel, and as much again to work with.
const MAX_ALLOC_BYTES: u64 = 2 * 4 * MAX_PIXELS;

/// Decodes a PNG, JPEG or WebP file, turned as its metadata says. What is transparent is laid on white.
///
/// # Errors
/// When it is none of these, damaged, or has more than [`MAX_PIXELS`].
pub fn decode(bytes: &[u8]) -> Result<Picture, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(damaged)?;
    let format = reader.format().filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP));
    let format = format.ok_or(ImageError::Format)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOC_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge { width, height, limit: MAX_PIXELS });
    }
    intact::check(format, bytes).map_err(damaged)?;
    // Metadata that cannot be read says nothing about how the picture is to be held.
    let orientation = decoder.orientation().ok();
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    if let Some(orientation) = orientation {
        decoded.apply_orientation(orientation);
    }
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let rgb = if decoded.color().has_alpha() { on_white(decoded.into_rgba8().as_raw()) } else { decoded.into_rgb8().into_raw() };
    let empty = || ImageError::Damaged { reason: format!("it has {width} x {height} pixels") };
    Picture::new(width, height, rgb).ok_or_else(empty)
}

fn damaged(error: impl ToString) -> ImageError {
    ImageError::Damaged { reason: error.to_string() }
}

/// Lays pixels on white, in the integers of Pillow's `alpha_composite`.
fn on_white(rgba: &[u8]) -> Vec<u8> {
    let laid = |channel: u8, alpha: u8| {
        let (channel, alpha) = (u32::from(channel), u32::from(alpha));
        let sum = channel * (alpha << 7) + 255 * ((255 - alpha) << 7) + (0x80 << 7);
        ((((sum >> 8) + sum) >> 8) >> 7) as u8
    };
    let (pixels, _) = rgba.as_chunks::<4>();
    pixels.iter().flat_map(|[r, g, b, a]| [laid(*r, *a), laid(*g, *a), laid(*b, *a)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparency_is_laid_on_white() {
        assert_eq!(on_white(&[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128]), [10, 20, 30, 255, 255, 255, 127, 177, 255]);
    }

    #[test]
    fn what_is_no_picture_is_told() {
        assert!(matches!(decode(b""), Err(ImageError::Format)));
        assert!(matches!(decode(b"GIF89a......"), Err(ImageError::Format)));
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert!(matches!(decode(png), Err(ImageError::Damaged { .. })));
    }
}
