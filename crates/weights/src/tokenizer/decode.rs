//! What each token stands for, and text from tokens.

use super::{EncodedToken, Tokenizer};

/// How a vocabulary spells bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Every byte is one printable character (GPT-2's `bytes_to_unicode`).
    ByteLevel,
    /// As text, with U+2581 for a space and `<0x0A>` for a byte; a space that was put before a text is left out again.
    Sentencepiece {
        /// Whether the first space of a text was put there by the tokenizer.
        strip_leading_space: bool,
    },
}

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of text.
    Normal,
    /// Added as it is written, outside the vocabulary's spelling.
    Added,
    /// Added, and stands for no text.
    Special,
}

/// The bytes of all tokens, kept as one.
pub(super) struct TokenBytes {
    joined: Vec<u8>,
    ends: Vec<u32>,
    special: Vec<bool>,
    strip_leading_space: bool,
}

impl TokenBytes {
    /// From the tokens by id; an id that no token has stands for nothing.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = Option<(&'a str, Kind)>>, spelling: Spelling) -> TokenBytes {
        let mut all = TokenBytes {
            joined: Vec::new(),
            ends: Vec::new(),
            special: Vec::new(),
            strip_leading_space: spelling == Spelling::Sentencepiece { strip_leading_space: true },
        };
        for token in tokens {
            let (text, kind) = token.unwrap_or(("", Kind::Normal));
            match (kind, spelling) {
                (Kind::Normal, Spelling::ByteLevel) => push_byte_level(&mut all.joined, text),
                (Kind::Normal, Spelling::Sentencepiece { .. }) => push_sentencepiece(&mut all.joined, text),
                (Kind::Added | Kind::Special, _) => all.joined.extend_from_slice(text.as_bytes()),
            }
            // A vocabulary of 4 GiB does not pass the limits on headers and files.
            all.ends.push(u32::try_from(all.joined.len()).unwrap_or(u32::MAX));
            all.special.push(kind == Kind::Special);
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<&[u8]> {
        let id = id as usize;
        let end = *self.ends.get(id)? as usize;
        let start = id.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&end| end as usize);
        self.joined.get(start..end)
    }

    pub(super) fn is_special(&self, id: u32) -> bool {
        self.special.get(id as usize).copied().unwrap_or(false)
    }

    /// The text of tokens from the beginning of a text on.
    pub(super) fn text(&self, ids: impl Iterator<Item = u32>) -> String {
        let bytes: Vec<u8> = ids.filter_map(|id| self.get(id)).flatten().copied().collect();
        let text = if self.strip_leading_space { bytes.strip_prefix(b" ").unwrap_or(&bytes) } else { &bytes };
        String::from_utf8_lossy(text).into_owned()
    }
}

