//! GGUF files: header, metadata and where the tensors lie.
//!
//! Format: `docs/gguf.md` of the ggml project, versions 2 and 3 (which lay out a little-endian file alike).

mod cursor;
mod metadata;

pub use metadata::{Metadata, Numbers, Texts, Value};

use crate::WeightsError;
use crate::source::{ByteSource, read_exact};
use crate::tensor_info::{TensorInfo, UnreadTensor, check_disjoint, checked_bytes, has_no_elements};
use cursor::{Cursor, Stop};
use tensor::Format;

/// The most of a file that is read as header; the largest known ones (a quarter of a million tokens with merges) take 15 MiB.
pub const HEADER_LIMIT_BYTES: u64 = 64 << 20;
/// First piece read; most headers need one or two doublings.
const FIRST_PIECE_BYTES: u64 = 1 << 20;
/// `GGML_MAX_DIMS`.
const MAX_DIMS: u32 = 4;
/// Where tensors begin, if `general.alignment` does not say.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Least bytes of a key and value: an empty key's length, a type, one byte.
const LEAST_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Least bytes of a tensor's entry: an empty name's length, dimensions, type, offset.
const LEAST_TENSOR_BYTES: u64 = 8 + 4 + 4 + 8;

/// What stands before the tensors' bytes.
#[derive(Clone, Debug)]
pub struct Header {
    /// Keys and values.
    pub metadata: Metadata,
    /// Where each tensor lies, in the file's order; offsets count from the start of the file.
    pub tensors: Vec<TensorInfo>,
    /// Tables of integers or of 64-bit floats, and tensors without elements. Only a model that asks for one is refused.
    pub others: Vec<UnreadTensor>,
}

/// Reads a header from `prefix`, the first bytes of a file of `file_len_bytes` named `file`.
///
/// `None` if the prefix ends inside the header although the file goes on: call again with more.
///
/// # Errors
/// Whatever is wrong with the header: see [`WeightsError`].
pub fn parse(file: &str, prefix: &[u8], file_len_bytes: u64) -> Result<Option<Header>, WeightsError> {
    match read_header(&mut Cursor::new(file, prefix, file_len_bytes)) {
        Ok(header) => Ok(Some(header)),
        Err(Stop::NeedMore) => Ok(None),
        Err(Stop::Bad(error)) => Err(*error),
    }
}

/// Reads the header from a source, in a growing prefix of at most [`HEADER_LIMIT_BYTES`].
///
/// # Errors
/// As [`parse`], and when the source fails.
pub async fn read(source: &dyn ByteSource) -> Result<Header, WeightsError> {
    let (file, file_len_bytes) = (source.name(), source.len_bytes());
    let limit = file_len_bytes.min(HEADER_LIMIT_BYTES);
    let mut prefix: Vec<u8> = Vec::new();
    let mut want = FIRST_PIECE_BYTES.min(limit);
    loop {
        let have = prefix.len();
        let too_large = || WeightsError::TooLarge {
            file: file.to_owned(),
            what: "a header",
            found: file_len_bytes,
            limit_bytes: HEADER_LIMIT_BYTES,
        };
        let len = usize::try_from(want).map_err(|_| too_large())?;
        prefix.reserve_exact(len.saturating_sub(have));
        prefix.resize(len, 0);
        read_exact(source, have as u64, prefix.get_mut(have..).unwrap_or_default()).await?;
        if let Some(header) = parse(file, &prefix, file_len_bytes)? {
            return Ok(header);
        }
        if want == limit {
            return Err(too_large());
        }
        want = want.saturating_mul(2).min(limit);
    }
}

