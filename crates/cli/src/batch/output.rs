//! Where explanations go: a file that is taken up where it stopped, or stdout, line by line.

use super::input::Given;
use crate::jsonl::Journal;
use anyhow::{Context, Result, bail};
use report::Document;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// A line of the output.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    pub(super) line: usize,
    pub(super) id: &'a Value,
    pub(super) input_sha256: &'a str,
    pub(super) explanation: &'a Document,
}

/// What receives the answers.
pub(super) enum Output {
    /// Nothing of an earlier run is known.
    Stdout,
    /// One that holds answers already, perhaps.
    File {
        /// As it is called in messages.
        name: String,
        journal: Journal,
        /// SHA-256 of the lines that have their answer, by their numbers.
        done: HashMap<usize, String>,
    },
}

impl Output {
    /// A file, or stdout for `-`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let mut done = HashMap::new();
        let mut is_foreign = false;
        let journal = Journal::open(path, |answer| {
            match (answer["line"].as_u64().and_then(|line| usize::try_from(line).ok()), answer["input_sha256"].as_str()) {
                (Some(line), Some(hash)) => {
                    done.insert(line, hash.to_owned());
                }
                _ => is_foreign = true,
            }
        })?;
        let name = path.display().to_string();
        if is_foreign {
            bail!("{name} holds lines that are no explanations of this command; name another --out");
        }
        Ok(Self::File { name, journal, done })
    }

    /// How many lines have their answer already.
    pub(super) fn n_done(&self) -> usize {
        if let Self::File { done, .. } = self { done.len() } else { 0 }
    }

    /// Whether the answer of a line is there already.
    ///
    /// # Errors
    /// When there is one of another line of that number.
    pub(super) fn has(&self, given: &Given, input: &str) -> Result<bool> {
        let Self::File { name, done, .. } = self else { return Ok(false) };
        let number = given.number;
        match done.get(&number) {
            None => Ok(false),
            Some(of) if *of == given.sha256 => Ok(true),
            Some(_) => bail!("line {number} of {input} is another one than {name} was made from; name another --out"),
        }
    }

    /// Adds an answer, whole, so that whoever reads along has it.
    pub(super) fn add(&mut self, answer: &Answer<'_>) -> Result<()> {
        match self {
            Self::File { journal, .. } => journal.add(answer),
            Self::Stdout => {
                let mut line = serde_json::to_vec(answer).context("cannot write a result")?;
                line.push(b'\n');
                let mut out = std::io::stdout().lock();
                out.write_all(&line)?;
                Ok(out.flush()?)
            }
        }
    }
}
