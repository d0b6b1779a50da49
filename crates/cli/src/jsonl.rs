//! JSON Lines that survive being killed: a line counts once it is whole, and what is there is not done again.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A file that lines are added to, held for this process alone.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Opens or makes the file, and gives each whole line that is there to `each`. What a process left unfinished at the end is cut off.
    ///
    /// # Errors
    /// When another process has it open, or a line within it is no JSON: then it is another kind of file.
    pub(crate) fn open(path: &Path, mut each: impl FnMut(Value)) -> Result<Self> {
        let named = || path.display().to_string();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).with_context(|| format!("cannot open {}", named()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another atman is writing to {}; wait for it, or name another file", named()),
            // Some network file systems know no locks.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock {}", named())),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", named()))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, unfinished) = bytes.split_at(whole);
        for (number, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let value = serde_json::from_slice(line).with_context(|| {
                format!("line {} of {} is no JSON; name another file, or move this one away", number + 1, named())
            })?;
            each(value);
        }
        if !unfinished.is_empty() {
            // Only what this program began: a foreign file without a line end is not cut.
            if !unfinished.starts_with(b"{") {
                bail!("{} does not hold lines of JSON; name another file, or move this one away", named());
            }
            file.set_len(whole as u64).with_context(|| format!("cannot write to {}", named()))?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// Adds a line, whole.
    pub(crate) fn add(&mut self, value: &impl serde::Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.file.write_all(&line).context("cannot write a result")?;
        self.file.flush().context("cannot write a result")
    }
}

/// The lines of a file that hold anything, with their numbers from 1.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reopened(path: &Path) -> Vec<Value> {
        let mut found = Vec::new();
        drop(Journal::open(path, |value| found.push(value)).unwrap());
        found
    }

    #[test]
    fn a_line_that_was_not_finished_is_cut_off_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut journal = Journal::open(&path, |_| {}).unwrap();
        journal.add(&json!({"line": 1})).unwrap();
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(b"{\"line\": 2, \"te");
        std::fs::write(&path, &bytes).unwrap();
        let mut journal = Journal::open(&path, |_| {}).unwrap();
        journal.add(&json!({"line": 2})).unwrap();
        drop(journal);
        assert_eq!(reopened(&path), [json!({"line": 1}), json!({"line": 2})]);
    }

    #[test]
    fn a_foreign_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        for content in ["Dear Ann", "Dear Ann,\nhow are you?\n"] {
            std::fs::write(&path, content).unwrap();
            assert!(Journal::open(&path, |_| {}).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn two_processes_do_not_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let _first = Journal::open(&path, |_| {}).unwrap();
        let error = Journal::open(&path, |_| {}).unwrap_err().to_string();
        assert!(error.contains("another atman is writing"), "{error}");
    }
}
