//! Damaged pictures: none passes for the whole one, and none makes a reader panic.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

use images::{ImageError, decode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What Pillow sees in a picture of `fuzz/seeds/picture`: see `make_small.py`.
#[derive(Deserialize)]
struct Seen {
    width: usize,
    height: usize,
    means: [f64; 3],
}

fn seen() -> BTreeMap<String, Seen> {
    serde_json::from_str(include_str!("small.json")).unwrap()
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/picture").join(name)).unwrap()
}

fn reason(bytes: &[u8]) -> String {
    match decode(bytes) {
        Err(ImageError::Damaged { reason }) => reason,
        other => format!("{other:?}"),
    }
}

fn jpegs() -> impl Iterator<Item = String> {
    seen().into_keys().filter(|name| name.ends_with(".jpg"))
}

/// Where the codes of the last scan begin and end.
fn last_codes(jpeg: &[u8]) -> (usize, usize) {
    let marker = |wanted: u8| jpeg.windows(2).rposition(|pair| pair == [0xff, wanted]).unwrap();
    let (scan, end) = (marker(0xda), marker(0xd9));
    (scan + 2 + usize::from(u16::from_be_bytes([jpeg[scan + 2], jpeg[scan + 3]])), end)
}

#[test]
fn whole_pictures_are_those_that_pillow_sees() {
    for (name, Seen { width, height, means }) in seen() {
        let picture = decode(&bytes(&name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (width, height), "{name}");
        for (channel, expected) in means.into_iter().enumerate() {
            let values = picture.rgb().iter().skip(channel).step_by(3);
            let mean = values.map(|value| f64::from(*value)).sum::<f64>() / (width * height) as f64;
            let bound = if name.ends_with(".png") || name.starts_with("lossless") { 0.001 } else { 1.0 };
            assert!((mean - expected).abs() < bound, "{name}: {mean} instead of {expected}");
        }
    }
}

#[test]
fn a_picture_that_is_cut_anywhere_is_refused() {
    for name in seen().into_keys() {
        let whole = bytes(&name);
        for len in 0..whole.len() {
            assert!(decode(&whole[..len]).is_err(), "{name}: {len} of {} bytes pass for a picture", whole.len());
        }
    }
}

/// What programs that mend files do: the end marker is there, and the picture is not.
#[test]
fn a_jpeg_whose_codes_end_before_the_picture_does_is_refused() {
    for name in jpegs() {
        let whole = bytes(&name);
        let (start, end) = last_codes(&whole);
        // The last byte may be of bits that fill it up.
        for len in start..end - 1 {
            let mended = [&whole[..len], &[0xff, 0xd9]].concat();
            let reason = reason(&mended);
            assert!(reason.contains("before the picture does") || reason.contains("restart marker"), "{name}: {len}: {reason}");
        }
    }
}

#[test]
fn a_jpeg_with_codes_that_are_none_or_restarts_out_of_order_is_refused() {
    for name in jpegs() {
        let whole = bytes(&name);
        let (start, end) = last_codes(&whole);
        let middle = (start + end) / 2;
        // No code is all ones.
        let ones = [&whole[..middle], &[0xff, 0].repeat(8), &whole[middle..]].concat();
        assert!(decode(&ones).is_err(), "{name}");
    }
    let whole = bytes("restarts.jpg");
    let restart = whole.windows(2).position(|pair| pair == [0xff, 0xd1]).unwrap();
    let mut changed = whole.clone();
    changed[restart + 1] = 0xd5;
    assert!(reason(&changed).contains("a restart marker is missing"), "{}", reason(&changed));
    let without = [&whole[..restart], &whole[restart + 2..]].concat();
    assert!(decode(&without).is_err());
}

/// What cameras and programs add, none of which belongs to the picture.
#[test]
fn a_jpeg_with_bytes_between_and_after_what_it_is_made_of_is_read() {
    for name in jpegs() {
        let whole = bytes(&name);
        let pixels = decode(&whole).unwrap();
        let (_, end) = last_codes(&whole);
        let after = [&whole[..], b"a second picture", &whole[..]].concat();
        let filled = [&whole[..2], &[0xff, 0xff], &whole[2..end], &[0xff, 0xff], &whole[end..]].concat();
        let comment = [&whole[..2], &[0xff, 0xfe, 0, 6], &[0xff, 0xd9, 0xff, 0xda], &whole[2..]].concat();
        for changed in [after, filled, comment] {
            assert_eq!(decode(&changed).unwrap(), pixels, "{name}");
        }
    }
}

#[test]
fn a_png_is_refused_for_any_byte_that_is_another() {
    for name in ["colours.png", "palette.png"] {
        let whole = bytes(name);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(decode(&changed).is_err(), "{name}: byte {at}");
        }
        let after = [&whole[..], b"more"].concat();
        assert_eq!(decode(&after).unwrap(), decode(&whole).unwrap());
        assert!(reason(&whole[..whole.len() - 12]).contains("IEND"));
        let data = whole.windows(4).position(|piece| piece == b"IDAT").unwrap();
        let mut changed = whole.clone();
        changed[data + 10] ^= 1;
        assert!(reason(&changed).contains("the checksum of its piece IDAT"), "{}", reason(&changed));
    }
}

#[test]
fn a_webp_with_bytes_after_it_is_read_and_one_whose_pieces_do_not_fit_is_refused() {
    for name in seen().into_keys().filter(|name| name.ends_with(".webp")) {
        let whole = bytes(&name);
        let after = [&whole[..], b"more"].concat();
        assert_eq!(decode(&after).unwrap(), decode(&whole).unwrap(), "{name}");
        // Both lengths are those of the cut file, but the picture's own data are not all there.
        let cut = (whole.len() / 2) & !1;
        let mut mended = whole[..cut].to_vec();
        mended[4..8].copy_from_slice(&(cut as u32 - 8).to_le_bytes());
        assert!(decode(&mended).is_err(), "{name}");
        if &whole[12..16] != b"VP8X" {
            mended[16..20].copy_from_slice(&(cut as u32 - 20).to_le_bytes());
            assert!(decode(&mended).is_err(), "{name}");
        }
    }
}

/// SplitMix64: the same files every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

#[test]
fn twenty_thousand_damaged_files_give_a_picture_or_an_error() {
    let seeds: Vec<Vec<u8>> = seen().into_keys().map(|name| bytes(&name)).collect();
    let mut random = Random(0x41_74_4d_61_6e);
    for _ in 0..20_000 {
        let mut changed = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(changed.len());
            match random.below(6) {
                0 | 1 => changed[at] ^= 1 << random.below(8),
                2 => changed[at] = random.below(256) as u8,
                3 => changed.truncate(at.max(20)),
                4 => drop(changed.splice(at..at, [0xff, random.below(256) as u8])),
                _ => {
                    let other = &seeds[random.below(seeds.len())];
                    changed.truncate(at.max(20));
                    changed.extend(&other[random.below(other.len())..]);
                }
            }
        }
        match decode(&changed) {
            Ok(picture) => assert_eq!(picture.rgb().len(), 3 * picture.width() * picture.height()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
