//! How large units are.

use crate::AtmanError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How a text is divided into units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Granularity {
    /// Token, word, sentence or paragraph, whichever gives nearest to 30 units of the prompt.
    #[default]
    Auto,
    /// Each token; those that are parts of one character together.
    Token,
    /// Words (Unicode Standard Annex 29), with the space before and the punctuation around them.
    Word,
    /// Sentences (Unicode Standard Annex 29).
    Sentence,
    /// What empty lines divide.
    Paragraph,
    /// What a delimiter divides; it belongs to the unit that it ends.
    Delimiter(String),
    /// What the matches of a regular expression divide; a match belongs to the unit that it ends.
    Pattern(String),
    /// Sets of input positions, one for each unit.
    Given(Vec<Vec<usize>>),
}

impl Granularity {
    /// Those that [`Granularity::Auto`] chooses from, the finest first.
    pub const STEPS: [Granularity; 4] = [Granularity::Token, Granularity::Word, Granularity::Sentence, Granularity::Paragraph];

    /// The next finer one that sentences, words and tokens go through; `None` for tokens and what has no finer one.
    pub fn finer(&self) -> Option<Granularity> {
        match self {
            Granularity::Paragraph | Granularity::Delimiter(_) | Granularity::Pattern(_) => Some(Granularity::Sentence),
            Granularity::Sentence => Some(Granularity::Word),
            Granularity::Word | Granularity::Given(_) => Some(Granularity::Token),
            Granularity::Token | Granularity::Auto => None,
        }
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Granularity::Auto => f.write_str("auto"),
            Granularity::Token => f.write_str("token"),
            Granularity::Word => f.write_str("word"),
            Granularity::Sentence => f.write_str("sentence"),
            Granularity::Paragraph => f.write_str("paragraph"),
            Granularity::Delimiter(delimiter) => write!(f, "custom:{delimiter}"),
            Granularity::Pattern(pattern) => write!(f, "regex:{pattern}"),
            Granularity::Given(_) => f.write_str("given"),
        }
    }
}

impl FromStr for Granularity {
    type Err = AtmanError;

    fn from_str(given: &str) -> Result<Granularity, AtmanError> {
        let named = [Granularity::Auto].into_iter().chain(Granularity::STEPS).find(|step| step.to_string() == given);
        match (named, given.split_once(':')) {
            (Some(granularity), _) => Ok(granularity),
            (None, Some(("custom", delimiter))) if !delimiter.is_empty() => Ok(Granularity::Delimiter(delimiter.to_owned())),
            (None, Some(("regex", pattern))) if !pattern.is_empty() => {
                super::segments::compile(pattern)?;
                Ok(Granularity::Pattern(pattern.to_owned()))
            }
            // What an explanation says of sets that were given; the sets themselves are its units.
            (None, None) if given == "given" => Ok(Granularity::Given(Vec::new())),
            _ => Err(AtmanError::Setting {
                setting: "granularity",
                found: given.to_owned(),
                expected: "auto, token, word, sentence, paragraph, custom:DELIMITER or regex:PATTERN".to_owned(),
            }),
        }
    }
}

impl From<Granularity> for String {
    fn from(granularity: Granularity) -> String {
        granularity.to_string()
    }
}

impl TryFrom<String> for Granularity {
    type Error = AtmanError;

    fn try_from(given: String) -> Result<Granularity, AtmanError> {
        given.parse()
    }
}
