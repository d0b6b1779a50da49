//! Models of several files: what is read, and what each way of being wrong is called.

mod common;

use common::{Gguf, floats, open, safetensors};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use tensor::Format;
use weights::{ByteSource, Checkpoint, MemorySource, ModelFiles, Reading, WeightsError};

fn entry(dtype: &str, shape: &[u64], from: u64, to: u64) -> Value {
    json!({"dtype": dtype, "shape": shape, "data_offsets": [from, to]})
}

fn model(header: &Value, data_len: usize) -> Result<Checkpoint, WeightsError> {
    open(vec![("config.json", b"{}".to_vec()), ("model.safetensors", safetensors(header, data_len))])
}

fn said(result: Result<Checkpoint, WeightsError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

/// What the `safetensors` crate writes is what is read.
#[test]
fn a_file_of_the_safetensors_crate_is_read() {
    use ::safetensors::tensor::{Dtype, TensorView, serialize};
    let (f32s, f16s, ids) = (floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), vec![1, 2, 3, 4], vec![9; 8]);
    let views = [
        ("b.weight", TensorView::new(Dtype::F32, vec![2, 3], &f32s).unwrap()),
        ("a.weight", TensorView::new(Dtype::BF16, vec![2], &f16s).unwrap()),
        ("half", TensorView::new(Dtype::F16, vec![1, 2], &f16s).unwrap()),
        ("ids", TensorView::new(Dtype::I64, vec![1], &ids).unwrap()),
    ];
    let bytes = serialize(views, Some([("format".to_owned(), "pt".to_owned())].into())).unwrap();
    let checkpoint = open(vec![("config.json", br#"{"model_type": "llama"}"#.to_vec()), ("model.safetensors", bytes)]).unwrap();
    let read = |name: &str| {
        let info = checkpoint.require(name).unwrap();
        (info.shape.clone(), info.format, pollster::block_on(checkpoint.read(info)).unwrap())
    };
    assert_eq!(read("b.weight"), (vec![2, 3], Format::F32, f32s));
    assert_eq!(read("a.weight"), (vec![2], Format::Bf16, f16s.clone()));
    assert_eq!(read("half"), (vec![1, 2], Format::F16, f16s));
    assert_eq!(checkpoint.tensors().count(), 3);
    // A table of integers is no reason to refuse a model, but to refuse to read it as weights.
    let error = checkpoint.require("ids").unwrap_err().to_string();
    assert_eq!(error, "model.safetensors: tensor ids: stored as I64, expected one of F32, F16, BF16");
    let error = checkpoint.require("c.weight").unwrap_err().to_string();
    assert!(error.contains("tensor c.weight is missing; the file has 3 tensors, among them "), "{error}");
    assert!(matches!(checkpoint.tokenizer(), Err(WeightsError::NoTokenizer { .. })));
    let weights::Config::HuggingFace(config) = checkpoint.config() else { panic!("not a folder") };
    assert_eq!(config["model_type"], "llama");
}

#[test]
fn wrong_safetensors_headers_are_named_with_what_was_found_and_expected() {
    for (header, data_len, expected) in [
        (json!({"a": entry("F32", &[3], 0, 8)}), 8, "tensor a: data_offsets [0, 8], expected 12 bytes for [3] of F32"),
        (json!({"a": entry("F32", &[2], 8, 0)}), 8, "tensor a: data_offsets [8, 0], expected a range within the 8 bytes"),
        (json!({"a": entry("F32", &[4], 0, 16)}), 8, "tensor a: data_offsets [0, 16], expected a range within the 8 bytes"),
        (json!({"a": entry("F32", &[2], 0, 8)}), 12, "the file's length: found 12 bytes after the header, expected 8"),
        (json!({"a": entry("F32", &[2, 0], 0, 8)}), 8, "tensor a: data_offsets [0, 8], expected no bytes for [2, 0]"),
        (json!({"a": entry("F32", &[1 << 40, 1 << 40], 0, 8)}), 8, "expected no more elements than memory has addresses"),
        (json!({"a": entry("F32", &[2], 0, 8), "b": entry("F32", &[2], 4, 12)}), 12, "tensor b begins at"),
        (
            json!({"a": entry("F32", &[2], 0, 8), "b": entry("I8", &[8], 4, 12)}),
            12,
            "tensor b: data_offsets [4, 12], expected a start of 8",
        ),
        (json!({"a": {"dtype": "F32", "shape": [2]}}), 8, "tensor a: missing field `data_offsets`"),
        (json!({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}), 8, "tensor a: invalid value: integer `-2`"),
        (json!([1]), 0, "expected an object of tensors by name"),
        (json!({}), 4, "the file's length: found 4 bytes after the header, expected 0"),
    ] {
        let said = said(model(&header, data_len));
        assert!(said.starts_with("model.safetensors: ") && said.contains(expected), "{said:?} does not say {expected:?}");
    }
    let twice = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let file = [&(twice.len() as u64).to_le_bytes()[..], twice, &[0; 8]].concat();
    assert!(said(open(vec![("config.json", b"{}".to_vec()), ("m.safetensors", file)])).contains("tensor a appears twice"));
}

#[test]
fn a_safetensors_header_longer_than_the_file_is_not_allocated() {
    for (bytes, expected) in [
        (vec![0; 7], "the header's length at byte 0 needs 8 bytes, but the file ends at 7"),
        (vec![0xff; 100], "the header at byte 8 needs 18446744073709551615 bytes, but the file ends at 100"),
        ([&93_u64.to_le_bytes()[..], &[b' '; 92]].concat(), "the header at byte 8 needs 93 bytes, but the file ends at 100"),
    ] {
        let said = said(open(vec![("config.json", b"{}".to_vec()), ("model.safetensors", bytes)]));
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
}

#[test]
fn tensors_without_elements_are_no_reason_to_refuse_a_file() {
    let header = json!({
        "a": entry("F32", &[2], 0, 8),
        "b": entry("F16", &[0], 0, 0),
        "c": entry("F32", &[3, 0, 2], 8, 8),
        "d": entry("F32", &[1 << 40, 1 << 40, 0], 8, 8),
        "e": entry("I64", &[0], 8, 8)
    });
    let checkpoint = model(&header, 8).unwrap();
    assert_eq!(checkpoint.tensors().map(|info| info.name.as_str()).collect::<Vec<_>>(), ["a"]);
    let others: Vec<&str> = checkpoint.unread_tensors().map(|other| other.name.as_str()).collect();
    assert!(others == ["b", "c", "d", "e"] && checkpoint.unread_tensors().all(weights::UnreadTensor::is_empty));
    let error = checkpoint.require("c").unwrap_err().to_string();
    assert_eq!(error, "model.safetensors: tensor c: shape [3, 0, 2], expected at least one element in every dimension");

    let gguf = Gguf::new().tensor("a", &[4], 0, &floats([0.0; 4])).tensor("b", &[0, 4], 0, &[]).tensor("c", &[0], 12, &[]);
    let checkpoint = open(vec![("m.gguf", gguf.tensor("d", &[4], 0, &floats([0.0; 4])).bytes())]).unwrap();
    assert_eq!((checkpoint.tensors().count(), checkpoint.unread_tensors().count()), (2, 2));
}

/// Windows' editors put one before the text of a file.
#[test]
fn a_byte_order_mark_is_no_part_of_any_file_of_a_model() {
    let marked = |text: &str| [b"\xef\xbb\xbf", text.replace('\n', "\r\n").as_bytes()].concat();
    let index = r#"{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"#;
    let tokenizer = r#"{"model": {"vocab": {"a": 0, "b": 1}, "merges": []}, "decoder": {"type": "ByteLevel"}}"#;
    let weights = safetensors(&json!({"a": entry("F32", &[2], 0, 8)}), 8);
    let files = |encode: &dyn Fn(&str) -> Vec<u8>| {
        vec![
            ("config.json", encode("{\n\"vocab_size\": 2\n}\n")),
            ("model.safetensors.index.json", encode(index)),
            ("tokenizer.json", encode(tokenizer)),
            ("tokenizer_config.json", encode("{}\n")),
            ("generation_config.json", encode("{}\n")),
            ("preprocessor_config.json", encode("{\n\"resample\": 1}\n")),
            ("model-00001-of-00001.safetensors", weights.clone()),
        ]
    };
    let checkpoint = open(files(&marked)).unwrap();
    assert_eq!(checkpoint.image_processor(), Some(&json!({"resample": 1})));
    assert!(checkpoint.tokenizer().is_ok());
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for at in 0..6 {
        let mut files = files(&marked);
        files[at].1 = utf16(std::str::from_utf8(&files[at].1[3..]).unwrap());
        let name = files[at].0;
        let expected = format!("{name}: the text is stored as UTF-16, little-endian, expected UTF-8; save it as UTF-8");
        assert_eq!(said(open(files)), expected);
    }
}

fn sharded(index: &Value) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("config.json", b"{}".to_vec()),
        ("model.safetensors.index.json", index.to_string().into_bytes()),
        ("model-00001-of-00002.safetensors", safetensors(&json!({"a": entry("F32", &[2], 0, 8)}), 8)),
        ("model-00002-of-00002.safetensors", safetensors(&json!({"b": entry("F16", &[2], 0, 4)}), 4)),
    ]
}

#[test]
fn a_sharded_model_is_read_through_its_index() {
    let index = json!({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}});
    let checkpoint = open(sharded(&index)).unwrap();
    let files: Vec<&str> = checkpoint.tensors().map(|info| checkpoint.file_name(info)).collect();
    assert_eq!(files, ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]);
    assert_eq!(pollster::block_on(checkpoint.read(checkpoint.require("b").unwrap())).unwrap(), [1; 4]);
}

