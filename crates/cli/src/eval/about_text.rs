//! Questions about a text whose answers stand in it.

use crate::answer::following;
use crate::engine::Opened;
use anyhow::{Result, anyhow};
use atman::{Prompt, Question, Token, Turn};
use serde::Deserialize;
use std::ops::Range;

/// What a line of the data says.
#[derive(Debug, Deserialize)]
struct Line {
    context: String,
    question: String,
    answer: String,
    /// In characters.
    answer_start: usize,
}

/// A question about a text, ready to be asked.
#[derive(Debug)]
pub(crate) struct AboutText {
    pub(crate) question: Question,
    /// As the data have it.
    pub(crate) answer: String,
    /// Positions of the context's tokens.
    pub(crate) context: Vec<usize>,
    /// For each of these, whether the answer stands there.
    pub(crate) is_answer: Vec<bool>,
}

impl AboutText {
    pub(crate) fn read(line: &str, opened: &Opened) -> Result<Self> {
        let Line { context, question, answer, answer_start } = serde_json::from_str(line)?;
        let bytes = byte_range(&context, &answer, answer_start)?;
        // The chat prompt where the model has one; else a text that a model continues with an answer.
        let (prompt, context_at) = if opened.checkpoint.chat_template().is_some() {
            let message = format!("Context: {context}\nQuestion: {question}");
            let prompt = Prompt::chat(&Turn::question(None, &message), 0, &opened.checkpoint)?;
            let written = prompt.parts.last().map(|part| part.bytes.clone());
            let at =
                written.filter(|part| prompt.text.get(part.clone()).is_some_and(|part| part.starts_with(message.trim_end())));
            let at = at.ok_or_else(|| anyhow!("the chat template changes the context"))?.start;
            (prompt, at + "Context: ".len())
        } else {
            (Prompt::plain(format!("Context: {context}\nQuestion: {question}\nAnswer:")), "Context: ".len())
        };
        let tokenizer = opened.checkpoint.tokenizer()?;
        let text = prompt.encode(tokenizer)?;
        let target = following(tokenizer, &text, &answer)?;
        let touches = |token: &Token, range: &Range<usize>| token.start_byte < range.end && range.start < token.end_byte;
        let (whole, answer_at) = (context_at..context_at + context.len(), context_at + bytes.start..context_at + bytes.end);
        let in_context = text.tokens.iter().enumerate().filter(|(_, token)| touches(token, &whole));
        let (context, is_answer) = in_context.map(|(position, token)| (position, touches(token, &answer_at))).unzip();
        Ok(Self { question: Question::new(text, target, Vec::new(), &opened.config)?, answer, context, is_answer })
    }
}

/// Where the answer stands in the context, in bytes.
fn byte_range(context: &str, answer: &str, answer_start: usize) -> Result<Range<usize>> {
    let start = context.char_indices().nth(answer_start).map(|(at, _)| at);
    let start = start.filter(|at| !answer.is_empty() && context.get(*at..).is_some_and(|rest| rest.starts_with(answer)));
    let start = start.ok_or_else(|| anyhow!("the context has no {answer:?} at character {answer_start}"))?;
    Ok(start..start + answer.len())
}

#[cfg(test)]
mod tests {
    use super::byte_range;

    #[test]
    fn an_answer_is_found_by_its_character() {
        assert_eq!(byte_range("Zoë is in Köln.", "Köln", 10).unwrap(), 11..16);
        for (answer, start) in [("Köln", 9), ("", 0), ("Bonn", 10), ("Köln", 99)] {
            assert!(byte_range("Zoë is in Köln.", answer, start).is_err(), "{answer} at {start}");
        }
    }
}
