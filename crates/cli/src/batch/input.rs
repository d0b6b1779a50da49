//! Where lines come from: a file, which is read at once, or stdin, line by line.

use super::maker::Maker;
use super::output::Output;
use crate::fetch::sha256_of;
use crate::jsonl::lines;
use crate::text_file;
use anyhow::{Context, Result};
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// A line to explain.
pub(super) struct Given {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) sha256: String,
}

impl Given {
    fn new(number: usize, text: String) -> Self {
        Self { number, sha256: sha256_of(text.as_bytes()), text }
    }
}

/// The lines to explain; those that hold nothing are left out.
pub(super) struct Input {
    /// As it is called in messages.
    pub(super) name: String,
    /// Where the pictures that lines name lie.
    pub(super) folder: PathBuf,
    pub(super) lines: Lines,
}

/// Where lines come from.
pub(super) enum Lines {
    /// All of them are there.
    There(std::vec::IntoIter<Given>),
    /// They come on stdin.
    Coming(std::iter::Enumerate<std::io::Lines<std::io::StdinLock<'static>>>),
}

impl Input {
    /// A file, or stdin for `-`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            // Whoever writes to it knows where they are, and this process runs there.
            let lines = Lines::Coming(std::io::stdin().lock().lines().enumerate());
            return Ok(Self { name: "stdin".to_owned(), folder: PathBuf::new(), lines });
        }
        let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let all: Vec<Given> = lines(&text).map(|(number, line)| Given::new(number, line.to_owned())).collect();
        Ok(Self {
            name: path.display().to_string(),
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            lines: Lines::There(all.into_iter()),
        })
    }

    /// Leaves out the lines that have their answer. Those that come on stdin are looked at when they come.
    ///
    /// # Errors
    /// When the output is of other lines, or was made otherwise.
    pub(super) fn leave_out_done(&mut self, output: &Output, maker: &Maker<'_>) -> Result<()> {
        if let Lines::There(all) = &mut self.lines {
            let mut left = Vec::new();
            for given in all {
                if !output.has(&given, &self.name, maker)? {
                    left.push(given);
                }
            }
            self.lines = Lines::There(left.into_iter());
        }
        Ok(())
    }

    /// How many there are, where that is known.
    pub(super) fn n_lines(&self) -> Option<usize> {
        match &self.lines {
            Lines::There(all) => Some(all.len()),
            Lines::Coming(_) => None,
        }
    }

    /// The next line; waits for one that is to come.
    pub(super) fn next(&mut self) -> Result<Option<Given>> {
        match &mut self.lines {
            Lines::There(all) => Ok(all.next()),
            Lines::Coming(lines) => {
                for (i, line) in lines {
                    let mut line = line.context("cannot read stdin")?;
                    if i == 0 && line.starts_with(text_file::MARK) {
                        line.remove(0);
                    }
                    if !line.trim().is_empty() {
                        return Ok(Some(Given::new(i + 1, line)));
                    }
                }
                Ok(None)
            }
        }
    }
}
