//! The formats by their names.

use crate::{Document, ReportError, TerminalStyle};
use std::fmt;
use std::str::FromStr;

/// A format that a document can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text for a terminal.
    Terminal,
    /// The versioned JSON.
    Json,
    /// One page that needs nothing else.
    Html,
    /// A picture.
    Svg,
    /// A table for spreadsheets and statistics.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 5] = [Format::Terminal, Format::Json, Format::Html, Format::Svg, Format::Csv];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Json => "json",
            Format::Html => "html",
            Format::Svg => "svg",
            Format::Csv => "csv",
        }
    }

    /// A document in this format; the style is that of [`Format::Terminal`].
    ///
    /// # Errors
    /// When a number cannot be written.
    pub fn write(self, document: &Document, style: TerminalStyle) -> Result<String, ReportError> {
        match self {
            Format::Terminal => Ok(crate::terminal(document, style)),
            Format::Json => Ok(document.to_json()?),
            Format::Html => crate::html(document),
            Format::Svg => Ok(crate::svg(document)),
            Format::Csv => crate::csv(document),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = ReportError;

    fn from_str(name: &str) -> Result<Format, ReportError> {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| ReportError::Format(name.to_owned()))
    }
}
