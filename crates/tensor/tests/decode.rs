//! Stored blocks decode to what the Python package gguf says they hold; fixtures by `fixtures/make.py`.
#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

use std::path::Path;
use tensor::{DecodeError, Format, decode};

/// Stored bytes and expected values of a fixture.
fn fixture(format: Format) -> (Vec<u8>, Vec<f32>) {
    let name = format!("tests/fixtures/{}.bin", format.name().to_lowercase());
    let mut stored = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&name)).unwrap();
    let blocks = stored.len() / (format.block_bytes() + 4 * format.block_len());
    let values = stored.split_off(blocks * format.block_bytes());
    let (values, rest) = values.as_chunks::<4>();
    assert!(blocks > 0 && rest.is_empty(), "{name} is no fixture of {format}");
    (stored, values.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

/// Units in the last place between two finite floats.
fn ulps(a: f32, b: f32) -> u32 {
    let ordered = |x: f32| if x.is_sign_negative() { -i64::from(x.to_bits() & 0x7fff_ffff) } else { i64::from(x.to_bits()) };
    u32::try_from((ordered(a) - ordered(b)).abs()).unwrap_or(u32::MAX)
}

#[test]
fn every_format_decodes_bit_for_bit_as_gguf_does() {
    for format in Format::ALL {
        let (stored, expected) = fixture(format);
        let mut got = vec![f32::NAN; expected.len()];
        decode(format, &stored, &mut got).unwrap();
        for (i, (&got, &expected)) in got.iter().zip(&expected).enumerate() {
            assert_eq!(ulps(got, expected), 0, "{format}[{i}]: {got} is not {expected}");
        }
    }
}

#[test]
fn rows_decode_alone_as_they_do_together() {
    for format in Format::ALL {
        let (stored, expected) = fixture(format);
        let mut row = vec![0.0; format.block_len()];
        for (block, expected) in stored.chunks_exact(format.block_bytes()).zip(expected.chunks_exact(format.block_len())) {
            decode(format, block, &mut row).unwrap();
            assert_eq!(row, expected, "{format}");
        }
    }
}

#[test]
fn a_length_that_does_not_fit_is_refused_and_named() {
    for format in Format::ALL {
        let (stored, expected) = fixture(format);
        let mut out = vec![0.0; expected.len()];
        let short = decode(format, &stored[1..], &mut out);
        assert_eq!(short, Err(DecodeError::Length { format, elements: out.len(), bytes: stored.len() - 1 }));
        assert!(out.iter().all(|&x| x == 0.0), "{format} wrote before it refused");
    }
    let mut out = [0.0; 33];
    assert_eq!(
        decode(Format::Q4_0, &[0; 18], &mut out).unwrap_err().to_string(),
        "33 elements of Q4_0 take no whole number of bytes, got 18"
    );
}

#[test]
fn infinite_scales_and_nan_pass_through_without_a_panic() {
    for format in Format::ALL {
        let mut out = vec![0.0; format.block_len()];
        decode(format, &vec![0xff; format.block_bytes()], &mut out).unwrap();
    }
}
