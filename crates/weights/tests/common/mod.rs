//! Model files made in memory.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "each test binary uses a part of this, and states what it expects by unwrapping"
)]

use serde_json::{Value, json};
use std::path::Path;
use weights::{ByteSource, Checkpoint, MemorySource, ModelFiles, WeightsError};

/// Bytes of a GGUF file in the making.
#[derive(Clone, Default)]
pub struct Gguf {
    entries: Vec<(String, Vec<u8>)>,
    tensors: Vec<Tensor>,
    pub version: u32,
    pub alignment: u64,
}

#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    /// Innermost first, as GGUF has them.
    pub dims: Vec<u64>,
    pub code: u32,
    pub offset: u64,
    pub data: Vec<u8>,
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

impl Gguf {
    pub fn new() -> Gguf {
        Gguf { version: 3, alignment: 32, ..Gguf::default() }
    }

    /// Adds an entry: the value's type, then the value, as given.
    pub fn raw(mut self, key: &str, code: u32, value: &[u8]) -> Gguf {
        self.entries.push((key.to_owned(), [&code.to_le_bytes(), value].concat()));
        self
    }

    /// Adds an entry: integers as u32 or i32, texts, flags, floats as f32, and arrays of one of these.
    pub fn entry(self, key: &str, value: &Value) -> Gguf {
        let (code, bytes) = encode(value);
        self.raw(key, code, &bytes)
    }

    pub fn tensor(mut self, name: &str, dims: &[u64], code: u32, data: &[u8]) -> Gguf {
        let end = self.tensors.last().map_or(0, |t| t.offset + t.data.len() as u64);
        let offset = end.next_multiple_of(self.alignment);
        self.tensors.push(Tensor { name: name.to_owned(), dims: dims.to_vec(), code, offset, data: data.to_vec() });
        self
    }

    /// Changes the last tensor's entry after its data are placed.
    pub fn with_last(mut self, change: impl FnOnce(&mut Tensor)) -> Gguf {
        change(self.tensors.last_mut().unwrap());
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with_counts(self.tensors.len() as u64, self.entries.len() as u64)
    }

    pub fn bytes_with_counts(&self, n_tensors: u64, n_entries: u64) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(n_tensors.to_le_bytes());
        out.extend(n_entries.to_le_bytes());
        for (key, value) in &self.entries {
            text(&mut out, key);
            out.extend(value);
        }
        for tensor in &self.tensors {
            text(&mut out, &tensor.name);
            out.extend((tensor.dims.len() as u32).to_le_bytes());
            tensor.dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(tensor.code.to_le_bytes());
            out.extend(tensor.offset.to_le_bytes());
        }
        let start = out.len().next_multiple_of(self.alignment as usize);
        let mut at = start as u64;
        for tensor in &self.tensors {
            at = at.next_multiple_of(self.alignment);
            out.resize(at as usize, 0);
            out.extend(&tensor.data);
            at += tensor.data.len() as u64;
        }
        out
    }
}

fn encode(value: &Value) -> (u32, Vec<u8>) {
    match value {
        Value::Bool(flag) => (7, vec![u8::from(*flag)]),
        Value::String(string) => {
            let mut out = Vec::new();
            text(&mut out, string);
            (8, out)
        }
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => (4, (n as u32).to_le_bytes().to_vec()),
            (None, Some(n)) => (5, (n as i32).to_le_bytes().to_vec()),
            _ => (6, (number.as_f64().unwrap() as f32).to_le_bytes().to_vec()),
        },
        Value::Array(items) => {
            let mut parts: Vec<(u32, Vec<u8>)> = items.iter().map(encode).collect();
            let code = parts.first().map_or(4, |part| part.0);
            // Token types are signed in real files.
            let code = if code == 4 { 5 } else { code };
            let mut out = code.to_le_bytes().to_vec();
            out.extend((items.len() as u64).to_le_bytes());
            parts.iter_mut().for_each(|(_, bytes)| out.append(bytes));
            (9, out)
        }
        other => panic!("{other} has no form in GGUF"),
    }
}

/// The bytes of f32 values.
pub fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// A safetensors file with that header, given as JSON, and so many bytes of data.
pub fn safetensors(header: &Value, data_len: usize) -> Vec<u8> {
    let json = header.to_string().into_bytes();
    [&(json.len() as u64).to_le_bytes()[..], &json, &vec![1; data_len]].concat()
}

/// A fixture of `fixtures/make.py`.
pub fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub const FIXTURES: [&str; 4] = ["smollm", "llama3", "qwen2", "sentencepiece"];

/// A GGUF file with the tokenizer of a fixture and one small tensor.
pub fn gguf_with_tokenizer(fixture: &Value) -> Gguf {
    let mut file = Gguf::new().entry("general.architecture", &json!("llama"));
    for (key, value) in fixture["gguf"].as_object().unwrap() {
        file = file.entry(&format!("tokenizer.ggml.{key}"), value);
    }
    file.tensor("token_embd.weight", &[4, 2], 0, &floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]))
}

pub const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}\
                          {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

pub fn files(files: Vec<(&str, Vec<u8>)>) -> ModelFiles {
    let source = |(name, bytes): (&str, Vec<u8>)| -> (String, Box<dyn ByteSource>) {
        (name.to_owned(), Box::new(MemorySource::new(name, bytes)))
    };
    ModelFiles::new(files.into_iter().map(source).collect())
}

pub fn open(named: Vec<(&str, Vec<u8>)>) -> Result<Checkpoint, WeightsError> {
    pollster::block_on(Checkpoint::open(files(named)))
}
