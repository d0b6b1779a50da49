//! Questions about a text whose answers stand in it.

use crate::args::EvalArguments;
use crate::engine::Opened;
use crate::fetch::sha256_of;
use crate::jsonl::lines;
use anyhow::{Context, Result, anyhow, bail};
use atman::{Prompt, Question, Text};
use serde::Deserialize;
use serde_json::Value;
use std::ops::Range;

/// A line of the data.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    context: String,
    question: String,
    answer: String,
    /// In characters.
    answer_start: usize,
}

/// A question, ready to be asked.
#[derive(Debug)]
pub(crate) struct Example {
    /// As the data names it, or by its line.
    pub(crate) id: String,
    sha256: String,
    pub(crate) question: Question,
    /// Positions of the context's tokens.
    pub(crate) context: Vec<usize>,
    /// For each of these, whether the answer stands there.
    pub(crate) is_answer: Vec<bool>,
}

impl Example {
    /// Tells it, asked of one model, from every other.
    pub(crate) fn key(&self, model_sha256: &str) -> String {
        sha256_of(format!("{} {model_sha256}", self.sha256).as_bytes())
    }
}

/// What of the data is used.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) examples: Vec<Example>,
    /// Lines that could not be used.
    pub(crate) bad: usize,
}

/// Reads the examples that are asked for. A bad line is reported and left out.
pub(crate) fn read(arguments: &EvalArguments, opened: &Opened) -> Result<Selection> {
    let path = &arguments.data;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut selection = Selection { examples: Vec::new(), bad: 0 };
    let mut too_long = 0;
    for (number, line) in lines(&text) {
        if arguments.limit.is_some_and(|limit| selection.examples.len() >= limit) {
            break;
        }
        match example(number, line, opened) {
            Ok(example) if arguments.max_context_tokens.is_some_and(|most| example.context.len() > most) => too_long += 1,
            Ok(example) => selection.examples.push(example),
            Err(error) => {
                selection.bad += 1;
                eprintln!("line {number} of {} is left out: {error:#}", path.display());
            }
        }
    }
    if selection.examples.is_empty() {
        bail!("{} holds no example that can be used ({too_long} are too long)", path.display());
    }
    Ok(selection)
}

fn example(number: usize, line: &str, opened: &Opened) -> Result<Example> {
    let Line { id, context, question, answer, answer_start } = serde_json::from_str(line)?;
    let bytes = byte_range(&context, &answer, answer_start)?;
    // The chat prompt where the model has one; else a text that a model continues with an answer.
    let (prompt, answer, context_at) = if opened.checkpoint.chat_template().is_some() {
        let message = format!("Context: {context}\nQuestion: {question}");
        let prompt = Prompt::chat(&message, None, 0, &opened.checkpoint)?;
        let at = prompt.text.rfind(message.trim()).ok_or_else(|| anyhow!("the chat template changes the context"))?;
        (prompt, answer, at + "Context: ".len())
    } else {
        let prompt = Prompt::plain(format!("Context: {context}\nQuestion: {question}\nAnswer:"));
        (prompt, format!(" {answer}"), "Context: ".len())
    };
    let tokenizer = opened.checkpoint.tokenizer()?;
    let target = Text::following(tokenizer, &answer)?;
    let text = prompt.encode(tokenizer)?;
    let touches = |token: &atman::Token, range: &Range<usize>| token.start_byte < range.end && range.start < token.end_byte;
    let (whole, answer) = (context_at..context_at + context.len(), context_at + bytes.start..context_at + bytes.end);
    let in_context = text.tokens.iter().enumerate().filter(|(_, token)| touches(token, &whole));
    let (context, is_answer) = in_context.map(|(position, token)| (position, touches(token, &answer))).unzip();
    Ok(Example {
        id: match id {
            Value::Null => format!("line {number}"),
            Value::String(id) => id,
            other => other.to_string(),
        },
        sha256: sha256_of(line.as_bytes()),
        question: Question::new(text, target, Vec::new(), &opened.config)?,
        context,
        is_answer,
    })
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
