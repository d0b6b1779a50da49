//! An explanation as text for a terminal.

mod ansi;
mod pictures;
mod plain;
mod sections;
mod tinted;

pub use ansi::ColorDepth;

use crate::clean::clean;
use crate::{Document, words};

/// What the terminal can show, and what the reader wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Its colours. Without any, the units are a table.
    pub color: ColorDepth,
    /// Its columns.
    pub width: usize,
    /// Whether the template and the first position are shown like all others.
    pub sinks: bool,
}

impl Default for TerminalStyle {
    fn default() -> TerminalStyle {
        TerminalStyle { color: ColorDepth::None, width: 80, sinks: false }
    }
}

/// A document as text for a terminal, ending with a line end. Nothing in prompts, answers or names reaches the terminal that
/// could steer it: control characters become U+FFFD.
pub fn terminal(document: &Document, style: TerminalStyle) -> String {
    let style = TerminalStyle { width: style.width.max(20), ..style };
    let mut page = Page { style, lines: Vec::new() };
    page.line(&page.bold(&clean(&words::heading(document))));
    if let Some(partial) = words::partial(&document.explanation) {
        page.line(&page.bold(&partial));
    }
    for notice in words::notices(&document.explanation) {
        page.sentence(&format!("Notice: {notice}"));
    }
    match style.color {
        ColorDepth::None => plain::units(&mut page, document),
        ColorDepth::Ansi256 | ColorDepth::TrueColor => tinted::units(&mut page, document),
    }
    sections::contrasts(&mut page, document);
    sections::faithfulness(&mut page, document);
    page.blank();
    let made = format!("{}; {}", words::program(document), words::held(&document.explanation));
    for line in [made, words::cost(document)] {
        let line = page.dim(&clean(&line));
        page.line(&line);
    }
    page.lines.join("\n") + "\n"
}

/// Lines as they are put together. What goes in is clean already, but for the page's own escape sequences.
#[derive(Debug)]
struct Page {
    style: TerminalStyle,
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }

    fn blank(&mut self) {
        self.lines.push(String::new());
    }

    fn title(&mut self, title: &str) {
        self.blank();
        self.line(&self.bold(title));
    }

    fn bold(&self, text: &str) -> String {
        self.style.color.paint(text, ansi::Look { bold: true, ..ansi::Look::default() })
    }

    fn dim(&self, text: &str) -> String {
        self.style.color.paint(text, ansi::Look { dim: true, ..ansi::Look::default() })
    }

    /// A sentence, wrapped.
    fn sentence(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && unicode_width::UnicodeWidthStr::width(line.as_str()) + 1 + word.len() > self.style.width {
                self.line(&std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }
}
