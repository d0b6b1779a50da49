//! An answer as the model itself would write it after a prompt.

use crate::{AtmanError, Text, TokenKind};
use weights::Tokenizer;

impl Text {
    /// Whether an answer comes after a space, as a word follows another: unless this prompt ends in white space or in a control
    /// token. So after `Assistant:`, but not after a line break or `<|assistant|>`.
    pub fn wants_space(&self) -> bool {
        let ends_in_control =
            self.tokens.last().is_some_and(|token| token.control || matches!(token.kind, TokenKind::Special | TokenKind::Image));
        !ends_in_control && !self.text.ends_with(char::is_whitespace)
    }

    /// Whether an answer that a person typed is to be set apart by a space. Only in a chat, where the end of the prompt is the
    /// template's and is not seen; and not where the person began with white space.
    pub fn sets_apart(&self, is_chat: bool, typed: &str) -> bool {
        is_chat && !typed.is_empty() && !typed.starts_with(char::is_whitespace) && self.wants_space()
    }

    /// An answer to this prompt that a person typed, after a space where [`Text::sets_apart`] holds.
    ///
    /// # Errors
    /// When the tokenizer's patterns fail on it.
    pub fn typed_answer(&self, is_chat: bool, typed: &str, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        let space = if self.sets_apart(is_chat, typed) { " " } else { "" };
        Text::following(tokenizer, &format!("{space}{typed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    fn prompt(text: &str, kind: TokenKind) -> Text {
        let (text, len) = (text.to_owned(), text.len());
        let token = Token { text: text.clone(), end: len, end_byte: len, kind, ..Token::default() };
        Text { text, tokens: vec![token] }
    }

    #[test]
    fn a_space_comes_after_words_and_signs_only() {
        assert!(prompt("Assistant:", TokenKind::Template).wants_space());
        assert!(prompt("Question: Who?\nAnswer:", TokenKind::Text).wants_space());
        assert!(!prompt("assistant\n", TokenKind::Template).wants_space());
        assert!(!prompt("<|assistant|>", TokenKind::Special).wants_space());
    }

    #[test]
    fn only_what_was_typed_bare_in_a_chat_is_set_apart() {
        let prompt = prompt("Assistant:", TokenKind::Template);
        assert!(prompt.sets_apart(true, "cat."));
        assert!(!prompt.sets_apart(true, " cat."));
        assert!(!prompt.sets_apart(true, "\ncat."));
        assert!(!prompt.sets_apart(true, ""));
        // In a text to continue a word may go on.
        assert!(!prompt.sets_apart(false, "cat."));
    }
}
