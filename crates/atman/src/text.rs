//! A text and the tokens that a model reads it as.

use crate::AtmanError;
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Of a target's token: the natural logarithm of its probability after all that stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_prob: Option<f32>,
}

/// Who put a token where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// The writer of the text.
    Text,
    /// The chat template, in words.
    Template,
    /// A control token.
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
        let encoded = tokenizer.encode_with_ranges(text, add_special)?;
        Ok(Text::new(tokenizer, text.to_owned(), &encoded, written))
    }

    /// Encodes a text that is to follow a prompt: nothing is added around it, and all of it is the writer's.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn following(tokenizer: &Tokenizer, text: &str) -> Result<Text, AtmanError> {
        let whole = 0..text.len();
        Text::encode(tokenizer, text, false, std::slice::from_ref(&whole))
    }

    /// The text of given tokens.
    pub fn from_ids(tokenizer: &Tokenizer, ids: &[u32]) -> Text {
        let (text, encoded) = tokenizer.decode_with_ranges(ids);
        let whole = 0..text.len();
        Text::new(tokenizer, text, &encoded, std::slice::from_ref(&whole))
    }

    fn new(tokenizer: &Tokenizer, text: String, encoded: &[EncodedToken], written: &[Range<usize>]) -> Text {
        let kind = |token: &EncodedToken| {
            let overlaps = |part: &Range<usize>| token.range.start < part.end && part.start < token.range.end;
            match token {
                _ if tokenizer.is_special(token.id) && text.get(token.range.clone()) == Some(images::IMAGE) => TokenKind::Image,
                _ if tokenizer.is_special(token.id) || token.range.is_empty() => TokenKind::Special,
                _ if written.iter().any(overlaps) => TokenKind::Text,
                _ => TokenKind::Template,
            }
        };
        let characters = Characters::of(&text);
        let token = |token: &EncodedToken| Token {
            id: token.id,
            text: tokenizer.token_text(token.id).unwrap_or_default(),
            start: characters.before(token.range.start),
            end: characters.before(token.range.end),
            start_byte: token.range.start,
            end_byte: token.range.end,
            kind: kind(token),
            log_prob: None,
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
