//! What is known of the places of texts.

use std::ops::Range;

/// A rendered conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What the model reads.
    pub text: String,
    /// Of each message, where its words stand in it.
    pub places: Vec<PlacedText>,
}

/// Where the words of a message stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedText {
    /// How that is known.
    pub place: Place,
    /// In bytes of the rendered text, rising: none where the template leaves the message out, several where it divides or
    /// repeats it.
    pub ranges: Vec<Range<usize>>,
}

/// How the places of a message's words are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// By marks in the message that changed nothing else.
    Known,
    /// The template answers every mark by writing something else; the words occur once in the rendered text, and not where
    /// the message is another.
    OnlyOccurrence,
    /// Not at all.
    Unknown,
}

/// The ranges between marks that open and those that close, where each that opens is followed by one that closes.
pub(super) fn pairs(open: &[usize], close: &[usize]) -> Option<Vec<Range<usize>>> {
    let ranges: Vec<Range<usize>> = open.iter().zip(close).map(|(open, close)| *open..*close).collect();
    let follow = ranges.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.start));
    (open.len() == close.len() && follow && ranges.iter().all(|range| range.start <= range.end)).then_some(ranges)
}

/// Ranges in their order, those that touch each other as one.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
