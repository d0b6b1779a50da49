//! The keys and values of a GGUF file.

use super::cursor::{Cursor, Stop};
use crate::WeightsError;
use std::collections::BTreeMap;
use std::fmt;

/// The longest key that the format allows.
const MAX_KEY_BYTES: usize = 65_535;

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Any unsigned integer.
    Unsigned(u64),
    /// Any signed integer.
    Signed(i64),
    /// Any float.
    Float(f64),
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(String),
    /// An array of texts.
    Texts(Texts),
    /// An array of numbers or flags.
    Numbers(Numbers),
}

impl Value {
    /// What kind of value it is, and numbers themselves, for messages.
    pub fn kind(&self) -> String {
        match self {
            Value::Unsigned(value) => value.to_string(),
            Value::Signed(value) => value.to_string(),
            Value::Float(value) => format!("the float {value}"),
            Value::Flag(value) => value.to_string(),
            Value::Text(text) => format!("text of {} bytes", text.len()),
            Value::Texts(texts) => format!("an array of {} texts", texts.len()),
            Value::Numbers(numbers) => format!("an array of {} numbers", numbers.len()),
        }
    }
}

/// An array of texts, kept as one: a vocabulary has a quarter of a million of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Texts {
    joined: String,
    /// Where each ends in `joined`; below 2^32, since headers are.
    ends: Vec<u32>,
}

impl Texts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |&end| end as usize);
        self.joined.get(start..end)
    }

    /// All in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|i| self.get(i))
    }
}

/// Width and meaning of the numbers of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Flag,
    U64,
    I64,
    F64,
}

impl Kind {
    /// `enum gguf_metadata_value_type`, without texts (8) and arrays (9).
    fn of(code: u32) -> Option<Kind> {
        Some(match code {
            0 => Kind::U8,
            1 => Kind::I8,
            2 => Kind::U16,
            3 => Kind::I16,
            4 => Kind::U32,
            5 => Kind::I32,
            6 => Kind::F32,
            7 => Kind::Flag,
            10 => Kind::U64,
            11 => Kind::I64,
            12 => Kind::F64,
            _ => return None,
        })
    }

    fn len_bytes(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 | Kind::Flag => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// The value that `bytes`, of this kind's length, hold; a flag is anything but zero.
    fn value(self, bytes: &[u8]) -> Value {
        let mut wide = [0; 8];
        wide.iter_mut().zip(bytes).for_each(|(wide, &byte)| *wide = byte);
        let [a, b, c, d, ..] = wide;
        match self {
            Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 => Value::Unsigned(u64::from_le_bytes(wide)),
            Kind::I8 => Value::Signed(i64::from(i8::from_le_bytes([a]))),
            Kind::I16 => Value::Signed(i64::from(i16::from_le_bytes([a, b]))),
            Kind::I32 => Value::Signed(i64::from(i32::from_le_bytes([a, b, c, d]))),
            Kind::I64 => Value::Signed(i64::from_le_bytes(wide)),
            Kind::F32 => Value::Float(f64::from(f32::from_le_bytes([a, b, c, d]))),
            Kind::F64 => Value::Float(f64::from_le_bytes(wide)),
            Kind::Flag => Value::Flag(a != 0),
        }
    }
}

/// An array of numbers or flags, kept as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Numbers {
    kind: Kind,
    bytes: Vec<u8>,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} x {}", self.kind, self.len())
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.kind.len_bytes()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Each as a [`Value`], in order.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        self.bytes.chunks_exact(self.kind.len_bytes()).map(|bytes| self.kind.value(bytes))
    }
}

/// The keys and values of a GGUF file.
#[derive(Clone, Debug)]
pub struct Metadata {
    file: String,
    entries: BTreeMap<String, Value>,
}

impl Metadata {
    /// Name of the file, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// All keys and values, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Takes `key` out, for what is large and needed once.
    pub(crate) fn remove(&mut self, key: &str) {
        self.entries.remove(key);
    }

