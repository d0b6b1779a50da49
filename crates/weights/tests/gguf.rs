//! GGUF headers: good ones are read, and each way of being wrong has its own error.
#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

mod common;

use common::{Gguf, floats, open};
use serde_json::json;
use tensor::Format;
use weights::gguf::{Header, Value};
use weights::{Config, WeightsError, gguf};

fn parse(bytes: &[u8]) -> Result<Header, WeightsError> {
    gguf::parse("f.gguf", bytes, bytes.len() as u64).map(|header| header.unwrap())
}

fn small() -> Gguf {
    Gguf::new().entry("general.architecture", &json!("llama")).tensor("a", &[2, 3], 0, &floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]))
}

#[test]
fn every_kind_of_value_is_read() {
    let file = Gguf::new()
        .raw("u8", 0, &[200])
        .raw("i8", 1, &[0xfe])
        .raw("u16", 2, &[1, 2])
        .raw("i16", 3, &[0xfe, 0xff])
        .raw("u32", 4, &u32::MAX.to_le_bytes())
        .raw("i32", 5, &(-3_i32).to_le_bytes())
        .raw("f32", 6, &1e-5_f32.to_le_bytes())
        .raw("bool", 7, &[1])
        .entry("text", &json!("ü"))
        .raw("u64", 10, &u64::MAX.to_le_bytes())
        .raw("i64", 11, &i64::MIN.to_le_bytes())
        .raw("f64", 12, &0.1_f64.to_le_bytes())
        .entry("texts", &json!(["", "ab", "ü", ""]))
        .entry("numbers", &json!([-1, 2, 3]))
        .entry("floats", &json!([0.5, -0.25]));
    let metadata = parse(&file.bytes()).unwrap().metadata;
    for (key, value) in [
        ("u8", Value::Unsigned(200)),
        ("i8", Value::Signed(-2)),
        ("u16", Value::Unsigned(513)),
        ("i16", Value::Signed(-2)),
        ("u32", Value::Unsigned(u64::from(u32::MAX))),
        ("i32", Value::Signed(-3)),
        ("f32", Value::Float(f64::from(1e-5_f32))),
        ("bool", Value::Flag(true)),
        ("text", Value::Text("ü".to_owned())),
        ("u64", Value::Unsigned(u64::MAX)),
        ("i64", Value::Signed(i64::MIN)),
        ("f64", Value::Float(0.1)),
    ] {
        assert_eq!(metadata.get(key), Some(&value), "{key}");
    }
    assert_eq!(metadata.texts("texts").unwrap().unwrap().iter().collect::<Vec<_>>(), ["", "ab", "ü", ""]);
    assert_eq!(metadata.texts("texts").unwrap().unwrap().get(4), None);
    assert_eq!(metadata.float_array("numbers").unwrap().unwrap(), [-1.0, 2.0, 3.0]);
    assert_eq!(metadata.float_array("floats").unwrap().unwrap(), [0.5, -0.25]);
    assert_eq!(metadata.unsigned_array("u8").unwrap().unwrap(), [200]);
    assert_eq!(metadata.iter().count(), 15);
    // What is there but is something else is an error; what is not there is none.
    assert_eq!(metadata.unsigned("missing").unwrap(), None);
    assert!(metadata.unsigned_array("numbers").is_err() && metadata.unsigned("i8").is_err() && metadata.text("u8").is_err());
    assert!(metadata.flag("u8").is_err() && metadata.float("text").is_err() && metadata.texts("numbers").is_err());
}

