//! Lists and maps in a template: how large they may be, and how they become text.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io;

/// Longest text that a list or map may become.
const MAX_TEXT_BYTES: usize = 8 << 20;
/// What anything but a text takes in it.
const NODE_BYTES: usize = 8;
/// Deepest nesting of one.
const MAX_DEPTH: usize = 64;
/// Items that a list or map in a template may have, counting those in them.
const MAX_ITEMS: usize = 1 << 16;

/// JSON as Python's `json.dumps(ensure_ascii=False)` writes it, which is what templates are written for: without HTML escapes.
pub(super) fn to_json(state: &mut State, value: Value, options: Kwargs) -> Result<Value, Error> {
    let wrong = |error: serde_json::Error| Error::new(ErrorKind::BadSerialization, error.to_string());
    let indent: Option<usize> = options.get("indent")?;
    check_size(&value)?;
    let mut out = Vec::new();
    match indent {
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, OneLine)).map_err(wrong)?,
        Some(width) => {
            let indent = " ".repeat(width.min(16));
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).map_err(wrong)?;
        }
    }
    state.consume_fuel(out.len() as u64 / 64)?;
    Ok(Value::from_safe_string(String::from_utf8_lossy(&out).into_owned()))
}

/// The `join` of Jinja and of Python's texts, which stops before the text becomes too long.
pub(super) fn join(value: &Value, joiner: Option<&str>, attribute: Option<&str>) -> Result<Value, Error> {
    let mut text = String::new();
    let mut left = MAX_TEXT_BYTES / NODE_BYTES;
    for (i, item) in value.try_iter()?.enumerate() {
        left = left.saturating_sub(1);
        let item = attribute.map_or(Ok(item.clone()), |attribute| item.get_attr(attribute))?;
        check_size(&item)?;
        if i > 0 {
            text.push_str(joiner.unwrap_or_default());
        }
        text.push_str(&item.to_string());
        if text.len() > MAX_TEXT_BYTES || left == 0 {
            return Err(too_large());
        }
    }
    Ok(Value::from(text))
}

fn too_large() -> Error {
    Error::new(ErrorKind::OutOfFuel, "a value is too large or too deep to become text")
}

/// What [`guard`](super::guard::guard) puts around what builds a container: refuses a large or deep one, and charges for looking.
pub(super) fn guarded(state: &State, value: Value) -> Result<Value, Error> {
    let items = walk(&value, MAX_ITEMS, |_| Ok(()))?;
    state.consume_fuel(items as u64 / 8)?;
    Ok(value)
}

/// What [`guard`](super::guard::guard) puts around what is stored in a namespace: the same, and no namespace may be in it.
pub(super) fn stored(state: &State, value: Value) -> Result<Value, Error> {
    let items = walk(&value, MAX_ITEMS, |value| {
        let is_namespace = value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"));
        let refused = || Error::new(ErrorKind::InvalidOperation, "a namespace cannot be stored in a namespace");
        if is_namespace { Err(refused()) } else { Ok(()) }
    })?;
    state.consume_fuel(items as u64 / 8)?;
    Ok(value)
}

/// Refuses values that are deep or would make a long text: lists share what is in them, so that thirty nested ones can
/// stand for a billion texts without having cost much.
pub(super) fn check_size(value: &Value) -> Result<(), Error> {
    walk(value, MAX_TEXT_BYTES / NODE_BYTES, |_| Ok(())).map(|_| ())
}

/// Visits a value and what is in it, at all depths, and counts; an error beyond `max_items`, [`MAX_DEPTH`] or [`MAX_TEXT_BYTES`].
fn walk(value: &Value, max_items: usize, visit: impl Fn(&Value) -> Result<(), Error>) -> Result<usize, Error> {
    let (mut items, mut bytes) = (0_usize, 0_usize);
    let mut open = vec![(value.clone(), 0_usize)];
    while let Some((value, depth)) = open.pop() {
        visit(&value)?;
        items = items.saturating_add(1);
        bytes = bytes.saturating_add(value.as_str().map_or(NODE_BYTES, str::len));
        // What has no length is an iterator, which becomes text without its items.
        let is_container = matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable);
        let length = value.len().filter(|_| is_container).unwrap_or(0);
        if depth > MAX_DEPTH || bytes > MAX_TEXT_BYTES || items.saturating_add(open.len()).saturating_add(length) > max_items {
            return Err(too_large());
        }
        if length > 0 {
            for key in value.try_iter()? {
                if value.kind() == ValueKind::Map {
                    open.push((value.get_item(&key)?, depth.saturating_add(1)));
                }
                open.push((key, depth.saturating_add(1)));
            }
        }
    }
    Ok(items)
}

/// On one line, with a space after commas and colons.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
