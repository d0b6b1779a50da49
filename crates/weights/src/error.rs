//! What can be wrong with a model's files. Each variant names the file, the place in it, what was found and what was expected.

use crate::text::NotUtf8;

/// Why a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The source of the bytes failed.
    #[error("{file}: reading {len_bytes} bytes at {offset} failed: {source}")]
    Io {
        /// File that was read.
        file: String,
        /// Where.
        offset: u64,
        /// How much.
        len_bytes: u64,
        /// Why.
        source: std::io::Error,
    },
    /// The files do not make up a model.
    #[error("{path} is no model: found {found}, expected {expected}")]
    NotAModel {
        /// Folder or list of files.
        path: String,
        /// What was there.
        found: String,
        /// What makes up a model.
        expected: &'static str,
    },
    /// Files of several models, of which none is named.
    #[error("{path} holds several models, {}: give the one that you mean", listed(found))]
    SeveralModels {
        /// Folder or list of files.
        path: String,
        /// The files, or folders, that each could be the model.
        found: Vec<String>,
    },
    /// A file that the model needs, or that another file names, is not there.
    #[error("{file} is missing; {needed_by} needs it")]
    MissingFile {
        /// Name of the missing file.
        file: String,
        /// What asked for it.
        needed_by: String,
    },
    /// A file is too large for what it should be.
    #[error("{file}: {what} of {found} bytes, expected at most {limit_bytes}")]
    TooLarge {
        /// The file.
        file: String,
        /// The part of it.
        what: &'static str,
        /// Its size as far as it is known.
        found: u64,
        /// The most that is read into memory.
        limit_bytes: u64,
    },
    /// The file does not begin as its kind does.
    #[error("{file}: begins with {found}, expected {expected}")]
    Magic {
        /// The file.
        file: String,
        /// Its first bytes.
        found: String,
        /// What they should be.
        expected: &'static str,
    },
    /// A version of the format that is not read.
    #[error("{file}: version {found}, expected {expected}")]
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: String,
        /// Versions that are read.
        expected: &'static str,
    },
    /// The file ends too early.
    #[error("{file}: {what} at byte {offset} needs {needed} bytes, but the file ends at {file_len_bytes}")]
    Truncated {
        /// The file.
        file: String,
        /// What was being read.
        what: String,
        /// Where it begins.
        offset: u64,
        /// Bytes that it takes.
        needed: u64,
        /// Length of the file.
        file_len_bytes: u64,
    },
    /// A value in the header, the metadata, the configuration or the tokenizer is not what it should be.
    #[error("{file}: {key}: found {found}, expected {expected}")]
    Value {
        /// The file.
        file: String,
        /// Key, path or name of the value.
        key: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Text in another encoding than the one that is read.
    #[error("{file}: {source}")]
    Text {
        /// The file.
        file: String,
        /// What and where.
        source: NotUtf8,
    },
    /// Text that is not JSON, or not the JSON that was expected.
    #[error("{file}: {source}")]
    Json {
        /// The file.
        file: String,
        /// What and where.
        source: serde_json::Error,
    },
    /// Two tensors of one name.
    #[error("{file}: tensor {tensor} appears twice (first in {first_file})")]
    DuplicateTensor {
        /// File of the second.
        file: String,
        /// The name.
        tensor: String,
        /// File of the first.
        first_file: String,
    },
    /// A tensor whose elements are stored in a form that is not read.
    #[error("{file}: tensor {tensor}: stored as {found}, expected one of {expected}")]
    UnknownType {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its type.
        found: String,
        /// Types that are read.
        expected: String,
    },
    /// A shape that cannot be.
    #[error("{file}: tensor {tensor}: shape {found}, expected {expected}")]
    Shape {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its shape as the file has it.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A tensor whose bytes lie where they cannot.
    #[error("{file}: tensor {tensor}: {found}, expected {expected}")]
    Offset {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Where its bytes are.
        found: String,
        /// Where they should be.
        expected: String,
    },
    /// Two tensors share bytes.
    #[error("{file}: tensor {tensor} begins at {offset}, inside {other}, which ends at {other_end}")]
    Overlap {
        /// The file.
        file: String,
        /// The later one.
        tensor: String,
        /// Where it begins in the file.
        offset: u64,
        /// The earlier one.
        other: String,
        /// Where that ends.
        other_end: u64,
    },
    /// A tensor that the model needs is not there.
    #[error("{file}: tensor {tensor} is missing; the file has {count} tensors{similar}")]
    MissingTensor {
        /// Where it was looked for.
        file: String,
        /// What was looked for.
        tensor: String,
        /// How many there are.
        count: usize,
        /// A hint, or nothing.
        similar: String,
    },
    /// There is no tokenizer.
    #[error("{file}: no tokenizer: found {found}, expected {expected}")]
    NoTokenizer {
        /// Where it was looked for.
        file: String,
        /// What was there.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// The tokenizer could not be built or could not encode a text.
    #[error("{file}: tokenizer: {reason}")]
    Tokenizer {
        /// Where it comes from.
        file: String,
        /// What was wrong.
        reason: String,
    },
    /// A message with a picture, for a model that sees none.
    #[error("{file}: a message has a picture, but the model reads text only")]
    NoPictures {
        /// Where its chat template comes from.
        file: String,
    },
    /// The chat template could not be compiled or rendered.
    #[error("{file}: chat template: {reason}")]
    ChatTemplate {
        /// Where it comes from.
        file: String,
        /// What was wrong, with the line.
        reason: String,
    },
}

/// So many names are written out.
const MOST_LISTED: usize = 12;

/// Names for a sentence, the first ones of many.
fn listed(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(MOST_LISTED).map(String::as_str).collect();
    match names.len().saturating_sub(MOST_LISTED) {
        0 => first.join(", "),
        others => format!("{} and {others} others", first.join(", ")),
    }
}
