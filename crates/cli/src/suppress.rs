//! `--suppress TEXT[=FACTOR]`: from a text in the prompt to a factor for each of its tokens.

use crate::text;
use anyhow::{Result, bail};
use std::ops::Range;
use std::str::FromStr;

/// A text, and the factor on the attention that it gets, where one was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suppress {
    pub(crate) text: String,
    pub(crate) factor: Option<f32>,
}

impl FromStr for Suppress {
    type Err = String;

    /// `word`, `word=0.1`, or `"word"=0.1` where the quotes reach us. The last `=` counts, so that a text may hold one; what comes
    /// after it must then be a factor.
    fn from_str(given: &str) -> Result<Self, String> {
        let expected = "expected TEXT or TEXT=FACTOR, such as \"Eiffel Tower\"=0.1";
        let (text, factor) = given.rsplit_once('=').map_or((given, None), |(text, factor)| (text, Some(factor)));
        let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        if text.trim().is_empty() {
            return Err(format!("the text is empty; {expected}"));
        }
        let number = |factor: &str| {
            let number = factor.trim().parse::<f32>();
            number.map_err(|_| format!("the factor `{factor}` is not a number; {expected}"))
        };
        let factor = factor.map(number).transpose()?;
        if let Some(factor) = factor.filter(|factor| !(factor.is_finite() && *factor >= 0.0)) {
            return Err(format!("the factor is {factor}, but must be 0 or more"));
        }
        Ok(Self { text: text.to_owned(), factor })
    }
}

/// `2..5`, `2..`, `..5` or `..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerRange {
    begin: usize,
    end: Option<usize>,
}

impl FromStr for LayerRange {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let expected = "expected A..B, such as 0..10; the end is not included";
        let (begin, end) = given.split_once("..").ok_or(expected)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("`{text}` is no layer; {expected}"));
        let begin = if begin.trim().is_empty() { 0 } else { number(begin)? };
        let end = if end.trim().is_empty() { None } else { Some(number(end)?) };
        if end.is_some_and(|end| end <= begin) {
            return Err(format!("{given} holds no layer; {expected}"));
        }
        Ok(Self { begin, end })
    }
}

impl LayerRange {
    /// The layers meant, of a model with `n_layers`.
    pub(crate) fn of(self, n_layers: usize) -> Result<Range<usize>> {
        let end = self.end.unwrap_or(n_layers);
        if self.begin >= n_layers || end > n_layers {
            bail!("layers {}..{end} are asked for, but the model has layers 0..{n_layers}", self.begin);
        }
        Ok(self.begin..end)
    }
}

/// One factor for each of the tokens that stand for these bytes of `text`, 1 where nothing is suppressed. `text` is what was encoded, and `parts` are the bytes of
/// it in which to look: what the user wrote, and not the words of a chat template around it.
///
/// A token that an occurrence touches is suppressed whole; of several factors it gets the smallest. A text without a factor has
/// `usual_factor`.
pub(crate) fn factors(
    suppressions: &[Suppress],
    text: &str,
    parts: &[Range<usize>],
    tokens: &[Range<usize>],
    usual_factor: f32,
) -> Result<Vec<f32>> {
    let mut factors: Vec<Option<f32>> = vec![None; tokens.len()];
    for Suppress { text: wanted, factor } in suppressions {
        let factor = factor.unwrap_or(usual_factor);
        let found: Vec<Range<usize>> = parts.iter().flat_map(|part| occurrences(text, part, wanted)).collect();
        let overlaps = |token: &Range<usize>| found.iter().any(|at| token.start < at.end && at.start < token.end);
        let mut is_found = false;
        for (slot, _) in factors.iter_mut().zip(tokens).filter(|(_, token)| overlaps(token)) {
            *slot = Some(slot.map_or(factor, |other| other.min(factor)));
            is_found = true;
        }
        if !is_found {
            bail!("`{wanted}` does not occur in the prompt, whose words are: {}", words(text, parts));
        }
    }
    Ok(factors.into_iter().map(|factor| factor.unwrap_or(1.0)).collect())
}

/// Where `wanted` stands in `part` of `text`, overlapping occurrences included.
fn occurrences(text: &str, part: &Range<usize>, wanted: &str) -> Vec<Range<usize>> {
    let within = text.get(part.clone()).unwrap_or_default();
    let starts = within.char_indices().map(|(at, _)| at);
    let found = starts.filter(|at| within.get(*at..).is_some_and(|rest| rest.starts_with(wanted)));
    found.map(|at| part.start + at..part.start + at + wanted.len()).collect()
}

