//! What a tokenizer is made of, checked before the `tokenizers` crate gets it: that crate trusts its files.

use super::decode::{Kind, Spelling, TokenBytes};
use super::merges::Merge;
use super::regex;
use super::{END_TOKENS, Tokenizer};
use crate::chat::SpecialTokens;
use crate::{FileNotice, WeightsError};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::{AddedToken, NormalizerWrapper, PreTokenizerWrapper};

/// Components that are read. Others are refused by name: they belong to other kinds of models, or trust their data too far.
const NORMALIZERS: [&str; 8] = ["Sequence", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend", "Replace"];
const PRE_TOKENIZERS: [&str; 8] =
    ["Sequence", "ByteLevel", "Digits", "Metaspace", "Punctuation", "Split", "Whitespace", "WhitespaceSplit"];
/// Components of a sequence at most, all levels together.
const MAX_COMPONENTS: usize = 12;
/// Text that a component puts in the place of a character, at most. Together with the next it bounds how much longer a text can become.
const MAX_INSERTED_BYTES: usize = 4;
/// Components that can make a text longer, at most.
const MAX_GROWING: usize = 4;
/// Longest pattern; the longest known ones have 500 bytes.
const MAX_PATTERN_BYTES: usize = 4096;

/// The parts of a tokenizer, whatever file they are from. Components are in the JSON of `tokenizer.json`.
pub(super) struct Parts {
    /// Tokens of the model with their ids; those of `added` may be among them.
    pub(super) vocab: Vec<(String, u32)>,
    /// By rank.
    pub(super) merges: Vec<Merge>,
    /// Token for what the vocabulary cannot spell.
    pub(super) unk_token: Option<String>,
    pub(super) fuse_unk: bool,
    pub(super) byte_fallback: bool,
    pub(super) ignore_merges: bool,
    pub(super) normalizer: Option<Value>,
    pub(super) pre_tokenizer: Option<Value>,
    /// Tokens recognised in a text before anything else, with their ids.
    pub(super) added: Vec<(u32, AddedToken)>,
    pub(super) spelling: Spelling,
    pub(super) prefix: Vec<u32>,
    pub(super) suffix: Vec<u32>,
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    /// Further tokens that are declared to end a text.
    pub(super) end_ids: Vec<u32>,
    /// Texts of special tokens by their names.
    pub(super) special_tokens: SpecialTokens,
    pub(super) notices: Vec<FileNotice>,
}

impl Parts {
    /// Checks the parts and puts them together.
    pub(super) fn build(mut self, file: &str) -> Result<Tokenizer, WeightsError> {
        let wrong = |key: &str, found: String, expected: &str| WeightsError::Value {
            file: file.to_owned(),
            key: key.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        let failed = |error: &dyn std::fmt::Display| WeightsError::Tokenizer { file: file.to_owned(), reason: error.to_string() };

        self.added.sort_by_key(|(id, _)| *id);
        self.added.retain(|(_, token)| !token.content.is_empty());
        let tokens = self.token_bytes(file)?;
        let ids = self.prefix.iter().chain(&self.suffix).chain(&self.bos).chain(&self.eos).chain(&self.end_ids);
        if let Some(id) = ids.copied().find(|&id| id as usize >= tokens.len()) {
            return Err(wrong("a special token", format!("id {id}"), "an id within the vocabulary"));
        }
        let mut vocab: Vocab = self.vocab.iter().cloned().collect();
        if vocab.len() != self.vocab.len() {
            return Err(wrong(
                "the vocabulary",
                format!("{} tokens, {} of them different", self.vocab.len(), vocab.len()),
                "all different",
            ));
        }
        // The crate would number what its model lacks itself, wrongly where ids have gaps.
        for (id, token) in &self.added {
            vocab.entry(token.content.clone()).or_insert(*id);
        }
        let mut joined = String::new();
        for (left, right) in &self.merges {
            joined.clear();
            joined.push_str(left);
            joined.push_str(right);
            if let Some(missing) = [left, right, &joined].into_iter().find(|token| !vocab.contains_key(token.as_str())) {
                return Err(wrong(
                    "the merges",
                    format!("{left:?} {right:?}, but no token {missing:?}"),
                    "tokens of the vocabulary",
                ));
            }
        }
        if let Some(unk) = self.unk_token.as_ref().filter(|unk| !vocab.contains_key(unk.as_str())) {
            return Err(wrong("the token for the unknown", format!("{unk:?}"), "a token of the vocabulary"));
        }
        let mut bpe = BPE::builder()
            .vocab_and_merges(vocab, self.merges)
            .fuse_unk(self.fuse_unk)
            .byte_fallback(self.byte_fallback)
            .ignore_merges(self.ignore_merges);
        if let Some(unk) = self.unk_token {
            bpe = bpe.unk_token(unk);
        }
        let mut inner = tokenizers::Tokenizer::new(bpe.build().map_err(|e| failed(&e))?);
        if let Some(normalizer) = &self.normalizer {
            check_components(file, "normalizer", "normalizers", normalizer, &NORMALIZERS)?;
            let normalizer = with_patterns(file, "normalizer", normalizer)?;
            let normalizer: NormalizerWrapper = serde_json::from_value(normalizer).map_err(|e| failed(&e))?;
            inner.with_normalizer(Some(normalizer)).map_err(|e| failed(&e))?;
        }
        if let Some(pre_tokenizer) = &self.pre_tokenizer {
            check_components(file, "pre_tokenizer", "pretokenizers", pre_tokenizer, &PRE_TOKENIZERS)?;
            let pre_tokenizer = with_patterns(file, "pre_tokenizer", pre_tokenizer)?;
            let pre_tokenizer: PreTokenizerWrapper = serde_json::from_value(pre_tokenizer).map_err(|e| failed(&e))?;
            inner.with_pre_tokenizer(Some(pre_tokenizer));
        }
        inner.add_tokens(self.added.iter().map(|(_, token)| token.clone())).map_err(|e| failed(&e))?;
        for (id, token) in &self.added {
            if inner.token_to_id(&token.content) != Some(*id) {
                let found = format!("{:?} with id {id}", token.content);
                return Err(wrong("added_tokens", found, "the id that the vocabulary has for it"));
            }
        }
        let mut end_ids: BTreeSet<u32> = self.end_ids.into_iter().chain(self.eos).collect();
        end_ids.extend(END_TOKENS.iter().filter_map(|name| inner.token_to_id(name)).filter(|&id| tokens.is_special(id)));
        // Whatever is asked of a model here goes on after the text, which an end in between would not let it.
        let (ends, suffix): (Vec<u32>, Vec<u32>) = self.suffix.into_iter().partition(|id| end_ids.contains(id));
        self.notices.extend(ends.into_iter().map(|id| {
            let token = String::from_utf8_lossy(tokens.get(id).unwrap_or_default()).into_owned();
            FileNotice::EndTokenLeftOut { file: file.to_owned(), token }
        }));
        Ok(Tokenizer {
            file: file.to_owned(),
            inner,
            tokens,
            prefix: self.prefix,
            suffix,
            bos: self.bos,
            eos: self.eos,
            end_ids,
            special_tokens: self.special_tokens,
            notices: self.notices,
        })
    }

    /// The bytes of every token by id. Ids must be unique and nearly without gaps, as they index an embedding.
    fn token_bytes(&self, file: &str) -> Result<TokenBytes, WeightsError> {
        let wrong = |found: String, expected: String| WeightsError::Value {
            file: file.to_owned(),
            key: "the vocabulary".to_owned(),
            found,
            expected,
        };
        let count = self.vocab.len().saturating_add(self.added.len());
        if count == 0 {
            return Err(wrong("no tokens".to_owned(), "at least one".to_owned()));
        }
        let limit = count.saturating_mul(2).saturating_add(1024);
        let mut by_id: Vec<Option<(&str, Kind)>> = Vec::new();
        let mut put = |id: u32, token, kind| -> Result<(), WeightsError> {
            let at = id as usize;
            if at >= limit {
                return Err(wrong(format!("id {id} of {token:?}"), format!("ids below {limit} for {count} tokens")));
            }
            if by_id.len() <= at {
                by_id.resize(at.saturating_add(1), None);
            }
            match by_id.get_mut(at) {
                Some(Some((other, _))) if *other != token => {
                    Err(wrong(format!("id {id} for both {other:?} and {token:?}"), "one".to_owned()))
                }
                Some(place) => {
                    *place = Some((token, kind));
                    Ok(())
                }
                None => Ok(()),
            }
        };
        for (token, id) in &self.vocab {
            put(*id, token.as_str(), Kind::Normal)?;
        }
        for (id, token) in &self.added {
            put(*id, token.content.as_str(), if token.special { Kind::Special } else { Kind::Added })?;
        }
        Ok(TokenBytes::new(by_id.into_iter(), self.spelling))
    }
}

/// A component with its regular expressions, and those of its parts, in the syntax of the engine that reads them here.
fn with_patterns(file: &str, key: &str, component: &Value) -> Result<Value, WeightsError> {
    let mut translated = component.clone();
    let mut open = vec![&mut translated];
    while let Some(component) = open.pop() {
        if let Some(Value::String(pattern)) = component.pointer_mut("/pattern/Regex") {
            *pattern = regex::translate(pattern).map_err(|reason| WeightsError::Value {
                file: file.to_owned(),
                key: key.to_owned(),
                found: format!("the pattern {pattern:?} with {reason}"),
                expected: "a regular expression without it".to_owned(),
            })?;
        }
        match component {
            Value::Object(object) => open.extend(object.values_mut()),
            Value::Array(array) => open.extend(array.iter_mut()),
            _ => {}
        }
    }
    Ok(translated)
}

/// Refuses components that are not read, and those that could make a text grow without bounds.
fn check_components(file: &str, key: &str, list: &str, component: &Value, known: &[&str]) -> Result<(), WeightsError> {
    let wrong =
        |found: String, expected: String| WeightsError::Value { file: file.to_owned(), key: key.to_owned(), found, expected };
    let (mut count, mut growing) = (0_usize, 0_usize);
    let mut open = vec![component];
    while let Some(component) = open.pop() {
        let kind = component.get("type").and_then(Value::as_str).unwrap_or("a component without a type");
        if !known.contains(&kind) {
            return Err(wrong(kind.to_owned(), known.join(", ")));
        }
        count = count.saturating_add(1);
        if matches!(kind, "NFKC" | "NFKD" | "Prepend" | "Replace" | "ByteLevel" | "Metaspace") {
            growing = growing.saturating_add(1);
        }
        if kind == "Sequence" {
            open.extend(component.get(list).and_then(Value::as_array).into_iter().flatten());
        }
        let text = |field: &str| component.get(field).and_then(Value::as_str).unwrap_or_default().len();
        if text("content").max(text("prepend")) > MAX_INSERTED_BYTES {
            return Err(wrong(format!("{kind} that inserts a long text"), format!("at most {MAX_INSERTED_BYTES} bytes")));
        }
        let pattern = component.get("pattern").and_then(Value::as_object).into_iter().flat_map(|pattern| pattern.values());
        if pattern.filter_map(Value::as_str).any(|pattern| pattern.len() > MAX_PATTERN_BYTES) {
            return Err(wrong(format!("{kind} with a long pattern"), format!("at most {MAX_PATTERN_BYTES} bytes")));
        }
        if count > MAX_COMPONENTS || growing > MAX_GROWING {
            return Err(wrong(
                format!("more than {} components or {growing} that lengthen a text", count.saturating_sub(1)),
                format!("at most {MAX_COMPONENTS} and {MAX_GROWING}"),
            ));
        }
    }
    Ok(())
}
