//! Marks in texts: what they are made of, how they are put in, and where a template wrote them.

use super::super::{Message, Part};
use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

/// Characters for private use in Unicode's basic plane: no white space, neither case, and nobody escapes them.
const PRIVATE: RangeInclusive<char> = '\u{e000}'..='\u{f8ff}';
/// Those of two other planes, and ideographs, which have no case either: for whom the first are too few, or used.
const OTHERS: [RangeInclusive<char>; 3] = ['\u{f0000}'..='\u{ffffd}', '\u{100000}'..='\u{10fffd}', '\u{4e00}'..='\u{9fff}'];
/// Of the digits in this order, each turn and its like is a text that does not overlap itself.
const DIGITS: [char; 10] = ['7', '0', '4', '9', '1', '8', '3', '6', '2', '5'];

/// Marks that are as long as each other and occur in none of some texts.
pub(super) struct Alphabet {
    marks: Vec<String>,
    /// Whether each is one character, and so can take the place of one.
    is_of_characters: bool,
}

impl Alphabet {
    /// The first that is not used at all by the texts.
    pub(super) fn unused(texts: &[&str]) -> Option<Alphabet> {
        Alphabet::all_unused(texts, &[]).into_iter().next()
    }

    /// Those that have a mark for each edit, the best first.
    pub(super) fn all_unused(texts: &[&str], edits: &[Edit]) -> Vec<Alphabet> {
        let n = edits.len().max(1);
        let used: HashSet<char> = texts.iter().flat_map(|text| text.chars()).filter(|c| !c.is_ascii()).collect();
        let of = |range: RangeInclusive<char>| {
            let marks: Vec<String> = range.filter(|c| !used.contains(c)).take(n).map(String::from).collect();
            (marks.len() == n).then_some(Alphabet { marks, is_of_characters: true })
        };
        let mut all: Vec<Alphabet> = [PRIVATE].into_iter().chain(OTHERS).find_map(of).into_iter().collect();
        // For templates that write characters as numbers; few, since each is looked for in every text.
        if n <= 2 && edits.iter().all(Edit::is_insertion) {
            let turns = (0..DIGITS.len()).map(|turn| DIGITS.iter().cycle().skip(turn).take(DIGITS.len()).collect::<String>());
            let marks: Vec<String> =
                turns.filter(|mark| texts.iter().all(|text| !text.contains(mark.as_str()))).take(n).collect();
            all.extend((marks.len() == n).then_some(Alphabet { marks, is_of_characters: false }));
        }
        all
    }

    /// So many of its marks.
    pub(super) fn marks(mut self, n: usize) -> Vec<String> {
        self.marks.truncate(n);
        self.marks
    }
}

/// A mark put into a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    message: usize,
    part: usize,
    at: usize,
    /// The character whose place it takes, if any.
    exchanged: Option<char>,
}

impl Edit {
    pub(super) fn insert(message: usize, part: usize, at: usize) -> Edit {
        Edit { message, part, at, exchanged: None }
    }

    pub(super) fn exchange(message: usize, part: usize, at: usize, exchanged: char) -> Edit {
        Edit { message, part, at, exchanged: Some(exchanged) }
    }

    fn is_insertion(&self) -> bool {
        self.exchanged.is_none()
    }
}

/// Messages with marks in them.
pub(super) struct Marked {
    pub(super) messages: Vec<Message>,
    /// One for each edit.
    pub(super) marks: Vec<String>,
}

impl Marked {
    /// `None` where the edits do not fit the messages or the alphabet.
    pub(super) fn new(messages: &[Message], edits: &[Edit], alphabet: &Alphabet) -> Option<Marked> {
        let marks = alphabet.marks.get(..edits.len())?.to_vec();
        if !alphabet.is_of_characters && !edits.iter().all(Edit::is_insertion) {
            return None;
        }
        let mut messages = messages.to_vec();
        // From the end on, so that places before stay where they are; of two at one place the second comes after the first.
        let mut order: Vec<(&Edit, &String)> = edits.iter().zip(&marks).collect();
        order.reverse();
        order.sort_by_key(|(edit, _)| std::cmp::Reverse((edit.message, edit.part, edit.at)));
        for (edit, mark) in order {
            let Part::Text(text) = messages.get_mut(edit.message)?.content.get_mut(edit.part)? else { return None };
            let end = edit.at + edit.exchanged.map_or(0, char::len_utf8);
            if !text.is_char_boundary(edit.at) || !text.is_char_boundary(end) {
                return None;
            }
            text.replace_range(edit.at..end, mark);
        }
        Some(Marked { messages, marks })
    }
}

/// Where each mark of `rendered` stands in `real`, with the characters that it took the place of, if the two are the same but
/// for the marks.
pub(super) fn compared(real: &str, rendered: &str, marks: &[String], edits: &[Edit]) -> Option<Vec<Vec<Range<usize>>>> {
    let mut found: Vec<Vec<Range<usize>>> = vec![Vec::new(); marks.len()];
    let numbers: HashMap<&str, usize> = marks.iter().enumerate().map(|(number, mark)| (mark.as_str(), number)).collect();
    let length = marks.first().map_or(0, String::len);
    let (mut rest, mut at) = (rendered, 0);
    while let Some(c) = rest.chars().next() {
        let number = rest.get(..length).and_then(|start| numbers.get(start)).copied();
        let left = real.get(at..)?;
        match number.and_then(|number| found.get_mut(number).zip(edits.get(number))) {
            Some((found, edit)) => {
                let taken = match edit.exchanged {
                    None => 0,
                    Some(exchanged) => written_as(exchanged, left)?,
                };
                found.push(at..at + taken);
                at += taken;
                rest = rest.get(length..)?;
            }
            None if left.starts_with(c) => {
                at += c.len_utf8();
                rest = rest.get(c.len_utf8()..)?;
            }
            None => return None,
        }
    }
    (at == real.len()).then_some(found)
}

/// The bytes at the beginning of `text` that stand for a character, which may be written in the other case.
fn written_as(c: char, text: &str) -> Option<usize> {
    let ways = [c.to_string(), c.to_uppercase().collect(), c.to_lowercase().collect()];
    ways.iter().find(|way| text.starts_with(way.as_str())).map(String::len)
}
