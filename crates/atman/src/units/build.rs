//! From tokens and the places where their text divides to units.

use super::pictures::{part, picture_sets};
use super::segments::segments;
use super::{Granularity, Source, Unit};
use crate::{AtmanError, ImageGranularity, ImagePart, Question, Role, Text, Token, TokenKind};
use std::ops::Range;

/// How many units of the prompt's text [`Granularity::Auto`] aims at.
const AUTO_UNITS: usize = 30;

/// How large units of texts and of pictures are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) text: Granularity,
    pub(crate) image: ImageGranularity,
}

impl Level {
    /// The next finer one of both, where they have one; `None` where neither has.
    fn finer(&self) -> Option<Level> {
        let (text, image) = (self.text.finer(), self.image.finer());
        let is_finest = text.is_none() && image.is_none();
        let finer = || Level { text: text.unwrap_or_else(|| self.text.clone()), image: image.unwrap_or(self.image) };
        (!is_finest).then(finer)
    }
}

/// The units of a question in the order of their first positions, and the granularity that those of its text are of. Every
/// position is in one unit, and no unit has positions of text and of pictures, but where sets are given.
///
/// # Errors
/// When a given set holds a position that the question does not have, or a pattern does not compile.
pub fn units(
    question: &Question,
    granularity: &Granularity,
    of_images: ImageGranularity,
) -> Result<(Vec<Unit>, Granularity), AtmanError> {
    let of_question = |text: &Granularity| of_question(question, &Level { text: text.clone(), image: of_images });
    match granularity {
        Granularity::Given(sets) => Ok((given(question, sets)?, granularity.clone())),
        Granularity::Auto => {
            let mut best: Option<(usize, Vec<Unit>, Granularity)> = None;
            for step in Granularity::STEPS {
                let units = of_question(&step)?;
                let is_text = |unit: &&Unit| unit.source == Source::Prompt && !unit.sink && unit.image.is_none();
                let of_prompt = units.iter().filter(is_text).count();
                let distance = of_prompt.abs_diff(AUTO_UNITS);
                // Of two that are equally near the finer one says more.
                if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
                    best = Some((distance, units, step));
                }
            }
            Ok(best.map(|(_, units, step)| (units, step)).unwrap_or_default())
        }
        _ => Ok((of_question(granularity)?, granularity.clone())),
    }
}

/// The parts that a unit divides into at the next finer level that divides it, and that level; none where nothing does.
pub(crate) fn children(question: &Question, parent: &Unit, level: &Level) -> Result<(Vec<Unit>, Level), AtmanError> {
    let mut level = level.clone();
    while let Some(finer) = level.finer() {
        let mut found = Vec::new();
        for unit in of_question(question, &finer)? {
            let positions: Vec<usize> = unit.positions.iter().copied().filter(|p| parent.positions.contains(p)).collect();
            if positions.len() == unit.positions.len() {
                found.push(unit);
            } else if !positions.is_empty() {
                found.push(of_positions(question, positions));
            }
        }
        if found.len() > 1 {
            return Ok((found, finer));
        }
        level = finer;
    }
    Ok((Vec::new(), level))
}

fn of_question(question: &Question, level: &Level) -> Result<Vec<Unit>, AtmanError> {
    let mut sets = token_sets(&question.prompt, question.n_prompt(), &level.text)?;
    let earlier = question.n_target().saturating_sub(1);
    let of_target = token_sets(&question.target, earlier, &level.text)?;
    let shift = |tokens: Range<usize>| tokens.start + question.n_prompt()..tokens.end + question.n_prompt();
    sets.extend(of_target.into_iter().map(shift));
    let mut units: Vec<Unit> = sets.into_iter().map(|positions| of_positions(question, positions.collect())).collect();
    for (positions, name) in picture_sets(question, level.image) {
        units.push(Unit { text: name, ..of_positions(question, positions) });
    }
    units.sort_by_key(|unit| unit.positions.first().copied());
    Ok(units)
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
    let tokens: Vec<(usize, &Token)> =
        positions.iter().filter_map(|position| Some((*position, text.tokens.get(position.checked_sub(first)?)?))).collect();
    let parts = image_parts(question, &positions);
    // Only the prompt's first position is the sequence's first, and there positions count from 0 on.
    let sink = tokens.iter().all(|(position, token)| !token.is_eligible(*position));
    let shown = shown(question, text, &tokens, &parts);
    let tokens: Vec<&Token> = tokens.into_iter().map(|(_, token)| token).collect();
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
        role: one_role(&tokens),
        control: tokens.iter().any(|token| token.control),
        // A given set may have parts of several pictures; it is shown in the first.
        image: parts.into_iter().next().map(|(part, _)| part),
        parent: None,
    }
}