#[test]
fn an_index_that_contradicts_the_files_is_refused() {
    let (one, two) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    for (map, expected) in [
        (
            json!({"a": one, "b": "model-00003.safetensors"}),
            "model-00003.safetensors is missing; model.safetensors.index.json needs it",
        ),
        (json!({"a": one, "b": "../../etc/passwd"}), "../../etc/passwd is missing"),
        (json!({"a": two, "b": two}), "weight_map: a: found model-00002-of-00002.safetensors, expected a file that has it"),
        (
            json!({"a": two, "b": one}),
            "weight_map: a: found model-00002-of-00002.safetensors, expected model-00001-of-00002.safetensors",
        ),
        (
            json!({"a": one, "b": two, "c": two}),
            "weight_map: c: found model-00002-of-00002.safetensors, expected a file that has it",
        ),
        (json!({}), "weight_map: found no tensors, expected at least one"),
        (json!({"a": 1}), "model.safetensors.index.json: invalid type: integer `1`"),
    ] {
        let said = said(open(sharded(&json!({"weight_map": map}))));
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
    let mut files = sharded(&json!({"weight_map": {"a": one, "b": two}}));
    files[3].1 = safetensors(&json!({"a": entry("F16", &[2], 0, 4)}), 4);
    assert_eq!(said(open(files)), format!("{two}: tensor a appears twice (first in {one})"));
}

#[test]
fn settings_of_the_image_processor_are_read_from_either_file() {
    let with = |files: &[(&'static str, &'static str)]| {
        let mut all = vec![("config.json", b"{}".to_vec())];
        all.push(("model.safetensors", safetensors(&json!({"a": entry("F32", &[2], 0, 8)}), 8)));
        all.extend(files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())));
        open(all)
    };
    let read = |files: &[_]| with(files).unwrap().image_processor().cloned();
    let own = ("preprocessor_config.json", r#"{"resample": 1}"#);
    let within = ("processor_config.json", r#"{"image_seq_len": 64, "image_processor": {"resample": 2}}"#);
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[own]), Some(json!({"resample": 1})));
    assert_eq!(read(&[within]), Some(json!({"resample": 2})));
    assert_eq!(read(&[own, within]), Some(json!({"resample": 2})));
    assert_eq!(read(&[own, ("processor_config.json", r#"{"image_seq_len": 64}"#)]), Some(json!({"resample": 1})));
    assert_eq!(read(&[("preprocessor_config.json", "[1]")]), None);
    let error = said(with(&[("preprocessor_config.json", "{")]));
    assert!(error.starts_with("preprocessor_config.json"), "{error}");
}

#[test]
fn what_is_no_model_is_told() {
    let weights = safetensors(&json!({"a": entry("F32", &[2], 0, 8)}), 8);
    let gguf = Gguf::new().bytes();
    for (files, expected) in [
        (vec![], "an empty list of files is no model: found no weights"),
        (
            vec![("config.json", b"{}".to_vec())],
            "config.json is no model: found no weights, expected one .gguf file, or config.json",
        ),
        (vec![("model.safetensors", weights.clone())], "config.json is missing; the model in model.safetensors needs it"),
        (
            vec![("config.json", b"{}".to_vec()), ("a.safetensors", weights.clone()), ("b.safetensors", weights.clone())],
            "config.json, a.safetensors, b.safetensors holds several models, a.safetensors, b.safetensors: give the one that you mean",
        ),
        (vec![("a.gguf", gguf.clone()), ("b.gguf", gguf)], "a.gguf, b.gguf holds several models, a.gguf, b.gguf: give the one"),
        (vec![("config.json", b"{".to_vec()), ("model.safetensors", weights.clone())], "config.json: EOF while parsing"),
        (
            vec![("config.json", vec![b' '; 2 << 20]), ("model.safetensors", weights)],
            "config.json: text of 2097152 bytes, expected at most 1048576",
        ),
        (vec![("model.bin", b"PK\x03\x04".to_vec())], r#"model.bin: begins with "PK\\x03\\x04", expected "GGUF""#),
    ] {
        let said = said(open(files));
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
}

/// Remembers the longest read, and fails one that begins at `fail_at`.
struct Watched {
    inner: MemorySource,
    longest: Rc<RefCell<usize>>,
    fail_at: Option<u64>,
}

impl ByteSource for Watched {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn len_bytes(&self) -> u64 {
        self.inner.len_bytes()
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        let longest = (*self.longest.borrow()).max(into.len());
        *self.longest.borrow_mut() = longest;
        if self.fail_at == Some(offset) {
            return Box::pin(std::future::ready(Err(std::io::Error::other("the line is dead"))));
        }
        self.inner.read_at(offset, into)
    }
}

fn watched(bytes: Vec<u8>, fail_at: Option<u64>) -> (Rc<RefCell<usize>>, Result<Checkpoint, WeightsError>) {
    let longest = Rc::new(RefCell::new(0));
    let source = Watched { inner: MemorySource::new("w.gguf", bytes), longest: longest.clone(), fail_at };
    let files = ModelFiles::new(vec![("w.gguf".to_owned(), Box::new(source))]);
    (longest, pollster::block_on(Checkpoint::open(files)))
}

#[test]
fn a_large_tensor_comes_in_pieces_of_whole_multiples_of_rows() {
    let rows = 3000_usize;
    let data: Vec<u8> = (0..rows as u32).flat_map(|row| [row; 2048]).flat_map(u32::to_le_bytes).collect();
    let file = Gguf::new().tensor("t", &[2048, rows as u64], 0, &data).tensor("v", &[4], 0, &floats([0.0; 4]));
    let (longest, checkpoint) = watched(file.bytes(), None);
    let checkpoint = checkpoint.unwrap();
    assert!(*longest.borrow() <= 1 << 20, "the header took a read of {}", longest.borrow());
    let info = checkpoint.require("t").unwrap();
    for multiple in [0, 1, 7, 1000, 2999, 3000, 5000] {
        let (mut next, mut pieces) = (0, Vec::new());
        let mut visit = |first: usize, bytes: &[u8]| {
            assert_eq!(first, next);
            let (words, _) = bytes.as_chunks::<4>();
            assert!(words.iter().enumerate().all(|(i, word)| u32::from_le_bytes(*word) as usize == first + i / 2048));
            next += words.len() / 2048;
            pieces.push(words.len() / 2048);
            Ok(())
        };
        pollster::block_on(checkpoint.stream_rows::<WeightsError>(info, multiple, &mut visit)).unwrap();
        assert_eq!(next, rows, "{multiple}");
        let most = weights::PIECE_BYTES as usize / (4 * 2048);
        let (last, whole) = pieces.split_last().unwrap();
        let step = multiple.max(1);
        assert!(whole.iter().chain([last]).all(|&n| n <= most.max(step)), "{multiple}: {pieces:?}");
        assert!(whole.iter().all(|n| n.is_multiple_of(step)), "{multiple}: {pieces:?}");
    }
    assert!(*longest.borrow() as u64 <= 3000 * 4 * 2048);
    let too_large = pollster::block_on(checkpoint.read(info)).unwrap_err().to_string();
    assert!(too_large.contains("a tensor read as a whole of 24576000 bytes, expected at most 16777216"), "{too_large}");
    assert_eq!(pollster::block_on(checkpoint.read(checkpoint.require("v").unwrap())).unwrap().len(), 16);
}

#[test]
fn a_source_that_fails_and_a_visitor_that_refuses_end_the_stream() {
    let file = Gguf::new().tensor("t", &[2048, 3000], 0, &vec![0; 2048 * 3000 * 4]);
    let (_, whole) = watched(file.bytes(), None);
    let whole = whole.unwrap();
    let second = whole.require("t").unwrap().offset + weights::PIECE_BYTES;
    let mut rows = Vec::new();
    let (_, failing) = watched(file.bytes(), Some(second));
    let failing = failing.unwrap();
    let info = failing.require("t").unwrap();
    let mut visit = |first: usize, _: &[u8]| {
        rows.push(first);
        Ok(())
    };
    let error = pollster::block_on(failing.stream_rows::<WeightsError>(info, 1, &mut visit)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("w.gguf: reading 7798784 bytes at {second} failed: the line is dead")), "{error}");
    assert_eq!(rows, [0]);

    #[derive(Debug)]
    struct Mine(&'static str);
    impl From<WeightsError> for Mine {
        fn from(_: WeightsError) -> Mine {
            Mine("a weights error")
        }
    }
    let error = pollster::block_on(whole.stream_rows(info, 1, &mut |_, _| Err(Mine("enough")))).unwrap_err();
    assert_eq!(error.0, "enough");
}

#[test]
fn a_model_on_disk_is_a_file_or_a_folder() {
    let folder = std::env::temp_dir().join(format!("atman-model-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    let open = |path: &std::path::Path| ModelFiles::from_path(path).and_then(|files| pollster::block_on(Checkpoint::open(files)));
    put("m.gguf", &Gguf::new().tensor("t", &[4], 0, &floats([0.0; 4])).bytes());
    put("README.md", b"text");
    for path in [folder.clone(), folder.join("m.gguf")] {
        assert_eq!(open(&path).unwrap().tensors().count(), 1, "{}", path.display());
    }
    // Beside safetensors files a GGUF file is another copy of the model, not the model.
    put("model.safetensors", &safetensors(&json!({"a": entry("F32", &[2], 0, 8), "b": entry("F32", &[2], 8, 16)}), 16));
    put("config.json", b"{}");
    for (path, tensors) in [(folder.clone(), 2), (folder.join("model.safetensors"), 2), (folder.join("m.gguf"), 1)] {
        assert_eq!(open(&path).unwrap().tensors().count(), tensors, "{}", path.display());
    }
    // A file that is named is the one that is meant, and the rest of its folder describes it.
    let one = safetensors(&json!({"a": entry("F32", &[2], 0, 8)}), 8);
    put("consolidated.safetensors", &one);
    put("._model.safetensors", b"what a Mac leaves");
    for (path, tensors) in
        [(folder.clone(), 2), (folder.join("model.safetensors"), 2), (folder.join("consolidated.safetensors"), 1)]
    {
        let checkpoint = open(&path).unwrap();
        assert_eq!((checkpoint.tensors().count(), checkpoint.other_files().len()), (tensors, 2), "{}", path.display());
    }
    std::fs::remove_file(folder.join("model.safetensors")).unwrap();
    put("other.safetensors", &one);
    put("third.safetensors", &one);
    let several = open(&folder).err().unwrap().to_string();
    let says = "holds several models, other.safetensors, third.safetensors: give the one that you mean";
    assert!(several.contains(says) && several.starts_with(&folder.display().to_string()), "{several}");
    assert_eq!(open(&folder.join("third.safetensors")).unwrap().tensors().count(), 1);
    assert!(matches!(open(&folder.join("missing.gguf")), Err(WeightsError::Io { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
}