#[test]
fn tensors_lie_after_the_header_at_the_files_alignment() {
    for alignment in [8_u64, 32, 4096] {
        let mut file = Gguf::new().entry("general.alignment", &json!(alignment));
        file.alignment = alignment;
        let file = file.tensor("first", &[32, 2], 3, &[7; 40]).tensor("second", &[3], 0, &floats([1.0, 2.0, 3.0]));
        let bytes = file.bytes();
        let header = parse(&bytes).unwrap();
        let [first, second] = header.tensors.as_slice() else { panic!("{:?}", header.tensors) };
        assert_eq!((first.shape.as_slice(), first.format, first.len_bytes), (&[2, 32][..], Format::Q4_1, 40));
        assert_eq!((second.shape.as_slice(), second.format, second.len_bytes), (&[3][..], Format::F32, 12));
        for info in [first, second] {
            assert!(info.offset.is_multiple_of(alignment), "{alignment}: {info:?}");
        }
        assert_eq!(bytes[first.offset as usize..first.end() as usize], [7; 40]);
        assert_eq!(bytes[second.offset as usize..second.end() as usize], floats([1.0, 2.0, 3.0]));
    }
}

#[test]
fn version_2_is_read_as_version_3() {
    let mut file = small();
    file.version = 2;
    assert_eq!(parse(&file.bytes()).unwrap().tensors.len(), 1);
}

#[test]
fn every_type_has_its_format() {
    for (code, format) in [
        (0, Format::F32),
        (1, Format::F16),
        (2, Format::Q4_0),
        (3, Format::Q4_1),
        (6, Format::Q5_0),
        (7, Format::Q5_1),
        (8, Format::Q8_0),
        (12, Format::Q4K),
        (13, Format::Q5K),
        (14, Format::Q6K),
        (30, Format::Bf16),
    ] {
        let data = vec![0; format.bytes_of(256).unwrap()];
        let header = parse(&Gguf::new().tensor("t", &[256], code, &data).bytes()).unwrap();
        assert_eq!((header.tensors[0].format, header.tensors[0].len_bytes), (format, data.len() as u64));
    }
}

/// However short the prefix, the answer is "more" until the header is whole, and then always the same.
#[test]
fn a_header_is_read_from_any_prefix_that_holds_it() {
    let bytes = small().entry("texts", &json!(["one", "two"])).bytes();
    let whole = parse(&bytes).unwrap();
    let mut complete = false;
    for len in 0..=bytes.len() {
        match gguf::parse("f.gguf", &bytes[..len], bytes.len() as u64).unwrap() {
            Some(header) => {
                complete = true;
                assert_eq!(header.tensors, whole.tensors);
            }
            None => assert!(!complete, "a longer prefix of {len} bytes was not enough"),
        }
    }
    assert!(complete);
}

/// A header of more than one piece: the reader doubles what it holds until it is enough.
#[test]
fn a_long_header_is_read_in_growing_pieces() {
    let long = "x".repeat(5 << 20);
    let checkpoint = open(vec![("long.gguf", small().entry("long", &json!(long)).bytes())]).unwrap();
    let Config::Gguf(metadata) = checkpoint.config() else { panic!("not GGUF") };
    assert_eq!(metadata.text("long").unwrap().unwrap().len(), 5 << 20);
    assert_eq!(
        pollster::block_on(checkpoint.read(checkpoint.require("a").unwrap())).unwrap(),
        floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    );
}

#[test]
fn every_truncation_is_an_error_that_says_so() {
    let bytes = small().entry("texts", &json!(["one", "two"])).entry("numbers", &json!([1, 2])).bytes();
    for len in 0..bytes.len() {
        let error = parse(&bytes[..len]).unwrap_err();
        let told = matches!(error, WeightsError::Truncated { .. } | WeightsError::Offset { .. } | WeightsError::Value { .. });
        assert!(told && error.to_string().starts_with("f.gguf: "), "{len} bytes: {error}");
    }
}

