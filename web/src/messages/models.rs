//! Models: where they are, what they take, which are kept.

use super::Memory;
use serde::{Deserialize, Serialize};

/// Where a model's files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFrom {
    /// A file that this site offers.
    Site {
        /// Its address.
        url: String,
        /// Its exact length, if known before.
        len_bytes: Option<u64>,
        /// SHA-256 of its content in lower-case hexadecimal digits, if known before.
        sha256: Option<String>,
    },
    /// A model of which this site has each file, in one folder. It is not kept in the browser's storage: the site itself is.
    SiteFolder {
        /// What a person calls it.
        name: String,
        /// The folder's address, with a slash at its end.
        url: String,
        /// Its files.
        files: Vec<SiteFile>,
    },
    /// A repository of the Hugging Face hub: `owner/name`, `owner/name@revision` or `owner/name:file.gguf`.
    Hub {
        /// As the person typed it.
        repository: String,
    },
    /// Kept in this browser from an earlier visit.
    Kept {
        /// [`KeptModel::id`].
        id: String,
    },
    /// Picked or dropped by the person; the files come beside the message.
    Picked,
}

/// A file of a [`ModelFrom::SiteFolder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its exact length.
    pub len_bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal digits.
    pub sha256: String,
}

/// What a model is and takes, known before it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// File or repository.
    pub name: String,
    /// Bytes that must be fetched; 0 where they are all here.
    pub download_bytes: u64,
    /// Bytes of all its files.
    pub file_bytes: u64,
    /// Bytes of device memory: weights, and what explaining a text of 512 tokens takes. `None` where only loading would tell.
    pub memory_bytes: Option<u64>,
    /// Its licence as its publisher names it.
    pub licence: Option<String>,
    /// The GGUF files of a repository with several, of which one must be named.
    pub choices: Vec<String>,
}

/// What loading is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadPhase {
    /// Fetching from a server.
    Fetching,
    /// Reading and checking what is here.
    Checking,
    /// Placing weights on the device.
    Placing,
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The number of the [`Request::Load`](super::Request::Load) that asked for it.
    pub asked: u32,
    /// File or repository name.
    pub name: String,
    /// Architecture and size in a few words.
    pub description: String,
    /// SHA-256 of its files, in lower-case hexadecimal digits; see `weights::model_sha256`.
    pub sha256: String,
    /// Bytes of all its files.
    pub file_bytes: u64,
    /// Its licence as its publisher names it.
    pub licence: Option<String>,
    /// The device that it is on.
    pub device: String,
    /// Number of decoder layers.
    pub n_layers: usize,
    /// Whether it comes with a chat template.
    pub has_chat_template: bool,
    /// Whether it sees pictures.
    pub sees_pictures: bool,
    /// Positions that it can take.
    pub max_positions: usize,
    /// What there is to know about its files: what was met in them, and what is assumed.
    pub notices: Vec<String>,
    /// Why it was not kept for the next visit, if it was meant to be.
    pub not_kept: Option<String>,
    /// Bytes in use.
    pub memory: Memory,
}

/// The models kept in this browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// In the order of their names.
    pub models: Vec<KeptModel>,
    /// Bytes that this site may still take, if the browser says.
    pub free_bytes: Option<u64>,
    /// Why nothing can be kept, if so.
    pub denied: Option<String>,
}

/// A model kept in this browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptModel {
    /// What to call it by in requests.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Bytes that it takes here.
    pub bytes: u64,
    /// All bytes of it, as far as they are known: more where not all has come yet.
    pub total_bytes: u64,
    /// Whether it is all here, so that it can be loaded without a network.
    pub is_complete: bool,
    /// Where it comes from, to go on fetching one that is not complete; `None` where that is no longer known.
    pub from: Option<ModelFrom>,
    /// Its licence as its publisher names it.
    pub licence: Option<String>,
    /// SHA-256 of its files, in lower-case hexadecimal digits, where it is complete; see `weights::model_sha256`.
    pub sha256: Option<String>,
}
