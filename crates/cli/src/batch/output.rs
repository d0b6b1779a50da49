//! Where explanations go: a file that is taken up where it stopped, or stdout, line by line.

use super::input::Given;
use super::line::Line;
use super::maker::Maker;
use crate::jsonl::Journal;
use crate::made_by::MadeBy;
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
    pub(super) made_by: &'a MadeBy,
    pub(super) explanation: &'a Document,
}

/// What is known of an answer that is there already.
pub(super) struct Done {
    input_sha256: String,
    /// Earlier versions did not say.
    made_by: Option<MadeBy>,
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
        /// The lines that have their answer, by their numbers.
        done: HashMap<usize, Done>,
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
                    let made_by = serde_json::from_value(answer["made_by"].clone()).ok();
                    done.insert(line, Done { input_sha256: hash.to_owned(), made_by });
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
    /// When there is one of another line of that number, or it was not made as it would be made now, so that it would not
    /// go with the others.
    pub(super) fn has(&self, given: &Given, input: &str, maker: &Maker<'_>) -> Result<bool> {
        let Self::File { name, done, .. } = self else { return Ok(false) };
        let number = given.number;
        let Some(done) = done.get(&number) else { return Ok(false) };
        if done.input_sha256 != given.sha256 {
            bail!("line {number} of {input} is another one than {name} was made from; name another --out");
        }
        let anew = "name another --out, or move this one away to begin anew";
        let Some(made_by) = &done.made_by else {
            bail!(
                "the answer to line {number} in {name} does not say what made it, as those of earlier versions of atman; {anew}"
            );
        };
        let now = Line::read(&given.text).map_err(anyhow::Error::from).and_then(|line| maker.made_by(&line));
        let differences = made_by.differences(&now.with_context(|| format!("line {number} of {input}"))?);
        if !differences.is_empty() {
            let differences = differences.join("; ");
            bail!("the answer to line {number} in {name} was made otherwise: {differences}; do as then, or {anew}");
        }
        Ok(true)
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
