//! A picture's file, as a report holds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader};
use images::Picture;
use std::fmt;
use std::io::Cursor;

/// A report holds files up to this as they are.
const MOST_BYTES: usize = 300_000;
/// Sides of a picture that is kept as it is.
const MOST_SIDE_PX: usize = 2048;
/// The longer side of one that is made smaller.
const REDUCED_SIDE_PX: usize = 768;
const JPEG_QUALITY: u8 = 85;

/// A picture's file, as it was given to the model.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PictureFile {
    /// The whole file. What kind it is, its bytes say.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for PictureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureFile({} bytes)", self.bytes.len())
    }
}

/// The picture as a `data:` URL that every viewer shows; `None` where the bytes are no picture.
///
/// A file stays as it is where it is a small PNG or JPEG that says nothing about itself. One with metadata is written anew:
/// metadata turns pictures, which not every viewer heeds, and tells where they were taken, which no report should.
pub(crate) fn data_url(file: &PictureFile) -> Option<String> {
    let picture = images::decode(&file.bytes).ok()?;
    let format = image::guess_format(&file.bytes).ok()?;
    let fits = file.bytes.len() <= MOST_BYTES && picture.width().max(picture.height()) <= MOST_SIDE_PX;
    let mime = match format {
        ImageFormat::Png => Some("image/png"),
        ImageFormat::Jpeg => Some("image/jpeg"),
        _ => None,
    };
    if let Some(mime) = mime.filter(|_| fits && has_no_metadata(&file.bytes)) {
        return Some(url(mime, &file.bytes));
    }
    let reduced = reduced(picture);
    // What is drawn stays sharp as PNG; photographs would be too large.
    if format != ImageFormat::Jpeg
        && let Some(bytes) = png(reduced.width(), reduced.height(), reduced.rgb(), ExtendedColorType::Rgb8)
        && bytes.len() <= MOST_BYTES
    {
        return Some(url("image/png", &bytes));
    }
    Some(url("image/jpeg", &jpeg(&reduced)?))
}

/// Pixels of red, green, blue and alpha as a `data:` URL; `None` where they are not so many.
pub(crate) fn rgba_url(width: usize, height: usize, rgba: &[u8]) -> Option<String> {
    Some(url("image/png", &png(width, height, rgba, ExtendedColorType::Rgba8)?))
}

fn url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}

fn has_no_metadata(bytes: &[u8]) -> bool {
    let decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok().and_then(|reader| reader.into_decoder().ok());
    decoder.is_some_and(|mut decoder| {
        matches!((decoder.exif_metadata(), decoder.xmp_metadata(), decoder.iptc_metadata()), (Ok(None), Ok(None), Ok(None)))
    })
}

fn reduced(picture: Picture) -> Picture {
    let longer = picture.width().max(picture.height());
    if longer <= REDUCED_SIDE_PX {
        return picture;
    }
    let of = |side: usize| (side * REDUCED_SIDE_PX / longer).max(1);
    picture.resized(of(picture.width()), of(picture.height()))
}

fn png(width: usize, height: usize, bytes: &[u8], color: ExtendedColorType) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    // The encoder panics where they contradict each other.
    let expected = u64::from(width) * u64::from(height) * u64::from(color.bits_per_pixel() / 8);
    if bytes.is_empty() || bytes.len() as u64 != expected {
        return None;
    }
    let mut written = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut written, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(bytes, width, height, color).ok()?;
    Some(written)
}

fn jpeg(picture: &Picture) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(picture.width()).ok()?, u32::try_from(picture.height()).ok()?);
    let mut written = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut written, JPEG_QUALITY);
    encoder.write_image(picture.rgb(), width, height, ExtendedColorType::Rgb8).ok()?;
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: Vec<u8>) -> PictureFile {
        PictureFile { bytes }
    }

    fn decoded(url: &str) -> (String, Picture) {
        let (mime, data) = url.strip_prefix("data:").unwrap().split_once(";base64,").unwrap();
        (mime.to_owned(), images::decode(&STANDARD.decode(data).unwrap()).unwrap())
    }

    #[test]
    fn small_files_stay_as_they_are() {
        let bytes = include_bytes!("../../../../tests/fixtures/pictures/photo.jpg").to_vec();
        assert_eq!(data_url(&file(bytes.clone())).unwrap(), url("image/jpeg", &bytes));
        assert_eq!(data_url(&file(b"<svg onload='alert(1)'/>".to_vec())), None, "whatever it is said to be");
    }

    #[test]
    fn what_metadata_turns_is_turned_and_loses_its_metadata() {
        let bytes = include_bytes!("../../../../tests/fixtures/pictures/turned.png").to_vec();
        let url = data_url(&file(bytes.clone())).unwrap();
        let (mime, picture) = decoded(&url);
        assert_eq!((mime.as_str(), &picture), ("image/png", &images::decode(&bytes).unwrap()));
        assert!(has_no_metadata(&STANDARD.decode(url.split_once(',').unwrap().1).unwrap()));
    }

    #[test]
    fn webp_is_written_as_something_that_every_viewer_reads() {
        let bytes = include_bytes!("../../../../tests/fixtures/pictures/tall.webp").to_vec();
        assert_eq!(decoded(&data_url(&file(bytes)).unwrap()).0, "image/png");
    }

    #[test]
    fn what_is_large_is_made_smaller() {
        // Noise, which no format makes small: Marsaglia's xorshift.
        let mut state = 2_463_534_242_u32;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        };
        let rgb: Vec<u8> = (0..900 * 450 * 3).map(|_| noise()).collect();
        let bytes = png(900, 450, &rgb, ExtendedColorType::Rgb8).unwrap();
        assert!(bytes.len() > MOST_BYTES);
        let (mime, picture) = decoded(&data_url(&file(bytes)).unwrap());
        assert_eq!((mime.as_str(), picture.width(), picture.height()), ("image/jpeg", 768, 384));
    }

    #[test]
    fn sizes_that_contradict_the_bytes_give_nothing() {
        assert_eq!(rgba_url(2, 2, &[0; 15]), None);
        assert_eq!(rgba_url(0, 0, &[]), None);
    }
}
