//! The special and added tokens of a folder, from all the files that transformers looks into.

use super::parts::Parts;
use crate::chat::SpecialTokens;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

/// The names that every tokenizer has, in the order in which transformers numbers tokens that no file lists.
const NAMES: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// A token in a file: its text, or an object with it.
fn text_of(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// What the files beside `tokenizer.json` say about special tokens.
#[derive(Default)]
pub(super) struct SpecialFiles {
    /// `tokenizer_config.json`.
    pub(super) config: Map<String, Value>,
    /// `special_tokens_map.json`, which counts where the configuration does not list all added tokens.
    pub(super) map: Map<String, Value>,
    /// `added_tokens.json`, likewise: ids by text.
    pub(super) added: Map<String, Value>,
}

impl SpecialFiles {
    fn lists_all(&self) -> bool {
        self.config.contains_key("added_tokens_decoder")
    }

    /// The configuration's entries, and over them those of `special_tokens_map.json` where that counts.
    fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        let map = if self.lists_all() { None } else { Some(&self.map) };
        self.config.iter().chain(map.into_iter().flatten())
    }

    /// Special tokens by their names, such as `eos_token`.
    pub(super) fn named(&self) -> SpecialTokens {
        let mut named = SpecialTokens::new();
        for (key, value) in self.entries() {
            if key.ends_with("_token")
                && let Some(text) = text_of(value)
            {
                named.insert(key.clone(), text.to_owned());
            }
            // Newer files have names of their own in an object.
            if key == "extra_special_tokens" {
                let own = value.as_object().into_iter().flatten();
                named.extend(own.filter_map(|(name, token)| Some((name.clone(), text_of(token)?.to_owned()))));
            }
        }
        named
    }

    /// Special tokens without a name.
    fn unnamed(&self) -> impl Iterator<Item = &str> {
        let lists =
            self.entries().filter(|(key, _)| ["additional_special_tokens", "extra_special_tokens"].contains(&key.as_str()));
        lists.flat_map(|(_, value)| value.as_array().into_iter().flatten()).filter_map(text_of)
    }

    /// Puts tokens that `tokenizer.json` lacks, or has otherwise, among the added ones, as transformers does: what the
    /// configuration lists with its own flags, then the special tokens that nobody listed. `vocab_size` is the number of
    /// embeddings, as far as it is known: a token beyond them cannot come up.
    pub(super) fn add_to(&self, parts: &mut Parts, vocab_size: Option<u64>) {
        let named = self.named();
        let others = named.iter().filter(|(name, _)| !NAMES.contains(&name.as_str())).map(|(_, text)| text);
        let mut special: Vec<String> = NAMES.iter().filter_map(|name| named.get(*name)).chain(others).cloned().collect();
        special.extend(self.unnamed().map(str::to_owned));
        let mut listed: Vec<(u32, AddedToken)> = Vec::new();
        if self.lists_all() {
            for (id, token) in self.config.get("added_tokens_decoder").and_then(Value::as_object).into_iter().flatten() {
                if let (Ok(id), Ok(token)) = (id.parse(), serde_json::from_value::<AddedToken>(with_flags(token))) {
                    listed.push((id, token));
                }
            }
        } else {
            for (text, id) in &self.added {
                let is_special = special.contains(text);
                // What `tokenizer.json` says of a token comes first here.
                let is_there = parts.added.iter().any(|(_, added)| added.content == *text);
                if let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|_| !is_there) {
                    listed.push((id, AddedToken::from(text.clone(), is_special).normalized(!is_special)));
                }
            }
        }
        listed.sort_by_key(|(id, _)| *id);
        for (id, mut token) in listed {
            token.special |= special.contains(&token.content);
            put(parts, Some(id), token, vocab_size);
        }
        for text in special {
            if !parts.added.iter().any(|(_, added)| added.content == text) {
                put(parts, None, AddedToken::from(text, true).normalized(false), vocab_size);
            }
        }
    }
}

/// An entry of `added_tokens_decoder` with the flags that files leave out.
fn with_flags(token: &Value) -> Value {
    let mut whole =
        serde_json::json!({"single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false});
    if let (Some(whole), Some(token)) = (whole.as_object_mut(), token.as_object()) {
        whole.extend(token.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    whole
}

/// Adds a token with the id that the vocabulary has for it, else the one that is wished for if that is free, else the next.
fn put(parts: &mut Parts, wished: Option<u32>, token: AddedToken, vocab_size: Option<u64>) {
    if token.content.is_empty() {
        return;
    }
    if let Some((_, added)) = parts.added.iter_mut().find(|(_, added)| added.content == token.content) {
        *added = token;
        return;
    }
    let known = parts.vocab.iter().find(|(text, _)| *text == token.content).map(|(_, id)| *id);
    let ids = || parts.vocab.iter().map(|(_, id)| *id).chain(parts.added.iter().map(|(id, _)| *id));
    let is_free = |id: &u32| ids().all(|taken| taken != *id);
    let id = known.or_else(|| wished.filter(is_free)).or_else(|| ids().max().map_or(Some(0), |last| last.checked_add(1)));
    if let Some(id) = id.filter(|&id| known.is_some() || vocab_size.is_none_or(|size| u64::from(id) < size)) {
        parts.added.push((id, token));
    }
}
