//! The special and added tokens of a folder, from all the files that transformers looks into.

use super::parts::Parts;
use crate::chat::SpecialTokens;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
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
    /// `special_tokens_map.json`; empty where the configuration lists all added tokens.
    pub(super) map: Map<String, Value>,
    /// `added_tokens.json`: ids by text; likewise empty.
    pub(super) added: Map<String, Value>,
}

impl SpecialFiles {
    /// Whether the configuration lists all added tokens.
    pub(super) fn lists_all(&self) -> bool {
        self.config.contains_key("added_tokens_decoder")
    }

    /// The configuration's entries, and over them those of `special_tokens_map.json`.
    fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.config.iter().chain(&self.map)
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
        let in_order: Vec<&str> =
            NAMES.iter().filter_map(|name| named.get(*name)).chain(others).map(String::as_str).chain(self.unnamed()).collect();
        let special: HashSet<&str> = in_order.iter().copied().collect();
        let mut listed: Vec<(u32, AddedToken)> = Vec::new();
        for (id, token) in self.config.get("added_tokens_decoder").and_then(Value::as_object).into_iter().flatten() {
            if let (Ok(id), Ok(token)) = (id.parse(), serde_json::from_value::<AddedToken>(with_flags(token))) {
                let is_special = token.special || special.contains(token.content.as_str());
                listed.push((id, AddedToken { special: is_special, ..token }));
            }
        }
        let mut tokens = Tokens::new(parts, vocab_size);
        for (text, id) in &self.added {
            let is_special = special.contains(text.as_str());
            // What `tokenizer.json` says of a token comes first here.
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|_| !tokens.are_added(text));
            listed.extend(id.map(|id| (id, AddedToken::from(text.clone(), is_special).normalized(!is_special))));
        }
        listed.sort_by_key(|(id, _)| *id);
        for (id, token) in listed {
            tokens.put(Some(id), token);
        }
        for text in in_order {
            if !tokens.are_added(text) {
                tokens.put(None, AddedToken::from(text, true).normalized(false));
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

/// The tokens of a tokenizer by text and by id, for others to be added.
struct Tokens<'a> {
    vocab: HashMap<&'a str, u32>,
    added: &'a mut Vec<(u32, AddedToken)>,
    /// Where an added token is among them.
    places: HashMap<String, usize>,
    taken: HashSet<u32>,
    next: Option<u32>,
    vocab_size: Option<u64>,
}

impl<'a> Tokens<'a> {
    fn new(parts: &'a mut Parts, vocab_size: Option<u64>) -> Tokens<'a> {
        let Parts { vocab, added, .. } = parts;
        let taken: HashSet<u32> = vocab.iter().map(|(_, id)| *id).chain(added.iter().map(|(id, _)| *id)).collect();
        Tokens {
            vocab: vocab.iter().map(|(text, id)| (text.as_str(), *id)).collect(),
            places: added.iter().enumerate().map(|(place, (_, token))| (token.content.clone(), place)).collect(),
            next: taken.iter().max().map_or(Some(0), |last| last.checked_add(1)),
            added,
            taken,
            vocab_size,
        }
    }

    fn are_added(&self, text: &str) -> bool {
        self.places.contains_key(text)
    }

    /// Adds a token with the id that the vocabulary has for it, else the one that is wished for if that is free, else the next.
    fn put(&mut self, wished: Option<u32>, token: AddedToken) {
        if token.content.is_empty() {
            return;
        }
        if let Some((_, added)) = self.places.get(&token.content).and_then(|&place| self.added.get_mut(place)) {
            *added = token;
            return;
        }
        let known = self.vocab.get(token.content.as_str()).copied();
        let id = known.or_else(|| wished.filter(|id| !self.taken.contains(id))).or(self.next);
        let has_embedding = |id: &u32| known.is_some() || self.vocab_size.is_none_or(|size| u64::from(*id) < size);
        if let Some(id) = id.filter(has_embedding) {
            self.taken.insert(id);
            self.next = self.next.and_then(|next| id.checked_add(1).map(|after| after.max(next)));
            self.places.insert(token.content.clone(), self.added.len());
            self.added.push((id, token));
        }
    }
}
