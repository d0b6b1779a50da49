//! From tokens and the places where their text divides to units.

use super::segments::segments;
use super::{Granularity, Source, Unit};
use crate::{AtmanError, Question, Text, TokenKind};
use std::ops::Range;

/// How many units of the prompt [`Granularity::Auto`] aims at.
const AUTO_UNITS: usize = 30;

/// The units of a question in the order of their positions, and the granularity that they are of.
///
/// # Errors
/// When a given set holds a position that the question does not have, or a pattern does not compile.
pub fn units(question: &Question, granularity: &Granularity) -> Result<(Vec<Unit>, Granularity), AtmanError> {
    match granularity {
        Granularity::Given(sets) => Ok((given(question, sets)?, granularity.clone())),
        Granularity::Auto => {
            let mut best: Option<(usize, Vec<Unit>, Granularity)> = None;
            for step in Granularity::STEPS {
                let units = of_question(question, &step)?;
                let of_prompt = units.iter().filter(|unit| unit.source == Source::Prompt && !unit.sink).count();
                let distance = of_prompt.abs_diff(AUTO_UNITS);
                // Of two that are equally near the finer one says more.
                if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
                    best = Some((distance, units, step));
                }
            }
            Ok(best.map(|(_, units, step)| (units, step)).unwrap_or_default())
        }
        _ => Ok((of_question(question, granularity)?, granularity.clone())),
    }
}

/// The parts that a unit divides into at the next finer granularity that divides it, and that granularity; none where nothing does.
pub(crate) fn children(
    question: &Question,
    parent: &Unit,
    granularity: &Granularity,
) -> Result<(Vec<Unit>, Granularity), AtmanError> {
    let mut granularity = granularity.clone();
    while let Some(finer) = granularity.finer() {
        let mut found = Vec::new();
        for unit in of_question(question, &finer)? {
            let positions: Vec<usize> = unit.positions.iter().copied().filter(|p| parent.positions.contains(p)).collect();
            if !positions.is_empty() {
                found.push(of_positions(question, positions));
            }
        }
        if found.len() > 1 {
            return Ok((found, finer));
        }
        granularity = finer;
    }
    Ok((Vec::new(), granularity))
}

fn of_question(question: &Question, granularity: &Granularity) -> Result<Vec<Unit>, AtmanError> {
    let mut sets = token_sets(&question.prompt, question.n_prompt(), granularity)?;
    let earlier = question.n_target().saturating_sub(1);
    let of_target = token_sets(&question.target, earlier, granularity)?;
    let shift = |tokens: Range<usize>| tokens.start + question.n_prompt()..tokens.end + question.n_prompt();
    sets.extend(of_target.into_iter().map(shift));
    Ok(sets.into_iter().map(|positions| of_positions(question, positions.collect())).collect())
}

fn given(question: &Question, sets: &[Vec<usize>]) -> Result<Vec<Unit>, AtmanError> {
    let mut units = Vec::with_capacity(sets.len());
    for set in sets {
        let mut positions = set.clone();
        positions.sort_unstable();
        positions.dedup();
        let last = positions.last().copied().unwrap_or(usize::MAX);
        if last >= question.n_positions() {
            return Err(AtmanError::Setting {
                setting: "a unit's positions",
                found: format!("{set:?}"),
                expected: format!("at least one, each below {}", question.n_positions()),
            });
        }
        units.push(of_positions(question, positions));
    }
    Ok(units)
}

/// A unit of rising positions, at least one.
fn of_positions(question: &Question, positions: Vec<usize>) -> Unit {
    let n_prompt = question.n_prompt();
    let is_prompt = positions.first().is_some_and(|first| *first < n_prompt);
    let (source, text, first) =
        if is_prompt { (Source::Prompt, &question.prompt, 0) } else { (Source::Target, &question.target, n_prompt) };
    // A given set may reach from the prompt into the target; it is shown where it begins.
    let tokens: Vec<_> = positions.iter().filter_map(|position| text.tokens.get(position.checked_sub(first)?)).collect();
    let mut shown = String::new();
    let mut reached: Option<usize> = None;
    for token in &tokens {
        if reached.is_some_and(|end| end < token.start_byte) {
            shown.push('…');
        }
        let from = reached.map_or(token.start_byte, |end| end.max(token.start_byte));
        shown.push_str(text.text.get(from..token.end_byte).unwrap_or_default());
        reached = Some(token.end_byte.max(from));
    }
    let sink = positions.iter().zip(&tokens).all(|(position, token)| *position == 0 || token.kind != TokenKind::Text);
    Unit {
        source,
        text: shown,
        start: tokens.first().map_or(0, |token| token.start),
        end: tokens.last().map_or(0, |token| token.end),
        start_byte: tokens.first().map_or(0, |token| token.start_byte),
        end_byte: tokens.last().map_or(0, |token| token.end_byte),
        positions,
        neighbours: Vec::new(),
        similarities: Vec::new(),
        sink,
        image: None,
        parent: None,
    }
}

/// Divides the first `n` tokens of a text into sets of consecutive tokens. What the chat template put there is not divided,
/// and what the writer wrote is divided apart from it.
fn token_sets(text: &Text, n: usize, granularity: &Granularity) -> Result<Vec<Range<usize>>, AtmanError> {
    let groups = characters_together(text, n);
    if *granularity == Granularity::Token {
        return Ok(groups);
    }
    let is_written = |group: &Range<usize>| {
        text.tokens.get(group.clone()).unwrap_or_default().iter().all(|token| token.kind == TokenKind::Text)
    };
    let mut sets = Vec::new();
    for stretch in groups.chunk_by(|a, b| is_written(a) == is_written(b)) {
        let whole = joined(stretch);
        let tokens = text.tokens.get(whole.clone()).unwrap_or_default();
        let begin = tokens.first().map_or(0, |token| token.start_byte);
        let end = tokens.last().map_or(0, |token| token.end_byte);
        let written = text.text.get(begin..end).filter(|_| stretch.first().is_some_and(is_written));
        let divided = written.map(|written| segments(written, granularity)).transpose()?.flatten();
        let Some(divided) = divided else {
            sets.push(whole);
            continue;
        };
        // A token belongs to the segment of its first character that is no space: tokens begin with the space before a word.
        let segment_of = |group: &Range<usize>| {
            let at = text.tokens.get(group.start).map_or(0, |token| token.start_byte);
            let end = text.tokens.get(group.end - 1).map_or(at, |token| token.end_byte);
            let own = text.text.get(at..end).unwrap_or_default();
            let space = own.len() - own.trim_start().len();
            let anchor = at - begin + if space < own.len() { space } else { 0 };
            divided.partition_point(|segment| segment.end <= anchor)
        };
        sets.extend(stretch.chunk_by(|a, b| segment_of(a) == segment_of(b)).map(joined));
    }
    Ok(sets)
}

/// Tokens that stand for parts of one character together, others alone.
fn characters_together(text: &Text, n: usize) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::with_capacity(n);
    let mut reached = 0;
    for (i, token) in text.tokens.iter().enumerate().take(n) {
        match groups.last_mut() {
            Some(group) if token.start_byte < reached && token.start_byte < token.end_byte => group.end = i + 1,
            _ => groups.push(i..i + 1),
        }
        reached = reached.max(token.end_byte);
    }
    groups
}

fn joined(groups: &[Range<usize>]) -> Range<usize> {
    groups.first().map_or(0, |group| group.start)..groups.last().map_or(0, |group| group.end)
}
