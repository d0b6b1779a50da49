//! An answer as the model itself would write it.

use anyhow::Result;
use atman::{Text, TokenKind};
use weights::Tokenizer;

/// The answer as a text that follows the prompt: after a space, as a word follows another, unless the prompt ends in white
/// space or in a control token. So after `Assistant:`, but not after a line break or `<|assistant|>`.
pub(crate) fn following(tokenizer: &Tokenizer, prompt: &Text, answer: &str) -> Result<Text> {
    let space = if wants_space(prompt) { " " } else { "" };
    Ok(Text::following(tokenizer, &format!("{space}{}", answer.trim()))?)
}

/// Whether an answer comes after a space there.
pub(crate) fn wants_space(prompt: &Text) -> bool {
    let ends_in_control = prompt.tokens.last().is_some_and(|token| matches!(token.kind, TokenKind::Special | TokenKind::Image));
    !ends_in_control && !prompt.text.ends_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atman::Token;

    #[test]
    fn a_space_comes_after_words_and_signs_only() {
        let prompt = |text: &str, kind| {
            let (text, len) = (text.to_owned(), text.len());
            let token =
                Token { id: 0, text: text.clone(), start: 0, end: len, start_byte: 0, end_byte: len, kind, log_prob: None };
            Text { text, tokens: vec![token] }
        };
        assert!(wants_space(&prompt("Assistant:", TokenKind::Template)));
        assert!(wants_space(&prompt("Question: Who?\nAnswer:", TokenKind::Text)));
        assert!(!wants_space(&prompt("assistant\n", TokenKind::Template)));
        assert!(!wants_space(&prompt("<|assistant|>", TokenKind::Special)));
    }
}