/// The different words of the prompt in their order.
fn words(text: &str, parts: &[Range<usize>]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in parts.iter().filter_map(|part| text.get(part.clone())).flat_map(str::split_whitespace) {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    text::one_line(&words.join(", "), 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(given: &str) -> Result<(String, Option<f32>), String> {
        given.parse().map(|s: Suppress| (s.text, s.factor))
    }

    #[test]
    fn a_text_and_a_factor_are_told_apart_at_the_last_equals_sign() {
        assert_eq!(parsed("word=0.1"), Ok(("word".into(), Some(0.1))));
        assert_eq!(parsed("\"two words\"=0"), Ok(("two words".into(), Some(0.0))));
        assert_eq!(parsed("a=b=2"), Ok(("a=b".into(), Some(2.0))));
        assert_eq!((parsed("word"), parsed("\"two words\"")), (Ok(("word".into(), None)), Ok(("two words".into(), None))));
        for (given, reason) in [
            ("", "empty"),
            ("=0.1", "empty"),
            ("\" \"=0.1", "empty"),
            ("a=b", "not a number"),
            ("a=-1", "0 or more"),
            ("a=inf", "0 or more"),
            ("a=nan", "0 or more"),
        ] {
            assert!(parsed(given).is_err_and(|error| error.contains(reason)), "{given}");
        }
    }

    #[test]
    fn layers_are_a_half_open_range_within_the_model() {
        let of = |given: &str| given.parse::<LayerRange>().map_err(anyhow::Error::msg).and_then(|range| range.of(30));
        assert_eq!(of("2..5").unwrap(), 2..5);
        assert_eq!(of("..").unwrap(), 0..30);
        assert_eq!(of("28..").unwrap(), 28..30);
        assert_eq!(of("..1").unwrap(), 0..1);
        for given in ["5..5", "6..5", "3", "a..b", "-1..2", "30..", "0..31"] {
            assert!(of(given).is_err(), "{given}");
        }
    }

    /// Tokens of "the cat, the category": `the| cat|,| the| cat|egory`.
    const TEXT: &str = "the cat, the category";
    fn tokens() -> Vec<Range<usize>> {
        [0..3, 3..7, 7..8, 8..12, 12..16, 16..21].into()
    }

    fn part(range: Range<usize>) -> Vec<Range<usize>> {
        vec![range]
    }

    fn of(suppressions: &[&str], parts: &[Range<usize>]) -> Result<Vec<f32>> {
        let suppressions: Vec<Suppress> = suppressions.iter().map(|given| given.parse().unwrap()).collect();
        factors(&suppressions, TEXT, parts, &tokens(), 0.25)
    }

    #[test]
    fn every_token_that_an_occurrence_touches_gets_the_factor() {
        let whole = part(0..TEXT.len());
        assert_eq!(of(&["cat=0.5"], &whole).unwrap(), [1.0, 0.5, 1.0, 1.0, 0.5, 1.0]);
        assert_eq!(of(&["category=0"], &whole).unwrap(), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(of(&["t, t=2"], &whole).unwrap(), [1.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
        assert_eq!(of(&[], &whole).unwrap(), [1.0; 6]);
        assert_eq!(of(&["egory"], &whole).unwrap(), [1.0, 1.0, 1.0, 1.0, 1.0, 0.25], "as much as is usual");
    }

    #[test]
    fn of_several_factors_a_token_gets_the_smallest() {
        let whole = part(0..TEXT.len());
        assert_eq!(of(&["cat=2", "category=0.5", "the=3"], &whole).unwrap(), [3.0, 2.0, 1.0, 3.0, 0.5, 0.5]);
    }

    #[test]
    fn only_what_the_user_wrote_is_searched() {
        assert_eq!(of(&["the=0.5"], &part(8..21)).unwrap(), [1.0, 1.0, 1.0, 0.5, 1.0, 1.0]);
        let error = of(&["dog=0.5"], &part(0..8)).unwrap_err().to_string();
        assert!(error.contains("`dog` does not occur in the prompt, whose words are: the, cat"), "{error}");
    }

    /// An added beginning of sequence stands for no text, even where the text begins.
    #[test]
    fn tokens_without_text_are_left_alone() {
        let tokens = [0..0, 0..3];
        let suppress = Suppress { text: "the".into(), factor: None };
        assert_eq!(factors(&[suppress], "the", &part(0..3), &tokens, 0.1).unwrap(), [1.0, 0.1]);
    }
}
