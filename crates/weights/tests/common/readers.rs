//! Every reader of untrusted bytes, as a function of bytes: for the test of mutated files, and for fuzzing. Whatever the bytes,
//! a reader returns.
#![allow(
    dead_code,
    clippy::allow_attributes,
    unreachable_pub,
    reason = "the fuzz targets, which include this file, use one function each"
)]

use weights::safetensors::Index;
use weights::{
    ByteSource, ChatTemplate, Checkpoint, MemorySource, Message, ModelFiles, SpecialTokens, Tokenizer, WeightsError, gguf,
};

/// A reader and the name of its fuzz target and folder of seeds.
pub type Reader = (&'static str, fn(&[u8]));

pub const READERS: [Reader; 7] = [
    ("gguf", read_gguf),
    ("safetensors", read_safetensors),
    ("index", read_index),
    ("tokenizer_json", read_tokenizer_json),
    ("gguf_tokenizer", read_gguf_tokenizer),
    ("chat_template", read_chat_template),
    ("config", read_config),
];

const TEXTS: [&str; 4] = ["", " The cat's 12 hats\n\n", "é😀 <|im_end|>x<s>", "\u{0}\u{301}\t  \u{2581}"];

/// Tensors that a mutated file may have, at most: reading them is not what is tested.
const MAX_TENSORS: usize = 64;

fn open(files: Vec<(&str, &[u8])>) -> Result<Checkpoint, WeightsError> {
    let source = |(name, bytes): (&str, &[u8])| -> (String, Box<dyn ByteSource>) {
        (name.to_owned(), Box::new(MemorySource::new(name, bytes)))
    };
    pollster::block_on(Checkpoint::open(ModelFiles::new(files.into_iter().map(source).collect())))
}

/// Streams every tensor: what a header promises must be there.
fn read_tensors(checkpoint: &Checkpoint) {
    for info in checkpoint.tensors().take(MAX_TENSORS) {
        let mut bytes = 0;
        let mut visit = |_, piece: &[u8]| {
            bytes += piece.len() as u64;
            Ok(())
        };
        let streamed = pollster::block_on(checkpoint.stream_rows::<WeightsError>(info, 3, &mut visit));
        assert!(streamed.is_ok() && bytes == info.len_bytes, "{info:?} was accepted, but {streamed:?} after {bytes} bytes");
    }
}

pub fn read_gguf(bytes: &[u8]) {
    let half = bytes.split_at(bytes.len() / 2).0;
    let _ = gguf::parse("half", half, bytes.len() as u64);
    if let Ok(checkpoint) = open(vec![("m.gguf", bytes)]) {
        read_tensors(&checkpoint);
    }
}

pub fn read_safetensors(bytes: &[u8]) {
    if let Ok(checkpoint) = open(vec![("config.json", b"{}"), ("model.safetensors", bytes)]) {
        read_tensors(&checkpoint);
    }
}

pub fn read_index(bytes: &[u8]) {
    if let Ok(index) = Index::parse("model.safetensors.index.json", bytes) {
        assert!(!index.files().is_empty());
    }
    let _ = open(vec![("config.json", b"{}"), ("model.safetensors.index.json", bytes), ("a.safetensors", b"")]);
}

fn use_tokenizer(tokenizer: &Tokenizer) {
    for text in TEXTS {
        if let Ok(tokens) = tokenizer.encode_with_ranges(text, true) {
            let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
            assert!(tokens.iter().all(|token| text.get(token.range.clone()).is_some()));
            let _ = tokenizer.decode(&ids);
            let mut stream = tokenizer.stream();
            ids.iter().for_each(|id| drop(stream.push(*id)));
            drop(stream.finish());
        }
    }
}

pub fn read_tokenizer_json(bytes: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_json("tokenizer.json", bytes) {
        use_tokenizer(&tokenizer);
    }
}

pub fn read_gguf_tokenizer(bytes: &[u8]) {
    if let Ok(Some(header)) = gguf::parse("m.gguf", bytes, bytes.len() as u64)
        && let Ok(Some(tokenizer)) = Tokenizer::from_gguf(&header.metadata)
    {
        use_tokenizer(&tokenizer);
    }
}

/// What a template may call a beginning and an end.
pub fn special_tokens() -> SpecialTokens {
    [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

pub fn read_chat_template(bytes: &[u8]) {
    let template = String::from_utf8_lossy(bytes);
    let template = ChatTemplate::new("chat_template.jinja", &template, special_tokens());
    let _ = template.render(&[Message::new("system", "Be brief."), Message::new("user", "Hi <b> é")], true);
    let _ = template.render(&[], false);
}

pub fn read_config(bytes: &[u8]) {
    let weights = b"\x3a\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}    \0\0\0\0";
    let tokenizer = br#"{"model":{"vocab":{"a":0,"b":1},"merges":[]},"decoder":{"type":"ByteLevel"}}"#;
    let names = [
        "config.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "generation_config.json",
        "preprocessor_config.json",
        "processor_config.json",
    ];
    let mut files = names.map(|name| (name, bytes)).to_vec();
    files.extend([("model.safetensors", &weights[..]), ("tokenizer.json", tokenizer)]);
    if let Ok(checkpoint) = open(files) {
        let within = |tokenizer: &Tokenizer| tokenizer.end_ids().iter().all(|&id| (id as usize) < tokenizer.vocab_size());
        assert!(checkpoint.tokenizer().is_ok_and(within));
    }
}
