//! Pictures in files against what Pillow and Hugging Face's processor make of them: see `tests/fixtures/families/make_vision.py`.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

use images::{ImageError, ImageProcessor, decode};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Expected {
    prepared: Vec<Case>,
    resized: Vec<Resized>,
}

#[derive(Deserialize)]
struct Case {
    picture: String,
    settings: Value,
    rows: usize,
    cols: usize,
    tiles: Vec<[f64; 3]>,
    first_row: Vec<f32>,
}

#[derive(Deserialize)]
struct Resized {
    picture: String,
    width: usize,
    height: usize,
    checksum: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn expected() -> Expected {
    serde_json::from_slice(&bytes("expected.json")).unwrap()
}

/// Sums that change where values are shifted, swapped, or one byte off.
fn sums(values: &[f32]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (i, value) in values.iter().enumerate() {
        let (value, i) = (f64::from(*value), i as f64);
        for (sum, weight) in sums.iter_mut().zip([1.0, i.sin(), i.cos()]) {
            *sum += value * weight;
        }
    }
    sums
}

/// Half of the last digit that is written, and what sums of ten thousand f32 lose. A byte one off would be 0.0078.
const EXACT: f64 = 2e-3;
/// Decoders of JPEG differ by their inverse transform and by how they bring colour to full size: on average by so much of -1 to 1.
const JPEG: f64 = 4e-3;

#[test]
fn tiles_are_those_of_hugging_face_s_processor() {
    let mut worst = (0.0f64, 0.0f64);
    for case in expected().prepared {
        let processor = ImageProcessor::read("m", &case.settings).unwrap();
        let prepared = processor.prepare(&decode(&bytes(&case.picture)).unwrap());
        let what = format!("{} with {}", case.picture, case.settings);
        assert_eq!((prepared.rows, prepared.cols, prepared.tiles.len()), (case.rows, case.cols, case.tiles.len()), "{what}");
        let is_jpeg = case.picture.ends_with(".jpg");
        for (tile, expected) in prepared.tiles.iter().zip(&case.tiles) {
            let values = tile.pixels.values();
            for (found, expected) in sums(values).into_iter().zip(expected) {
                let error = (found - expected).abs();
                if is_jpeg {
                    worst.1 = worst.1.max(error / values.len() as f64);
                    assert!(error / values.len() as f64 <= JPEG, "{what}: {found} instead of {expected}");
                } else {
                    worst.0 = worst.0.max(error);
                    assert!(error <= EXACT, "{what}: {found} instead of {expected}");
                }
            }
        }
        if !is_jpeg {
            let first = prepared.tiles[0].pixels.values();
            let offset = first.len() / 3;
            for (found, expected) in first[offset..].iter().zip(&case.first_row) {
                assert!((found - expected).abs() < 1e-5, "{what}: {found} instead of {expected}");
            }
        }
    }
    println!("sums differ by {:e} at most; those of JPEG by {:e} a value", worst.0, worst.1);
}

#[test]
fn resizing_gives_pillow_s_bytes() {
    for case in expected().resized {
        let picture = decode(&bytes(&case.picture)).unwrap().resized(case.width, case.height);
        let weighted = picture.rgb().iter().zip(1u64..).map(|(byte, weight)| u64::from(*byte) * weight % 65521);
        let checksum = weighted.sum::<u64>() % (1 << 32);
        assert_eq!(checksum, case.checksum, "{} at {} x {}", case.picture, case.width, case.height);
    }
}

#[test]
fn pictures_are_turned_as_their_metadata_says() {
    let picture = decode(&bytes("turned.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (24, 40));
}

#[test]
fn any_bytes_give_a_picture_or_an_error() {
    for name in ["wide.png", "tall.webp", "photo.jpg", "palette.png", "alpha.png", "turned.png"] {
        let whole = bytes(name);
        let mut state = 7u32;
        for i in 0..400 {
            let mut changed = whole.clone();
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as usize
            };
            if i % 3 == 0 {
                changed.truncate(next() % whole.len());
            } else {
                // Headers are where sizes stand.
                let within = if i % 3 == 1 { 60 } else { changed.len() };
                let at = next() % within;
                changed[at] = next() as u8;
            }
            match decode(&changed) {
                Ok(picture) => assert_eq!(picture.rgb().len(), 3 * picture.width() * picture.height()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() {
    let mut png = bytes("square.png");
    // Width and height, and the checksum of the header with them.
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    let error = decode(&png).unwrap_err();
    assert!(matches!(error, ImageError::TooLarge { width: 100_000, height: 100_000, .. }), "{error}");
    assert!(error.to_string().ends_with("the most that is read is 64 million"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
