//! Where an explanation goes, and in which form.

use crate::args::{Color, ExplainArguments, usage_error};
use crate::say;
use anyhow::{Context, Result};
use report::{ColorDepth, Document, Format, TerminalStyle};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Columns where nothing says how wide a terminal is.
const WIDTH: usize = 100;

/// Where to, and how.
#[derive(Debug)]
pub(crate) struct Destination {
    format: Format,
    file: Option<PathBuf>,
    color: Color,
    sinks: bool,
}

impl Destination {
    /// What was asked for, or what the file's name says, or terminal text.
    pub(crate) fn of(arguments: &ExplainArguments, color: Color) -> Result<Self> {
        let file = arguments.out.clone().filter(|file| file.as_os_str() != "-");
        let format = match (arguments.format, file.as_ref().and_then(|file| file.extension())) {
            (Some(format), _) => format,
            (None, Some(ending)) => of_ending(&ending.to_string_lossy())?,
            (None, None) => Format::Terminal,
        };
        if let Some(file) = &file {
            // Told before the model has worked for it.
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if file.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(usage_error(format!("cannot write to {}: its folder is not there, or it is one", file.display())));
            }
        }
        Ok(Self { format, file, color, sinks: arguments.sinks })
    }

    /// Whether it is read where it is asked for, notices included.
    pub(crate) fn is_read_here(&self) -> bool {
        self.file.is_none() && self.format == Format::Terminal
    }

    /// Writes the document there.
    pub(crate) fn write(&self, document: &Document) -> Result<()> {
        let mut text = self.format.write(document, self.style())?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        match &self.file {
            Some(file) => {
                std::fs::write(file, text).with_context(|| format!("cannot write to {}", file.display()))?;
                say::note(format_args!("written to {}", file.display()));
            }
            None => std::io::stdout().write_all(text.as_bytes())?,
        }
        Ok(())
    }

    fn style(&self) -> TerminalStyle {
        let is_terminal = self.file.is_none() && std::io::stdout().is_terminal();
        let color = match self.color {
            Color::Always => color_depth().unwrap_or(ColorDepth::Ansi256),
            Color::Auto if is_terminal => color_depth().unwrap_or(ColorDepth::None),
            Color::Auto | Color::Never => ColorDepth::None,
        };
        let width = console::Term::stdout().size_checked().filter(|_| is_terminal).map_or(WIDTH, |(_, columns)| columns.into());
        TerminalStyle { color, width, sinks: self.sinks }
    }
}

/// The format of files that end so.
fn of_ending(ending: &str) -> Result<Format> {
    ending.to_lowercase().parse().map_err(|_| {
        let names: Vec<&str> =
            Format::ALL.iter().filter(|format| **format != Format::Terminal).map(|format| format.name()).collect();
        usage_error(format!(
            "no format is called `{ending}`; let --out end in .{}, or name its format with --format",
            names.join(", .")
        ))
    })
}

/// What the terminal can show, as `NO_COLOR`, `COLORTERM` and `TERM` say; `None` where that is no colour.
fn color_depth() -> Option<ColorDepth> {
    let level = supports_color::on(supports_color::Stream::Stdout)?;
    match level {
        level if level.has_16m => Some(ColorDepth::TrueColor),
        level if level.has_256 => Some(ColorDepth::Ansi256),
        _ => None,
    }
}
