//! Text to token ids and back.
//!
//! Both kinds of model files are brought to the same parts, from which the `tokenizers` crate's BPE model is
//! built; so the same vocabulary gives the same ids wherever it comes from. Decoding is done here, since every token's own
//! bytes are needed: to stream text without splitting a character, and to show what a single token stands for.

mod decode;
mod gguf;
mod json;
mod merges;
mod parts;
mod regex;
mod special;

pub use decode::TextStream;
pub(crate) use json::HfTokenizerFiles;

use crate::chat::SpecialTokens;
use crate::{FileNotice, WeightsError};
use decode::TokenBytes;
use std::collections::BTreeSet;
use std::ops::Range;

/// Tokens that end an answer by their name, whatever the files declare: chat models end a turn with one and a text with another.
const END_TOKENS: [&str; 10] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|eot|>",
    "<end_of_turn>",
    "<EOT>",
    "</s>",
];

/// One token of an encoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedToken {
    /// Its id.
    pub id: u32,
    /// The bytes of the text that it stands for; all ranges together cover the text. Tokens that are parts of one character all
    /// have the whole character, and a space that the tokenizer puts before a text has the text's first one. Tokens that stand
    /// for no text, such as an added beginning of sequence, have an empty range.
    pub range: Range<usize>,
}

/// A model's tokenizer.
pub struct Tokenizer {
    file: String,
    inner: tokenizers::Tokenizer,
    tokens: TokenBytes,
    /// Ids put before and after a text when asked for. What ends a text is not among those after it.
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    end_ids: BTreeSet<u32>,
    special_tokens: SpecialTokens,
    notices: Vec<FileNotice>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokenizer({}, {} tokens)", self.file, self.vocab_size())
    }
}

impl Tokenizer {
    /// The tokenizer of a GGUF file's metadata, `None` if it has none.
    ///
    /// # Errors
    /// When its lists contradict each other, or when it is of a kind that is not read.
    pub fn from_gguf(metadata: &crate::gguf::Metadata) -> Result<Option<Tokenizer>, WeightsError> {
        gguf::parts(metadata)?.map(|parts| parts.build(metadata.file())).transpose()
    }

    /// The tokenizer of a `tokenizer.json`, without what other files may add to it.
    ///
    /// # Errors
    /// When it is not JSON, contradicts itself, or is of a kind that is not read.
    pub fn from_json(file: &str, json: &[u8]) -> Result<Tokenizer, WeightsError> {
        json::parts(file, json)?.build(file)
    }

    /// The ids of `text`; special tokens written in the text are recognised. `add_special` adds what the model expects around
    /// a text that goes on, such as a beginning of sequence; a rendered chat template has it already.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, WeightsError> {
        let encoding = self.inner.encode_fast(text, false).map_err(|e| self.failed(&e))?;
        let (prefix, suffix) = self.around(add_special);
        Ok(prefix.iter().chain(encoding.get_ids()).chain(suffix).copied().collect())
    }

    /// As [`Tokenizer::encode`], with the part of the text that each token stands for.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn encode_with_ranges(&self, text: &str, add_special: bool) -> Result<Vec<EncodedToken>, WeightsError> {
        self.encode_cut(text, add_special, &[])
    }

    /// As [`Tokenizer::encode_with_ranges`], but no token reaches over the bytes `cuts`, which rise: a special token that is cut
    /// is read as the characters that it is written with.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on this text.
    pub fn encode_cut(&self, text: &str, add_special: bool, cuts: &[usize]) -> Result<Vec<EncodedToken>, WeightsError> {
        let (prefix, suffix) = self.around(add_special);
        let at = |ids: &[u32], place: usize| -> Vec<EncodedToken> {
            ids.iter().map(|&id| EncodedToken { id, range: place..place }).collect()
        };
        let mut of_text: Vec<EncodedToken> = Vec::new();
        let mut from = 0;
        for end in cuts.iter().copied().chain([text.len()]) {
            let piece = text.get(from..end).unwrap_or_default();
            let encoding = self.inner.encode(piece, false).map_err(|e| self.failed(&e))?;
            let ids_and_ranges = encoding.get_ids().iter().zip(encoding.get_offsets());
            of_text.extend(ids_and_ranges.map(|(&id, &(start, end))| EncodedToken { id, range: from + start..from + end }));
            from = end;
        }
        close_gaps(&mut of_text, text.len());
        Ok(at(prefix, 0).into_iter().chain(of_text).chain(at(suffix, text.len())).collect())
    }

    fn around(&self, add_special: bool) -> (&[u32], &[u32]) {
        if add_special { (&self.prefix, &self.suffix) } else { (&[], &[]) }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> WeightsError {
        WeightsError::Tokenizer { file: self.file.clone(), reason: error.to_string() }
    }

    /// The text of `ids` without special tokens. Bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.tokens.text(ids.iter().copied().filter(|&id| !self.is_special(id)))
    }

    /// The text of `ids` with special tokens as they are written.
    pub fn decode_with_special(&self, ids: &[u32]) -> String {
        self.tokens.text(ids.iter().copied())
    }

    /// A decoder for tokens that come one by one, which yields whole characters only.
    pub fn stream(&self) -> TextStream<'_> {
        TextStream::new(self)
    }

    /// The bytes that a token stands for: whole characters or parts of one. `None` for an id outside the vocabulary.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id)
    }

    /// A token as text, for display: bytes that are no UTF-8 become U+FFFD. `None` for an id outside the vocabulary.
    pub fn token_text(&self, id: u32) -> Option<String> {
        self.token_bytes(id).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The id of a token as the vocabulary spells it.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// One more than the largest id.
    pub fn vocab_size(&self) -> usize {
        self.tokens.len()
    }

    /// Whether a token is a control token, which stands for no text.
    pub fn is_special(&self, id: u32) -> bool {
        self.tokens.is_special(id)
    }

    /// All control tokens.
    pub fn special_ids(&self) -> impl Iterator<Item = u32> {
        (0..).take(self.vocab_size()).filter(|&id| self.is_special(id))
    }

    /// What was met in its files that is no error, and what is made of it.
    pub(crate) fn notices(&self) -> &[FileNotice] {
        &self.notices
    }

    /// The token that begins a sequence.
    pub fn bos_id(&self) -> Option<u32> {
        self.bos
    }

    /// The token that is declared to end a sequence.
    pub fn eos_id(&self) -> Option<u32> {
        self.eos
    }

    /// Every token after which generation stops: those declared, and control tokens known to end a turn or a text.
    pub fn end_ids(&self) -> &BTreeSet<u32> {
        &self.end_ids
    }

    /// Texts of special tokens by their names, as chat templates want them.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special_tokens
    }
}

/// Gives what no token stands for, such as an accent that normalising composed with its letter, to the tokens before it.
fn close_gaps(tokens: &mut [EncodedToken], len: usize) {
    let mut covered = 0;
    for i in 0..=tokens.len() {
        let (before, rest) = tokens.split_at_mut(i);
        let next = rest.first_mut();
        let start = next.as_ref().map_or(len, |token| token.range.start);
        if start > covered {
            let mut last =
                before.iter_mut().rev().take_while(|token| token.range.end == covered && !token.range.is_empty()).peekable();
            match (last.peek().is_some(), next) {
                (true, _) => last.for_each(|token| token.range.end = start),
                (false, Some(next)) => next.range.start = covered,
                (false, None) => {}
            }
        }
        covered = rest.first().map_or(covered, |token| covered.max(token.range.end));
    }
}