impl Tokenizer {
    /// The text of `ids` with special tokens as they are written, and the part of it that each token stands for, as
    /// [`Tokenizer::encode_with_ranges`] gives it. Bytes that are no UTF-8 become U+FFFD.
    pub fn decode_with_ranges(&self, ids: &[u32]) -> (String, Vec<EncodedToken>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(ids.len());
        for id in ids {
            let token = self.tokens.get(*id).unwrap_or_default();
            let is_first = bytes.is_empty() && self.tokens.strip_leading_space;
            bytes.extend_from_slice(if is_first { token.strip_prefix(b" ").unwrap_or(token) } else { token });
            ends.push(bytes.len());
        }
        // For each byte, the character of the text that it is a part of.
        let (mut text, mut chars) = (String::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
        for chunk in bytes.utf8_chunks() {
            let replaced = (!chunk.invalid().is_empty()).then_some((char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
            for (c, len) in chunk.valid().chars().map(|c| (c, c.len_utf8())).chain(replaced) {
                let start = text.len();
                text.push(c);
                chars.extend(std::iter::repeat_n(start..text.len(), len));
            }
        }
        let mut start = 0;
        let mut tokens = Vec::with_capacity(ids.len());
        for (id, end) in ids.iter().zip(ends) {
            let at = |byte: usize| chars.get(byte).cloned().unwrap_or(text.len()..text.len());
            let range = if end > start { at(start).start..at(end - 1).end } else { at(start).start..at(start).start };
            tokens.push(EncodedToken { id: *id, range });
            start = end;
        }
        (text, tokens)
    }
}

/// GPT-2's `bytes_to_unicode` backwards: printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on, in order.
fn byte_of(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// A token with a character outside the alphabet stands for itself, as in the `tokenizers` crate.
fn push_byte_level(joined: &mut Vec<u8>, token: &str) {
    let start = joined.len();
    for c in token.chars() {
        match byte_of(c) {
            Some(byte) => joined.push(byte),
            None => {
                joined.truncate(start);
                joined.extend_from_slice(token.as_bytes());
                return;
            }
        }
    }
}

fn push_sentencepiece(joined: &mut Vec<u8>, token: &str) {
    let hex = token
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'))
        .filter(|hex| hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        return joined.push(byte);
    }
    for (i, part) in token.split('\u{2581}').enumerate() {
        if i > 0 {
            joined.push(b' ');
        }
        joined.extend_from_slice(part.as_bytes());
    }
}

/// Text from tokens that come one by one. Special tokens stand for no text.
///
/// What is generated goes on after a prompt, so a space before its first word is kept.
pub struct TextStream<'a> {
    tokenizer: &'a Tokenizer,
    /// The beginning of a character whose end has not come yet, at most three bytes.
    pending: Vec<u8>,
}

impl<'a> TextStream<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> TextStream<'a> {
        TextStream { tokenizer, pending: Vec::new() }
    }

    /// The whole characters that are complete with this token; often none. Bytes that can never become a character are
    /// U+FFFD.
    pub fn push(&mut self, id: u32) -> String {
        if !self.tokenizer.is_special(id) {
            self.pending.extend_from_slice(self.tokenizer.token_bytes(id).unwrap_or_default());
        }
        let mut text = String::new();
        let mut rest = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            rest += chunk.valid().len();
            let at_end = rest + chunk.invalid().len() == self.pending.len();
            if at_end && is_beginning_of_char(chunk.invalid()) {
                break;
            }
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                rest += chunk.invalid().len();
            }
        }
        self.pending.drain(..rest);
        text
    }

    /// What is left when no more tokens come: U+FFFD for an unfinished character, else nothing.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// Whether more bytes could make a character of these.
fn is_beginning_of_char(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        // bytes_to_unicode of GPT-2's encoder.py.
        let mut next = 0x100;
        for byte in 0..=255_u8 {
            let printable = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
            let c = if printable { char::from(byte) } else { char::from_u32(next).unwrap() };
            next += u32::from(!printable);
            assert_eq!(byte_of(c), Some(byte), "{c:?}");
        }
        assert_eq!(next, 0x144);
        assert_eq!([byte_of(' '), byte_of('\u{144}'), byte_of('\u{ad}'), byte_of('€')], [None; 4]);
    }

    #[test]
    fn tokens_stand_for_bytes_in_either_spelling() {
        let of = |token: &str, push: fn(&mut Vec<u8>, &str)| {
            let mut bytes = Vec::new();
            push(&mut bytes, token);
            bytes
        };
        assert_eq!(of("ĠParis", push_byte_level), b" Paris");
        assert_eq!(of("Ã©", push_byte_level), "é".as_bytes());
        assert_eq!(of("Ġ漢", push_byte_level), "Ġ漢".as_bytes());
        assert_eq!(of("▁Par▁is", push_sentencepiece), b" Par is");
        assert_eq!(of("<0x0A>", push_sentencepiece), b"\n");
        assert_eq!(of("<0xZZ>", push_sentencepiece), b"<0xZZ>");
        assert_eq!(of("<0x+A>", push_sentencepiece), b"<0x+A>");
    }
}