/// Who wrote all of some tokens.
fn one_role(tokens: &[&Token]) -> Option<Role> {
    let role = tokens.first()?.role;
    role.filter(|_| tokens.iter().all(|token| token.role == role))
}

/// The part of each picture that some positions look at, and what it is called, in the order of the pictures.
fn image_parts(question: &Question, positions: &[usize]) -> Vec<(ImagePart, String)> {
    let seen: Vec<(usize, usize)> = positions.iter().filter_map(|position| question.image_at(*position)).collect();
    let of_image = |own: &[(usize, usize)]| {
        let (image, _) = own.first()?;
        let own: Vec<usize> = own.iter().map(|(_, position)| *position).collect();
        Some(part(*image, question.images.get(*image)?, &own))
    };
    seen.chunk_by(|a, b| a.0 == b.0).filter_map(of_image).collect()
}

/// What tokens say, with the names of pictures' parts where these first stand; what does not follow each other apart.
fn shown(question: &Question, text: &Text, tokens: &[(usize, &Token)], parts: &[(ImagePart, String)]) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut reached: Option<usize> = None;
    let mut named = None;
    for (position, token) in tokens {
        if let Some((image, _)) = question.image_at(*position) {
            if named != Some(image) {
                pieces.extend(parts.iter().find(|(part, _)| part.image == image).map(|(_, name)| name.clone()));
            }
            named = Some(image);
            reached = None;
            continue;
        }
        let from = reached.map_or(token.start_byte, |end| end.max(token.start_byte));
        let own = text.text.get(from..token.end_byte).unwrap_or_default();
        match pieces.last_mut() {
            Some(last) if reached.is_some_and(|end| end >= token.start_byte) => last.push_str(own),
            _ => pieces.push(own.to_owned()),
        }
        reached = Some(token.end_byte.max(from));
    }
    pieces.join("…")
}

/// Divides the first `n` tokens of a text into sets of consecutive tokens. What the chat template put there is not divided,
/// and what was written is divided apart from it, each writer's words for themselves; control tokens among them stand alone. Tokens that stand for parts of pictures are left out.
fn token_sets(text: &Text, n: usize, granularity: &Granularity) -> Result<Vec<Range<usize>>, AtmanError> {
    let kind = |group: &Range<usize>| text.tokens.get(group.start).map(|token| token.kind);
    let mut groups = characters_together(text, n);
    groups.retain(|group| kind(group) != Some(TokenKind::Image));
    if *granularity == Granularity::Token {
        return Ok(groups);
    }
    let is_written = |group: &Range<usize>| {
        text.tokens.get(group.clone()).unwrap_or_default().iter().all(|token| token.kind == TokenKind::Text)
    };
    let first = |group: &Range<usize>| text.tokens.get(group.start);
    let role = |group: &Range<usize>| first(group).and_then(|token| token.role);
    let is_control = |group: &Range<usize>| first(group).is_some_and(|token| token.control);
    let belong = |a: &Range<usize>, b: &Range<usize>| {
        a.end == b.start && is_written(a) == is_written(b) && role(a) == role(b) && !is_control(a) && !is_control(b)
    };
    let mut sets = Vec::new();
    for stretch in groups.chunk_by(belong) {
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
