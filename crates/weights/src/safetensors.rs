//! safetensors files: eight bytes of header length, a JSON header, then the tensors' bytes without gaps.
//!
//! The header is read here and not by the `safetensors` crate, which wants the whole file in memory, lets the last of two
//! tensors of one name win, and does not say what was found and what was expected.

use crate::WeightsError;
use crate::source::{ByteSource, read_exact};
use crate::tensor_info::{TensorInfo, UnreadTensor, check_disjoint, checked_bytes, has_no_elements};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use tensor::Format;

/// The most that a header may take; that of a model of 400 billion parameters takes 150 KiB.
pub const HEADER_LIMIT_BYTES: u64 = 64 << 20;
/// Bytes of the header's length.
const LENGTH_BYTES: u64 = 8;

/// What stands before the tensors' bytes.
#[derive(Clone, Debug)]
pub struct Header {
    /// Where each tensor of a readable type lies, by offset; offsets count from the start of the file.
    pub tensors: Vec<TensorInfo>,
    /// Those whose type is not read, such as tables of integers, and those without elements. Only a model that asks for one is
    /// refused.
    pub others: Vec<UnreadTensor>,
}

/// Length of the JSON header from `first`, the first eight bytes of a file of `file_len_bytes`.
///
/// # Errors
/// When it is longer than the file or than [`HEADER_LIMIT_BYTES`].
pub fn header_len(file: &str, first: [u8; 8], file_len_bytes: u64) -> Result<u64, WeightsError> {
    let len = u64::from_le_bytes(first);
    if len > file_len_bytes.saturating_sub(LENGTH_BYTES) {
        return Err(WeightsError::Truncated {
            file: file.to_owned(),
            what: "the header".to_owned(),
            offset: LENGTH_BYTES,
            needed: len,
            file_len_bytes,
        });
    }
    if len > HEADER_LIMIT_BYTES {
        return Err(WeightsError::TooLarge {
            file: file.to_owned(),
            what: "a header",
            found: len,
            limit_bytes: HEADER_LIMIT_BYTES,
        });
    }
    Ok(len)
}

/// Reads the JSON header `json` of a file of `file_len_bytes` named `file`.
///
/// # Errors
/// Whatever is wrong with the header: see [`WeightsError`].
pub fn parse(file: &str, json: &[u8], file_len_bytes: u64) -> Result<Header, WeightsError> {
    let RawHeader(mut entries) =
        serde_json::from_slice(json).map_err(|source| WeightsError::Json { file: file.to_owned(), source })?;
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let data_start = LENGTH_BYTES.saturating_add(json.len() as u64);
    let data_len = file_len_bytes.saturating_sub(data_start);
    let mut header = Header { tensors: Vec::new(), others: Vec::new() };
    let mut expected_start = 0;
    for (name, entry) in entries {
        let (start, end) = entry.data_offsets;
        let wrong = |found: String, expected: String| WeightsError::Offset {
            file: file.to_owned(),
            tensor: name.clone(),
            found,
            expected,
        };
        if start > end || end > data_len {
            return Err(wrong(
                format!("data_offsets [{start}, {end}]"),
                format!("a range within the {data_len} bytes after the header"),
            ));
        }
        let is_empty = has_no_elements(&entry.shape);
        if is_empty && start != end {
            return Err(wrong(format!("data_offsets [{start}, {end}]"), format!("no bytes for {:?}", entry.shape)));
        }
        if let Some(format) = format_of(&entry.dtype).filter(|_| !is_empty) {
            let (shape, len_bytes) = checked_bytes(file, &name, &entry.shape, format)?;
            if len_bytes != end.saturating_sub(start) {
                let expected = format!("{len_bytes} bytes for {shape:?} of {format}");
                return Err(wrong(format!("data_offsets [{start}, {end}]"), expected));
            }
            let offset = data_start.saturating_add(start);
            header.tensors.push(TensorInfo { name, shape, format, file: 0, offset, len_bytes });
        } else {
            if start < expected_start {
                return Err(wrong(
                    format!("data_offsets [{start}, {end}]"),
                    format!("a start of {expected_start}, after the tensor before"),
                ));
            }
            header.others.push(UnreadTensor { name, shape: entry.shape, stored_as: entry.dtype, file: 0 });
        }
        expected_start = end;
    }
    check_disjoint(file, &header.tensors)?;
    if expected_start != data_len {
        return Err(WeightsError::Value {
            file: file.to_owned(),
            key: "the file's length".to_owned(),
            found: format!("{data_len} bytes after the header"),
            expected: format!("{expected_start}, which is where the last tensor ends"),
        });
    }
    Ok(header)
}

/// Reads the header from a source.
///
/// # Errors
/// As [`header_len`] and [`parse`], and when the source fails.
pub async fn read(source: &dyn ByteSource) -> Result<Header, WeightsError> {
    let (file, file_len_bytes) = (source.name(), source.len_bytes());
    if file_len_bytes < LENGTH_BYTES {
        return Err(WeightsError::Truncated {
            file: file.to_owned(),
            what: "the header's length".to_owned(),
            offset: 0,
            needed: LENGTH_BYTES,
            file_len_bytes,
        });
    }
    let mut first = [0; 8];
    read_exact(source, 0, &mut first).await?;
    let len = header_len(file, first, file_len_bytes)?;
    // Within HEADER_LIMIT_BYTES, hence within usize.
    let mut json = vec![0; len as usize];
    read_exact(source, LENGTH_BYTES, &mut json).await?;
    parse(file, &json, file_len_bytes)
}

/// Types whose elements are read.
fn format_of(dtype: &str) -> Option<Format> {
    [Format::F32, Format::F16, Format::Bf16].into_iter().find(|format| format.name() == dtype)
}

/// One tensor of the header.
#[derive(serde::Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The header's tensors in the order of the file, names checked to differ.
struct RawHeader(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawHeader, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        // Free text about the file, of no use here.
                        map.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    }
                    let entry: Entry = map.next_value().map_err(|e| A::Error::custom(format_args!("tensor {name}: {e}")))?;
                    if entries.insert(name.clone(), entry).is_some() {
                        return Err(A::Error::custom(format_args!("tensor {name} appears twice")));
                    }
                }
                Ok(RawHeader(entries.into_iter().collect()))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// `model.safetensors.index.json`: which file each tensor is in.
#[derive(Debug)]
pub struct Index {
    /// Name of the file by name of the tensor.
    pub file_of: BTreeMap<String, String>,
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// When it is not the JSON of an index, or names no tensor.
    pub fn parse(file: &str, json: &[u8]) -> Result<Index, WeightsError> {
        #[derive(serde::Deserialize)]
        struct Raw {
            weight_map: BTreeMap<String, String>,
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|source| WeightsError::Json { file: file.to_owned(), source })?;
        if raw.weight_map.is_empty() {
            return Err(WeightsError::Value {
                file: file.to_owned(),
                key: "weight_map".to_owned(),
                found: "no tensors".to_owned(),
                expected: "at least one".to_owned(),
            });
        }
        Ok(Index { file_of: raw.weight_map })
    }

    /// The files, each once, by name.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.file_of.values().map(String::as_str).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}
