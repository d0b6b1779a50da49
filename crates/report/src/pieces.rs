//! A text in the pieces that it is shown in: which part of it is which unit, and which target tokens.

use atman::{Explanation, Source, Text, TokenKind, Unit};
use std::collections::HashMap;
use std::ops::Range;

/// A stretch of a text that is shown in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// As it stands in the prompt or the target: untrusted, and not cleaned.
    pub text: String,
    /// Its unit, if it is a part of any.
    pub unit: Option<usize>,
    /// The tokens of its text that it stands for.
    pub tokens: Range<usize>,
    /// Whether the chat template put it there, or it is a control token.
    pub template: bool,
    /// Whether it belongs to a unit that is shown apart.
    pub sink: bool,
}

/// The prompt, one piece for each stretch of a unit.
pub fn of_prompt(explanation: &Explanation) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces(explanation, &explanation.prompt, 0) {
        match joined.last_mut() {
            Some(last) if last.unit == piece.unit && last.template == piece.template => {
                last.text.push_str(&piece.text);
                last.tokens.end = piece.tokens.end;
            }
            _ => joined.push(piece),
        }
    }
    joined
}

/// The target, one piece for each token; tokens that are parts of one character are one piece.
pub fn of_target(explanation: &Explanation) -> Vec<Piece> {
    pieces(explanation, &explanation.target, explanation.prompt.tokens.len())
}

/// The pieces of a text whose first token stands at `first_position`.
fn pieces(explanation: &Explanation, text: &Text, first_position: usize) -> Vec<Piece> {
    let unit_at = units_by_position(explanation);
    let mut pieces: Vec<Piece> = Vec::with_capacity(text.tokens.len());
    let mut reached = 0;
    for (i, token) in text.tokens.iter().enumerate() {
        let own = text.text.get(reached..token.end_byte).unwrap_or_default();
        reached = reached.max(token.end_byte);
        if own.is_empty() {
            if let Some(last) = pieces.last_mut() {
                last.tokens.end = i + 1;
            }
            continue;
        }
        let unit = unit_at.get(&(first_position + i)).copied();
        let template = token.kind != TokenKind::Text;
        let sink = unit.and_then(|unit| explanation.units.get(unit)).map_or(template, |unit| unit.sink);
        pieces.push(Piece { text: own.to_owned(), unit, tokens: i..i + 1, template, sink });
    }
    if let Some(rest) = text.text.get(reached..).filter(|rest| !rest.is_empty()) {
        let end = text.tokens.len();
        pieces.push(Piece { text: rest.to_owned(), unit: None, tokens: end..end, template: false, sink: false });
    }
    pieces
}

fn units_by_position(explanation: &Explanation) -> HashMap<usize, usize> {
    let leaves = explanation.leaves().into_iter();
    let units = leaves.filter_map(|unit| Some((unit, explanation.units.get(unit)?)));
    units.flat_map(|(unit, of)| of.positions.iter().map(move |position| (*position, unit))).collect()
}

/// What a unit is called: its text, or, where tokens without any are all it has, what the tokenizer calls them.
pub fn name(explanation: &Explanation, unit: &Unit) -> String {
    if !unit.text.is_empty() {
        return unit.text.clone();
    }
    let (text, first) = match unit.source {
        Source::Prompt => (&explanation.prompt, 0),
        Source::Target => (&explanation.target, explanation.prompt.tokens.len()),
    };
    let tokens = unit.positions.iter().filter_map(|position| text.tokens.get(position.checked_sub(first)?));
    tokens.map(|token| token.text.as_str()).collect()
}
