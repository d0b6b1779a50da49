//! What is written down about a model in the store.

use crate::messages::ModelFrom;
use serde::{Deserialize, Serialize};

/// A model in the store, complete or not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What a person calls it.
    pub(super) name: String,
    /// Where it comes from.
    pub(super) from: ModelFrom,
    /// Its licence as its publisher names it.
    pub(super) licence: Option<String>,
    /// Its files.
    pub(super) files: Vec<RecordedFile>,
}

/// One file of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedFile {
    /// Its name in the store.
    pub(super) name: String,
    /// Its length, once it is known.
    pub(super) len_bytes: Option<u64>,
    /// SHA-256 in lower-case hexadecimal digits, once it is known.
    pub(super) sha256: Option<String>,
    /// What changes with the file on its server: an entity tag, a date, a commit. Pieces of two versions are no file.
    pub(super) version: Option<String>,
}

impl Record {
    /// Bytes of all files, if all are known.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.len_bytes).sum()
    }

    /// See [`weights::model_sha256`]. Of a model that is complete.
    pub(super) fn sha256(&self) -> String {
        let hash = |file: &RecordedFile| (file.name.clone(), file.sha256.clone().unwrap_or_default());
        weights::model_sha256(self.files.iter().map(hash).collect())
    }

    /// Takes over what is known of a file.
    pub(super) fn set(&mut self, known: &RecordedFile) {
        if let Some(file) = self.files.iter_mut().find(|file| file.name == known.name) {
            file.clone_from(known);
        }
    }

    /// What was recorded of the file of that name.
    pub(super) fn file(&self, name: &str) -> Option<&RecordedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}
