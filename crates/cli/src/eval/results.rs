//! The results that are kept, of which only those count that would come out the same now.

use super::measure::Measured;
use crate::jsonl::Journal;
use crate::made_by::MadeBy;
use crate::say;
use anyhow::Result;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A file of results.
pub(crate) struct Results {
    journal: Journal,
    name: String,
    /// By question and method; there may be several, made by different things.
    known: HashMap<(String, String), Vec<Measured>>,
    /// Lines that do not say what made them, as those of earlier versions, or that are none of this command.
    foreign: usize,
}

impl Results {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// When another process writes to it, or it holds something else than lines of JSON.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut known: HashMap<(String, String), Vec<Measured>> = HashMap::new();
        let mut foreign = 0;
        let journal = Journal::open(path, |value: Value| match serde_json::from_value::<Measured>(value) {
            Ok(measured) => known.entry(measured.key()).or_default().push(measured),
            Err(_) => foreign += 1,
        })?;
        Ok(Self { journal, name: path.display().to_string(), known, foreign })
    }

    /// The result of a question and a method that was made by the same; the last, should there be several.
    pub(crate) fn get(&self, key: &str, method: &str, made_by: &MadeBy) -> Option<&Measured> {
        self.of(key, method).iter().rfind(|measured| measured.made_by == *made_by)
    }

    fn of(&self, key: &str, method: &str) -> &[Measured] {
        self.known.get(&(key.to_owned(), method.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Keeps a result.
    pub(crate) fn add(&mut self, measured: Measured) -> Result<()> {
        self.journal.add(&measured)?;
        self.known.entry(measured.key()).or_default().push(measured);
        Ok(())
    }

    /// Says which results of these questions and methods are there and do not count, and why.
    pub(crate) fn tell_others<'a>(&self, questions: impl Iterator<Item = (&'a str, &'a MadeBy)>, methods: &[String]) {
        if self.foreign > 0 {
            let (lines, are) = if self.foreign == 1 { ("line", "is") } else { ("lines", "are") };
            say::warn(format_args!(
                "{} {lines} of {} {are} no results that say what made them; they are left alone",
                self.foreign, self.name
            ));
        }
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        for (key, made_by) in questions {
            for method in methods.iter().filter(|method| self.get(key, method, made_by).is_none()) {
                if let Some(other) = self.of(key, method).last() {
                    *others.entry(other.made_by.differences(made_by).join("; ")).or_default() += 1;
                }
            }
        }
        for (differences, count) in others {
            let results = if count == 1 { "result" } else { "results" };
            let are = if count == 1 { "is" } else { "are" };
            say::warn(format_args!("{count} {results} in {} {are} made anew: {differences}", self.name));
        }
    }
}
