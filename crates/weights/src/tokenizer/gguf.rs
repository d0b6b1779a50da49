//! The tokenizer of a GGUF file, from its `tokenizer.ggml.*` keys.

use super::END_TOKENS;
use super::decode::Spelling;
use super::merges;
use super::parts::Parts;
use crate::chat::SpecialTokens;
use crate::gguf::{self, Metadata, Texts};
use crate::{FileNotice, WeightsError};
use serde_json::{Value, json};
use tokenizers::AddedToken;

/// `enum llama_token_type` of llama.cpp, as far as it matters here.
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Special tokens by their key in a GGUF file (one of them is spelled as it is there) and their name in templates.
const NAMED: [(&str, &str); 7] = [
    ("bos", "bos"),
    ("eos", "eos"),
    ("unknown", "unk"),
    ("seperator", "sep"),
    ("padding", "pad"),
    ("cls", "cls"),
    ("mask", "mask"),
];

/// Splitting of Llama 3, as its `tokenizer.json` has it.
const LLAMA3_PATTERN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Splitting of Qwen 2: the same with single digits.
const QWEN2_PATTERN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How a byte-level model splits a text before merging, by the name in `tokenizer.ggml.pre`.
struct PreTokenizer {
    names: &'static [&'static str],
    components: fn() -> Value,
    normalizer: fn() -> Option<Value>,
    /// A word that is a token is taken as it is, without merging.
    ignore_merges: bool,
    /// Whether a text begins with the beginning-of-sequence token, if the file does not say.
    add_bos: bool,
}

/// Names and families as in llama.cpp's `llama-vocab.cpp`; components as in the `tokenizer.json` of those models.
const PRE_TOKENIZERS: [PreTokenizer; 5] = [
    PreTokenizer {
        names: &["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
        components: || sequence(&[json!({"type": "Digits", "individual_digits": true}), byte_level(true)]),
        normalizer: || None,
        ignore_merges: false,
        add_bos: false,
    },
    PreTokenizer {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"],
        components: || split_by(LLAMA3_PATTERN),
        normalizer: || None,
        ignore_merges: true,
        add_bos: true,
    },
    PreTokenizer {
        names: &["dbrx", "smaug-bpe"],
        components: || split_by(LLAMA3_PATTERN),
        normalizer: || None,
        ignore_merges: false,
        add_bos: false,
    },
    PreTokenizer {
        names: &["qwen2", "deepseek-r1-qwen", "megrez"],
        components: || split_by(QWEN2_PATTERN),
        normalizer: || Some(json!({"type": "NFC"})),
        ignore_merges: false,
        add_bos: false,
    },
    PreTokenizer {
        names: &["gpt-2", "default", "phi-2", "mpt", "olmo", "jais", "roberta-bpe", "gigachat"],
        components: || byte_level(true),
        normalizer: || None,
        ignore_merges: false,
        add_bos: false,
    },
];

fn byte_level(use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}

fn sequence(components: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": components})
}

fn split_by(pattern: &str) -> Value {
    sequence(&[
        json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}),
        byte_level(false),
    ])
}

/// The parts of the tokenizer that the metadata describe, `None` if they describe none.
pub(super) fn parts(metadata: &Metadata) -> Result<Option<Parts>, WeightsError> {
    let Some(model) = metadata.text("tokenizer.ggml.model")? else { return Ok(None) };
    let list = |key: &str| {
        let texts = metadata.texts(key)?;
        texts.ok_or_else(|| metadata.wrong(key, "nothing", format!("a list of texts, as the model is {model:?}")))
    };
    let tokens = list("tokenizer.ggml.tokens")?;
    let types = token_types(metadata, tokens)?;
    let id = |key: &str| -> Result<Option<u32>, WeightsError> {
        let key = format!("tokenizer.ggml.{key}_token_id");
        // Some files say "none" as -1, others as the largest number there is.
        if matches!(metadata.get(&key), Some(gguf::Value::Signed(..0))) {
            return Ok(None);
        }
        let Some(id) = metadata.unsigned(&key)?.filter(|&id| id != u64::from(u32::MAX)) else { return Ok(None) };
        match u32::try_from(id) {
            Ok(id) if (id as usize) < tokens.len() => Ok(Some(id)),
            _ => Err(metadata.wrong(&key, id.to_string(), format!("an id below {}, the number of tokens", tokens.len()))),
        }
    };
    let (bos, eos, unk) = (id("bos")?, id("eos")?, id("unknown")?);
    let mut special_tokens = SpecialTokens::new();
    for (key, name) in NAMED {
        if let Some(text) = id(key)?.and_then(|id| tokens.get(id as usize)) {
            special_tokens.insert(format!("{name}_token"), text.to_owned());
        }
    }

    let mut parts = Parts {
        vocab: tokens.iter().zip(0..).map(|(token, id)| (spelled(token, id), id)).collect(),
        merges: Vec::new(),
        unk_token: None,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        normalizer: None,
        pre_tokenizer: None,
        added: added_tokens(tokens, &types, &special_tokens),
        spelling: Spelling::ByteLevel,
        prefix: Vec::new(),
        suffix: Vec::new(),
        bos,
        eos,
        end_ids: [id("eot")?, id("eom")?].into_iter().flatten().collect(),
        special_tokens,
        notices: Vec::new(),
    };
    let add_bos = match model {
        "gpt2" => byte_level_model(&mut parts, metadata, list("tokenizer.ggml.merges")?)?,
        "llama" => {
            let unk = unk.and_then(|unk| tokens.get(unk as usize)).or_else(|| tokens.iter().find(|&token| token == "<unk>"));
            parts.unk_token = unk.map(str::to_owned);
            sentencepiece_model(&mut parts, metadata, tokens)?;
            true
        }
        other => return Err(metadata.wrong("tokenizer.ggml.model", format!("{other:?}"), "\"gpt2\" or \"llama\"")),
    };
    if metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(add_bos) {
        parts.prefix.extend(bos);
    }
    if metadata.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false) {
        parts.suffix.extend(eos);
    }
    Ok(Some(parts))
}

