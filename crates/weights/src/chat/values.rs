//! Lists and maps in a template: how large they may be.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

/// Longest text that a value may become.
pub(super) const MAX_TEXT_BYTES: usize = 8 << 20;
/// What anything but a text takes in it.
const NODE_BYTES: usize = 8;
/// Deepest nesting of one.
const MAX_DEPTH: usize = 64;
/// Items that a list or map in a template may have, counting those in them.
const MAX_ITEMS: usize = 1 << 16;

pub(super) fn too_large() -> Error {
    Error::new(ErrorKind::OutOfFuel, "a value is too large or too deep to become text")
}

/// What [`guard`](super::guard::guard) puts around what builds a container: refuses a large or deep one, and charges for looking.
/// A list that was multiplied, which repeats another as long as nobody looks, becomes one of its own.
pub(super) fn guarded(state: &State, value: Value) -> Result<Value, Error> {
    let items = walk(&value, MAX_ITEMS, |_| Ok(()))?;
    state.consume_fuel(items as u64 / 8)?;
    if value.kind() == ValueKind::Iterable && value.len().is_some() {
        return Ok(value.try_iter()?.collect::<Vec<Value>>().into());
    }
    Ok(value)
}

/// What [`guard`](super::guard::guard) puts around what is stored in a namespace: the same, and no namespace may be in it.
pub(super) fn stored(state: &State, value: Value) -> Result<Value, Error> {
    let items = walk(&value, MAX_ITEMS, |value| {
        let refused = || Error::new(ErrorKind::InvalidOperation, "a namespace cannot be stored in a namespace");
        if is_namespace(value) { Err(refused()) } else { Ok(()) }
    })?;
    state.consume_fuel(items as u64 / 8)?;
    Ok(value)
}

/// Whether it is what `namespace()` makes.
pub(super) fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
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
