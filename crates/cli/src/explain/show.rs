//! Where an explanation goes, and in which form.

use crate::args::{ExplainArguments, usage_error};
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
    sinks: bool,
}

impl Destination {
    /// What was asked for, or what the file's name says, or terminal text.
    pub(crate) fn of(arguments: &ExplainArguments) -> Result<Self> {
        let file = arguments.out.clone().filter(|file| file.as_os_str() != "-");
        let named = file.as_ref().and_then(|file| file.extension()?.to_str()?.parse().ok());
        let format = arguments.format.or(named).unwrap_or(Format::Terminal);
        if let Some(file) = &file {
            // Told before the model has worked for it.
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if file.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(usage_error(format!("cannot write to {}: its folder is not there, or it is one", file.display())));
            }
        }
        Ok(Self { format, file, sinks: arguments.sinks })
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
                eprintln!("written to {}", file.display());
            }
            None => std::io::stdout().write_all(text.as_bytes())?,
        }
        Ok(())
    }

    fn style(&self) -> TerminalStyle {
        let is_terminal = self.file.is_none() && std::io::stdout().is_terminal();
        let color = if is_terminal { color_depth() } else { ColorDepth::None };
        let width = console::Term::stdout().size_checked().filter(|_| is_terminal).map_or(WIDTH, |(_, columns)| columns.into());
        TerminalStyle { color, width, sinks: self.sinks }
    }
}

/// What the terminal can show, as `NO_COLOR`, `COLORTERM` and `TERM` say.
fn color_depth() -> ColorDepth {
    match supports_color::on(supports_color::Stream::Stdout) {
        Some(level) if level.has_16m => ColorDepth::TrueColor,
        Some(level) if level.has_256 => ColorDepth::Ansi256,
        _ => ColorDepth::None,
    }
}