/// A token as it is put into the vocabulary: empty ones, which some files have several of, get names, as in llama.cpp.
fn spelled(token: &str, id: u32) -> String {
    if token.is_empty() { format!("[EMPTY_{id}]") } else { token.to_owned() }
}

/// The type of every token; all normal if the file does not say.
fn token_types(metadata: &Metadata, tokens: &Texts) -> Result<Vec<u64>, WeightsError> {
    let key = "tokenizer.ggml.token_type";
    let types = metadata.unsigned_array(key)?.unwrap_or_default();
    if types.is_empty() || types.len() == tokens.len() {
        return Ok(types);
    }
    Err(metadata.wrong(key, format!("{} types", types.len()), format!("one for each of the {} tokens", tokens.len())))
}

/// The tokens that are recognised in a text before anything else. Files without types tell them by the keys that name them;
/// and what ends a turn is one even where its type is wrong, as in llama.cpp.
fn added_tokens(tokens: &Texts, types: &[u64], named: &SpecialTokens) -> Vec<(u32, AddedToken)> {
    let added = |token: &str, special: bool| AddedToken::from(token, special).normalized(false);
    let kinds = types.iter().map(Some).chain(std::iter::repeat(None));
    let of = |((token, kind), id): ((&str, Option<&u64>), u32)| match kind.copied() {
        Some(UNKNOWN | CONTROL) => Some((id, added(token, true))),
        Some(USER_DEFINED) => Some((id, added(token, false))),
        None if named.values().any(|text| text == token) => Some((id, added(token, true))),
        _ if END_TOKENS.contains(&token) => Some((id, added(token, true))),
        _ => None,
    };
    tokens.iter().zip(kinds).zip(0..).filter_map(of).collect()
}

/// How a text is split where the file does not say, by a token that only one family has in its place.
fn assumed_pre(vocab: &[(String, u32)]) -> (&'static str, &'static str) {
    let has = |id: u32, text: &str| vocab.get(id as usize).is_some_and(|(token, _)| token == text);
    if has(128_000, "<|begin_of_text|>") {
        ("llama-bpe", "since the vocabulary is Llama 3's")
    } else if has(151_643, "<|endoftext|>") {
        ("qwen2", "since the vocabulary is Qwen's")
    } else {
        ("gpt-2", "which most byte-level vocabularies are made with")
    }
}

/// Fills in what a byte-level BPE model needs; returns whether a text begins with a beginning of sequence by default.
fn byte_level_model(parts: &mut Parts, metadata: &Metadata, merges: &Texts) -> Result<bool, WeightsError> {
    let key = "tokenizer.ggml.pre";
    let name = match metadata.text(key)? {
        Some(name) => name,
        None => {
            let (name, why) = assumed_pre(&parts.vocab);
            let assumed = format!("{name:?}, {why}");
            parts.notices.push(FileNotice::PreTokenizerAssumed { file: metadata.file().to_owned(), assumed });
            name
        }
    };
    let Some(pre) = PRE_TOKENIZERS.iter().find(|pre| pre.names.contains(&name)) else {
        let known: Vec<&str> = PRE_TOKENIZERS.iter().flat_map(|pre| pre.names).copied().collect();
        return Err(metadata.wrong(key, format!("{name:?}"), format!("one of {}", known.join(", "))));
    };
    let split = |merge| merges::split(metadata.file(), "tokenizer.ggml.merges", merge);
    parts.merges = merges.iter().map(split).collect::<Result<_, _>>()?;
    parts.pre_tokenizer = Some((pre.components)());
    parts.normalizer = (pre.normalizer)();
    parts.ignore_merges = pre.ignore_merges;
    Ok(pre.add_bos)
}

/// Fills in what a SentencePiece model needs that has been brought to BPE, as the `tokenizer.json` of Llama 2 has it.
fn sentencepiece_model(parts: &mut Parts, metadata: &Metadata, tokens: &Texts) -> Result<(), WeightsError> {
    parts.merges = match metadata.texts("tokenizer.ggml.merges")? {
        Some(merges) => {
            let split = |merge| merges::split(metadata.file(), "tokenizer.ggml.merges", merge);
            merges.iter().map(split).collect::<Result<_, _>>()?
        }
        None => {
            let key = "tokenizer.ggml.scores";
            let scores = metadata.float_array(key)?.unwrap_or_default();
            if scores.len() != tokens.len() {
                let expected = format!("one for each of the {} tokens, as there are no merges", tokens.len());
                return Err(metadata.wrong(key, format!("{} scores", scores.len()), expected));
            }
            let scored: Vec<(&str, f64)> = tokens.iter().zip(scores).collect();
            merges::from_scores(metadata.file(), &scored)?
        }
    };
    let add_space = metadata.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let prepend = json!({"type": "Prepend", "prepend": "▁"});
    let normalizers = if add_space { vec![prepend, replace] } else { vec![replace] };
    parts.normalizer = Some(json!({"type": "Sequence", "normalizers": normalizers}));
    parts.byte_fallback = true;
    parts.fuse_unk = true;
    parts.spelling = Spelling::Sentencepiece { strip_leading_space: add_space };
    Ok(())
}