fn read_header(cursor: &mut Cursor) -> Result<Header, Stop> {
    let magic: [u8; 4] = cursor.array("the magic")?;
    if magic != *b"GGUF" {
        return Err(cursor.bad(|file| WeightsError::Magic {
            file,
            found: format!("{:?}", magic.escape_ascii().to_string()),
            expected: "\"GGUF\"",
        }));
    }
    let version = cursor.u32("the version")?;
    if !(2..=3).contains(&version) {
        let order = if (1..=3).contains(&version.swap_bytes()) { " in big-endian order" } else { "" };
        let number = if order.is_empty() { version } else { version.swap_bytes() };
        return Err(cursor.bad(|file| WeightsError::Version {
            file,
            found: format!("{number}{order}"),
            expected: "2 or 3, little-endian",
        }));
    }
    let n_tensors = cursor.count("the number of tensors", LEAST_TENSOR_BYTES)?;
    let n_entries = cursor.count("the number of metadata entries", LEAST_ENTRY_BYTES)?;
    let metadata = metadata::read(cursor, n_entries)?;
    let alignment = alignment(&metadata)?;

    let (mut tensors, mut others) = (Vec::new(), Vec::new());
    for _ in 0..n_tensors {
        match read_tensor_info(cursor, alignment)? {
            Entry::Read(info) => tensors.push(info),
            Entry::Unread(other) => others.push(other),
        }
    }
    // Offsets count from the first aligned byte after the header.
    let data_start = cursor.position().div_ceil(alignment).saturating_mul(alignment);
    for info in &mut tensors {
        let relative = info.offset;
        let end = data_start.checked_add(relative).and_then(|at| at.checked_add(info.len_bytes));
        if end.is_none_or(|end| end > cursor.file_len_bytes()) {
            let found = format!("{} bytes at {relative} after the header, which ends at {data_start}", info.len_bytes);
            let expected = format!("an end within the file's {} bytes", cursor.file_len_bytes());
            let tensor = info.name.clone();
            return Err(cursor.bad(|file| WeightsError::Offset { file, tensor, found, expected }));
        }
        info.offset = data_start.saturating_add(relative);
    }
    check_disjoint(cursor.file(), &tensors)?;
    Ok(Header { metadata, tensors, others })
}

fn alignment(metadata: &Metadata) -> Result<u64, WeightsError> {
    let alignment = metadata.unsigned("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT);
    if alignment.is_power_of_two() && (8..=1 << 20).contains(&alignment) {
        Ok(alignment)
    } else {
        Err(WeightsError::Value {
            file: metadata.file().to_owned(),
            key: "general.alignment".to_owned(),
            found: alignment.to_string(),
            expected: "a power of two from 8 to 1048576".to_owned(),
        })
    }
}

/// One tensor of the header.
enum Entry {
    /// Its offset is still counted from the end of the header.
    Read(TensorInfo),
    Unread(UnreadTensor),
}

fn read_tensor_info(cursor: &mut Cursor, alignment: u64) -> Result<Entry, Stop> {
    let name = cursor.text("a tensor's name")?.to_owned();
    let n_dims = cursor.u32("a tensor's number of dimensions")?;
    if n_dims > MAX_DIMS {
        return Err(cursor.bad(|file| WeightsError::Shape {
            file,
            tensor: name,
            found: format!("{n_dims} dimensions"),
            expected: format!("at most {MAX_DIMS}"),
        }));
    }
    let mut shape = Vec::with_capacity(n_dims as usize);
    for _ in 0..n_dims {
        shape.push(cursor.u64("a tensor's dimension")?);
    }
    // GGUF writes the innermost dimension first.
    shape.reverse();
    let code = cursor.u32("a tensor's type")?;
    let offset = cursor.u64("a tensor's offset")?;
    let unread = |stored_as: String, shape| Ok(Entry::Unread(UnreadTensor { name: name.clone(), shape, stored_as, file: 0 }));
    let Some(format) = format_of(code) else {
        if has_no_elements(&shape) || is_plain_number(code) {
            return unread(type_name(code), shape);
        }
        let expected = Format::ALL.map(Format::name).join(", ");
        let found = type_name(code);
        return Err(cursor.bad(|file| WeightsError::UnknownType { file, tensor: name, found, expected }));
    };
    if has_no_elements(&shape) {
        return unread(format.name().to_owned(), shape);
    }
    if !offset.is_multiple_of(alignment) {
        return Err(cursor.bad(|file| WeightsError::Offset {
            file,
            tensor: name,
            found: format!("offset {offset}"),
            expected: format!("a multiple of the alignment, {alignment}"),
        }));
    }
    let (shape, len_bytes) = checked_bytes(cursor.file(), &name, &shape, format)?;
    Ok(Entry::Read(TensorInfo { name, shape, format, file: 0, offset, len_bytes }))
}

/// Whether a type that is not read is that of tables rather than of weights: integers and 64-bit floats.
fn is_plain_number(code: u32) -> bool {
    (24..=28).contains(&code)
}

/// `enum ggml_type`, as far as it is read.
fn format_of(code: u32) -> Option<Format> {
    Some(match code {
        0 => Format::F32,
        1 => Format::F16,
        2 => Format::Q4_0,
        3 => Format::Q4_1,
        6 => Format::Q5_0,
        7 => Format::Q5_1,
        8 => Format::Q8_0,
        12 => Format::Q4K,
        13 => Format::Q5K,
        14 => Format::Q6K,
        30 => Format::Bf16,
        _ => return None,
    })
}

/// The name of a type that is not read, so that a user knows which file to get instead.
fn type_name(code: u32) -> String {
    let name = match code {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => return format!("type {code}"),
    };
    name.to_owned()
}
