//! Where a text divides: byte ranges that follow each other and cover it.

use super::Granularity;
use crate::AtmanError;
use regex::{Regex, RegexBuilder};
use std::ops::Range;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// Most bytes of a compiled pattern. It comes from a user, and so may be one that means ill.
const PATTERN_BYTES: usize = 1 << 20;

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Result<Regex, AtmanError> {
    let wrong = |error: regex::Error| AtmanError::Pattern { pattern: pattern.to_owned(), reason: error.to_string() };
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(wrong)
}

/// Divides `text`; `None` for granularities that do not go by the text.
pub(super) fn segments(text: &str, granularity: &Granularity) -> Result<Option<Vec<Range<usize>>>, AtmanError> {
    let ends: Vec<usize> = match granularity {
        Granularity::Word => return Ok(Some(words(text))),
        Granularity::Sentence => text.split_sentence_bound_indices().map(|(at, sentence)| at + sentence.len()).collect(),
        Granularity::Paragraph => paragraph_ends(text),
        Granularity::Delimiter(delimiter) => text.match_indices(delimiter).map(|(at, found)| at + found.len()).collect(),
        Granularity::Pattern(pattern) => compile(pattern)?.find_iter(text).map(|found| found.end()).collect(),
        Granularity::Token | Granularity::Auto | Granularity::Given(_) => return Ok(None),
    };
    let mut start = 0;
    let mut segments = Vec::new();
    for end in ends.into_iter().chain([text.len()]) {
        if end > start {
            segments.push(start..end);
            start = end;
        }
    }
    Ok(Some(segments))
}

/// Where runs of empty lines end.
fn paragraph_ends(text: &str) -> Vec<usize> {
    let (mut ends, mut at, mut is_blank) = (Vec::new(), 0, false);
    for line in text.split_inclusive('\n') {
        let blank = line.trim().is_empty();
        if is_blank && !blank {
            ends.push(at);
        }
        is_blank = blank;
        at += line.len();
    }
    ends
}

/// What a piece between two word boundaries is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Space,
    Punctuation,
    Word,
}

fn piece(text: &str) -> Piece {
    if text.chars().all(char::is_whitespace) {
        Piece::Space
    } else if text.chars().all(|c| c.general_category_group() == GeneralCategoryGroup::Punctuation) {
        Piece::Punctuation
    } else {
        Piece::Word
    }
}

/// Words by Unicode's boundaries. The space before a word belongs to it, and punctuation to the word that it touches: the
/// one before it, or else the one after it. Punctuation between spaces stands alone.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    let (mut has_punctuation, mut has_word) = (false, false);
    for (at, found) in text.split_word_bound_indices() {
        let kind = piece(found);
        let begins = match kind {
            Piece::Space => has_word || has_punctuation,
            Piece::Punctuation => false,
            Piece::Word => has_word,
        };
        if begins {
            words.push(start..at);
            start = at;
            (has_punctuation, has_word) = (false, false);
        }
        has_punctuation |= kind == Piece::Punctuation;
        has_word |= kind == Piece::Word;
    }
    match words.last_mut() {
        // Space at the end of a text has no word to come before.
        Some(last) if !has_punctuation && !has_word => last.end = text.len(),
        _ if start < text.len() => words.push(start..text.len()),
        _ => {}
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided<'a>(text: &'a str, granularity: &str) -> Vec<&'a str> {
        let segments = segments(text, &granularity.parse().unwrap()).unwrap().unwrap();
        let pieces: Vec<&str> = segments.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(pieces.concat(), text, "{granularity} covers the text");
        pieces
    }

    #[test]
    fn words_take_the_space_before_and_the_punctuation_around_them() {
        for (text, expected) in [
            ("The cat, the dog.", &["The", " cat,", " the", " dog."][..]),
            ("state-of-the-art", &["state-", "of-", "the-", "art"]),
            ("He said (\"don't!\") ... and left", &["He", " said", " (\"don't!\")", " ...", " and", " left"]),
            ("  indented\twith tabs \n", &["  indented", "\twith", " tabs \n"]),
            ("x = f(a) + 3.14", &["x", " =", " f(", "a)", " +", " 3.14"]),
            ("👩‍👩‍👧 loves cafe\u{301}", &["👩‍👩‍👧", " loves", " cafe\u{301}"]),
            ("שלום עולם", &["שלום", " עולם"]),
            ("...", &["..."]),
            (" ", &[" "]),
            ("", &[]),
        ] {
            assert_eq!(divided(text, "word"), expected, "{text:?}");
        }
    }

    #[test]
    fn sentences_and_paragraphs_keep_what_ends_them() {
        let text = "One is here. Two is at 3.14 there!\nThree.\n\n \nFour?\n\nFive";
        assert_eq!(
            divided(text, "sentence"),
            ["One is here. ", "Two is at 3.14 there!\n", "Three.\n", "\n", " \n", "Four?\n", "\n", "Five"]
        );
        assert_eq!(divided(text, "paragraph"), ["One is here. Two is at 3.14 there!\nThree.\n\n \n", "Four?\n\n", "Five"]);
    }

    #[test]
    fn a_delimiter_or_a_match_belongs_to_what_it_ends() {
        assert_eq!(divided("a;b;;c", "custom:;"), ["a;", "b;", ";", "c"]);
        assert_eq!(divided("a1b22c", "regex:[0-9]+"), ["a1", "b22", "c"]);
        assert_eq!(divided("abc", "custom:x"), ["abc"]);
    }

    #[test]
    fn what_is_no_granularity_says_what_would_do() {
        for (given, told) in [("words", "expected auto, token, word"), ("custom:", "custom:DELIMITER"), ("regex:(", "no regular")]
        {
            let error = given.parse::<Granularity>().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!("regex:(a{1000}){1000}".parse::<Granularity>().is_err(), "a pattern is bounded in size");
    }
}
