//! A text and the tokens that a model reads it as.

use crate::{AtmanError, Role, Written};
use images::IMAGE;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use weights::Tokenizer;
use weights::tokenizer::EncodedToken;

/// A text with its tokens, whose ranges together cover it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// As it is read, special tokens as they are written.
    pub text: String,
    /// In order.
    pub tokens: Vec<Token>,
}

/// One token of a text. Tokens that are parts of one character all have the whole character.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its own bytes as text; those that are no UTF-8 become U+FFFD.
    pub text: String,
    /// First character of the text that it stands for.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// The same as `start` in bytes of UTF-8.
    pub start_byte: usize,
    /// The same as `end` in bytes of UTF-8.
    pub end_byte: usize,
    /// Who put it there.
    pub kind: TokenKind,
    /// Of what was written in a conversation: who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether it is a control token, in the place of which it was written: the model reads it as it reads the chat template's.
    /// Those that the template or the tokenizer put there are of the kind [`TokenKind::Special`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
    /// Of a target's token: the natural logarithm of its probability after all that stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_prob: Option<f32>,
}

/// Who put a token where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// The writer of the text, control tokens that were typed included.
    #[default]
    Text,
    /// The chat template, in words.
    Template,
    /// A control token of the chat template, or one that the tokenizer adds.
    Special,
    /// The processor of pictures: an embedding of a part of a picture stands in its place.
    Image,
}

impl Token {
    /// The bytes of the text that it stands for.
    pub fn bytes(&self) -> Range<usize> {
        self.start_byte..self.end_byte
    }
}

impl Text {
    /// Encodes `text`. What lies outside the byte ranges `written` is a chat template's; `add_special` adds what the model
    /// expects around a text.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn encode(tokenizer: &Tokenizer, text: &str, add_special: bool, written: &[Range<usize>]) -> Result<Text, AtmanError> {
        let written: Vec<Written> = written.iter().map(|bytes| Written { bytes: bytes.clone(), role: None }).collect();
        Text::written(tokenizer, text, add_special, &written, &[])
    }

    /// Encodes a text of which each part that was written has its writer. `<image>` in such a part is a word that is read
    /// letter by letter, unless it is one of the `markers`, bytes in whose places pictures are yet to come.
    pub(crate) fn written(
        tokenizer: &Tokenizer,
        text: &str,
        add_special: bool,
        written: &[Written],
        markers: &[Range<usize>],
    ) -> Result<Text, AtmanError> {
        let is_special = tokenizer.token_id(IMAGE).is_some_and(|id| tokenizer.is_special(id));
        let words = text.match_indices(IMAGE).map(|(at, word)| at..at + word.len());
        let words = words.filter(|word| is_special && !markers.contains(word));
        let words = words.filter(|word| written.iter().any(|part| part.bytes.start <= word.start && word.end <= part.bytes.end));
        // After its first character, a sign, where words are divided anyhow.
        let cuts: Vec<usize> = words.map(|word| word.start + 1).collect();
        let encoded = tokenizer.encode_cut(text, add_special, &cuts)?;
        Ok(Text::new(tokenizer, text.to_owned(), &encoded, Writers::Known(written)))
    }

    /// Encodes a text that is to follow a prompt: nothing is added around it, and all of it is the writer's.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn following(tokenizer: &Tokenizer, text: &str) -> Result<Text, AtmanError> {
        let whole = 0..text.len();
        Text::encode(tokenizer, text, false, std::slice::from_ref(&whole))
    }

    /// The text of given tokens. Control tokens among them were meant as such.
    pub fn from_ids(tokenizer: &Tokenizer, ids: &[u32]) -> Text {
        let (text, encoded) = tokenizer.decode_with_ranges(ids);
        Text::new(tokenizer, text, &encoded, Writers::OfTokens)
    }

    fn new(tokenizer: &Tokenizer, text: String, encoded: &[EncodedToken], writers: Writers<'_>) -> Text {
        let characters = Characters::of(&text);
        let token = |token: &EncodedToken| {
            let is_special = tokenizer.is_special(token.id);
            let part = writers.of(&token.range);
            let (kind, role, control) = match part {
                _ if token.range.is_empty() => (TokenKind::Special, None, false),
                Some(part) => (TokenKind::Text, part.role, is_special),
                None if is_special && text.get(token.range.clone()) == Some(IMAGE) => (TokenKind::Image, None, false),
                None if is_special => (TokenKind::Special, None, false),
                None if matches!(writers, Writers::OfTokens) => (TokenKind::Text, None, false),
                None => (TokenKind::Template, None, false),
            };
            Token {
                id: token.id,
                text: tokenizer.token_text(token.id).unwrap_or_default(),
                start: characters.before(token.range.start),
                end: characters.before(token.range.end),
                start_byte: token.range.start,
                end_byte: token.range.end,
                kind,
                role,
                control,
                log_prob: None,
            }
        };
        Text { tokens: encoded.iter().map(token).collect(), text }
    }

    /// The tokens' numbers.
    pub fn ids(&self) -> Vec<u32> {
        self.tokens.iter().map(|token| token.id).collect()
    }

    /// The numbers of the tokens that stand for parts of pictures.
    pub fn image_positions(&self) -> Vec<usize> {
        let tokens = self.tokens.iter().enumerate();
        tokens.filter(|(_, token)| token.kind == TokenKind::Image).map(|(position, _)| position).collect()
    }

    /// Has the tokens `image_token_id`, and no others, stand for parts of pictures.
    pub(crate) fn mark_images(&mut self, image_token_id: Option<u32>) {
        for token in &mut self.tokens {
            match token.kind {
                _ if image_token_id == Some(token.id) => token.kind = TokenKind::Image,
                TokenKind::Image => token.kind = TokenKind::Special,
                _ => {}
            }
        }
    }

    /// The tokens that the first occurrence of `span` in the text touches.
    ///
    /// # Errors
    /// When it does not occur.
    pub fn tokens_of(&self, span: &str) -> Result<Range<usize>, AtmanError> {
        let not_there = || AtmanError::Span { span: span.to_owned(), target: self.text.clone() };
        let start = self.text.find(span).filter(|_| !span.is_empty()).ok_or_else(not_there)?;
        let touches = |token: &Token| token.start_byte < start + span.len() && start < token.end_byte;
        let first = self.tokens.iter().position(touches).ok_or_else(not_there)?;
        let last = self.tokens.iter().rposition(touches).ok_or_else(not_there)?;
        Ok(first..last + 1)
    }
}

/// Who wrote a text.
#[derive(Clone, Copy)]
enum Writers<'a> {
    /// Each part has its writer, and the rest is the chat template's.
    Known(&'a [Written]),
    /// Somebody gave its tokens one by one.
    OfTokens,
}

impl<'a> Writers<'a> {
    /// The first written part that a token touches.
    fn of(self, token: &Range<usize>) -> Option<&'a Written> {
        let Writers::Known(parts) = self else { return None };
        parts.iter().find(|part| token.start < part.bytes.end && part.bytes.start < token.end)
    }
}

/// Counts the characters before a byte of a text.
pub(crate) struct Characters {
    starts: Vec<usize>,
}

impl Characters {
    pub(crate) fn of(text: &str) -> Characters {
        Characters { starts: text.char_indices().map(|(at, _)| at).collect() }
    }

    /// How many characters start before `byte`.
    pub(crate) fn before(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start < byte)
    }
}