fn said(file: &Gguf) -> String {
    parse(&file.bytes()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_is_wrong_is_named_with_what_was_found_and_expected() {
    let four = floats([0.0; 4]);
    let mut version = small();
    version.version = 1;
    let mut big_endian = small();
    big_endian.version = 3_u32.swap_bytes();
    for (file, expected) in [
        (version, "f.gguf: version 1, expected 2 or 3, little-endian"),
        (big_endian, "f.gguf: version 3 in big-endian order, expected 2 or 3, little-endian"),
        (small().entry("k", &json!(1)).entry("k", &json!(2)), "f.gguf: k: found a second value, expected one"),
        (small().raw("k", 13, &[0]), "f.gguf: k: found type 13, expected a type from 0 to 12"),
        (
            small().raw("k", 9, &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            "f.gguf: k: found an array of type 9, expected numbers, flags (0 to 7, 10 to 12) or texts (8)",
        ),
        (
            small().entry("general.alignment", &json!(33)),
            "general.alignment: found 33, expected a power of two from 8 to 1048576",
        ),
        (small().tensor("a", &[4], 0, &four), "f.gguf: tensor a appears twice (first in f.gguf)"),
        (small().tensor("b", &[1, 1, 1, 1, 4], 0, &four), "f.gguf: tensor b: shape 5 dimensions, expected at most 4"),
        (small().tensor("b", &[16, 4], 2, &four), "tensor b: shape [4, 16], expected rows of a multiple of 32 elements for Q4_0"),
        (small().tensor("b", &[1 << 40, 1 << 40], 0, &four), "expected no more elements than memory has addresses"),
        (small().tensor("b", &[1 << 62], 0, &four), "tensor b: shape [4611686018427387904]"),
        (small().tensor("b", &[1 << 40], 0, &four), "tensor b: 4398046511104 bytes at 32 after the header"),
        (
            small().tensor("b", &[256], 10, &four),
            "tensor b: stored as Q2_K, expected one of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K",
        ),
        (small().tensor("b", &[4], 99, &four), "tensor b: stored as type 99, expected one of"),
        (
            small().tensor("b", &[4], 0, &four).with_last(|t| t.offset = 40),
            "tensor b: offset 40, expected a multiple of the alignment, 32",
        ),
        (small().tensor("b", &[4], 0, &four).with_last(|t| t.offset = 4096), "tensor b: 16 bytes at 4096 after the header"),
        (small().tensor("b", &[4], 0, &four).with_last(|t| t.offset = u64::MAX - 31), "expected an end within the file's"),
        (small().tensor("b", &[4], 0, &four).with_last(|t| t.offset = 0), "begins at"),
    ] {
        let said = said(&file);
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
    let error = parse(b"PK\x03\x04 a zip archive").unwrap_err().to_string();
    assert_eq!(error, r#"f.gguf: begins with "PK\\x03\\x04", expected "GGUF""#);
}

/// Counts that no file of that length can hold are refused before anything is allocated for them.
#[test]
fn absurd_counts_are_refused_at_once() {
    for (tensors, entries) in [(u64::MAX, 1), (1 << 40, 1), (1, u64::MAX), (1, 1 << 32)] {
        let error = parse(&small().bytes_with_counts(tensors, entries)).unwrap_err().to_string();
        assert!(error.contains("which is what the rest of the file can hold"), "{error}");
    }
    for code in [0_u32, 4, 8, 12] {
        let array = [&code.to_le_bytes()[..], &(1_u64 << 60).to_le_bytes()].concat();
        let error = said(&small().raw("list", 9, &array));
        assert!(error.contains("f.gguf: list: found 1152921504606846976"), "{error}");
    }
    let error = said(&small().raw("text", 8, &u64::MAX.to_le_bytes()));
    assert!(
        error.contains("text at byte") && error.contains("needs 18446744073709551615 bytes, but the file ends at"),
        "{error}"
    );
}

#[test]
fn a_part_of_a_split_model_is_refused() {
    let error = open(vec![("m-00001-of-00002.gguf", small().entry("split.count", &json!(2)).bytes())]).err().unwrap().to_string();
    assert!(error.contains("split.count: found one of 2 parts"), "{error}");
}