    /// The value of `key` as `convert` has it, `None` without the key.
    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, WeightsError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        convert(value).map(Some).ok_or_else(|| self.wrong(key, value.kind(), expected))
    }

    /// An error about the value of `key`.
    pub(crate) fn wrong(&self, key: &str, found: impl Into<String>, expected: impl Into<String>) -> WeightsError {
        WeightsError::Value { file: self.file.clone(), key: key.to_owned(), found: found.into(), expected: expected.into() }
    }

    /// The integer at `key`, of any width, not negative.
    ///
    /// # Errors
    /// When there is another value.
    pub fn unsigned(&self, key: &str) -> Result<Option<u64>, WeightsError> {
        self.typed(key, "an integer that is not negative", unsigned)
    }

    /// The number at `key`, float or integer.
    ///
    /// # Errors
    /// When there is another value.
    pub fn float(&self, key: &str) -> Result<Option<f64>, WeightsError> {
        self.typed(key, "a number", float)
    }

    /// The flag at `key`.
    ///
    /// # Errors
    /// When there is another value.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, WeightsError> {
        self.typed(key, "true or false", |value| if let Value::Flag(flag) = value { Some(*flag) } else { None })
    }

    /// The text at `key`.
    ///
    /// # Errors
    /// When there is another value.
    pub fn text(&self, key: &str) -> Result<Option<&str>, WeightsError> {
        self.typed(key, "text", |value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    /// The array of texts at `key`.
    ///
    /// # Errors
    /// When there is another value.
    pub fn texts(&self, key: &str) -> Result<Option<&Texts>, WeightsError> {
        self.typed(key, "an array of texts", |value| if let Value::Texts(texts) = value { Some(texts) } else { None })
    }

    /// The integers at `key`: an array of them, or one.
    ///
    /// # Errors
    /// When there is another value, or a negative one.
    pub fn unsigned_array(&self, key: &str) -> Result<Option<Vec<u64>>, WeightsError> {
        self.typed(key, "an array of integers that are not negative", |value| array(value, unsigned))
    }

    /// The numbers at `key`: an array of them, or one.
    ///
    /// # Errors
    /// When there is another value.
    pub fn float_array(&self, key: &str) -> Result<Option<Vec<f64>>, WeightsError> {
        self.typed(key, "an array of numbers", |value| array(value, float))
    }
}

fn unsigned(value: &Value) -> Option<u64> {
    match value {
        Value::Unsigned(value) => Some(*value),
        Value::Signed(value) => u64::try_from(*value).ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        Value::Unsigned(value) => Some(*value as f64),
        Value::Signed(value) => Some(*value as f64),
        _ => None,
    }
}

fn array<T>(value: &Value, element: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Numbers(numbers) => numbers.iter().map(|value| element(&value)).collect(),
        single => element(single).map(|value| vec![value]),
    }
}

/// Reads `n_entries` keys and values.
pub(super) fn read(cursor: &mut Cursor, n_entries: u64) -> Result<Metadata, Stop> {
    let mut entries = BTreeMap::new();
    for _ in 0..n_entries {
        let key = cursor.text("a metadata key")?;
        if key.len() > MAX_KEY_BYTES {
            let found = format!("{} bytes", key.len());
            return Err(wrong(cursor, "a metadata key", found, format!("at most {MAX_KEY_BYTES}")));
        }
        let value = read_value(cursor, key)?;
        if entries.insert(key.to_owned(), value).is_some() {
            return Err(wrong(cursor, key, "a second value".to_owned(), "one".to_owned()));
        }
    }
    Ok(Metadata { file: cursor.file().to_owned(), entries })
}

fn wrong(cursor: &Cursor, key: &str, found: String, expected: String) -> Stop {
    cursor.bad(|file| WeightsError::Value { file, key: key.to_owned(), found, expected })
}

fn read_value(cursor: &mut Cursor, key: &str) -> Result<Value, Stop> {
    match cursor.u32(key)? {
        8 => Ok(Value::Text(cursor.text(key)?.to_owned())),
        9 => {
            let code = cursor.u32(key)?;
            if code == 8 {
                return read_texts(cursor, key).map(Value::Texts);
            }
            let Some(kind) = Kind::of(code) else {
                let expected = "numbers, flags (0 to 7, 10 to 12) or texts (8)";
                return Err(wrong(cursor, key, format!("an array of type {code}"), expected.to_owned()));
            };
            let count = cursor.count(key, kind.len_bytes() as u64)?;
            let bytes = cursor.bytes(count.saturating_mul(kind.len_bytes() as u64), key)?;
            Ok(Value::Numbers(Numbers { kind, bytes: bytes.to_vec() }))
        }
        code => match Kind::of(code) {
            Some(kind) => Ok(kind.value(cursor.bytes(kind.len_bytes() as u64, key)?)),
            None => Err(wrong(cursor, key, format!("type {code}"), "a type from 0 to 12".to_owned())),
        },
    }
}

fn read_texts(cursor: &mut Cursor, key: &str) -> Result<Texts, Stop> {
    let count = cursor.count(key, 8)?;
    // Measured before anything is allocated, so that the allocations are no larger than the file.
    let mut measure = cursor.fork();
    let mut len_bytes = 0_u64;
    for _ in 0..count {
        len_bytes = len_bytes.saturating_add(measure.raw_text(key)?.len() as u64);
    }
    // What was measured lies in the prefix, so that both fit.
    let capacity = |n: u64| usize::try_from(n).map_err(|_| Stop::NeedMore);
    let mut texts = Texts { joined: String::with_capacity(capacity(len_bytes)?), ends: Vec::with_capacity(capacity(count)?) };
    for _ in 0..count {
        texts.joined.push_str(cursor.text(key)?);
        texts.ends.push(
            u32::try_from(texts.joined.len()).map_err(|_| wrong(cursor, key, "4 GiB of text".to_owned(), "less".to_owned()))?,
        );
    }
    Ok(texts)
}
