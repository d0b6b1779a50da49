//! JSON as Python's `json.dumps` writes it, which is what templates are written for.

use super::arguments::{Arguments, wrong};
use super::python::float_repr;
use super::values::{MAX_TEXT_BYTES, check_size, too_large};
use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Error, State, Value};
use std::fmt::Write;

/// The filter `tojson` as transformers has it: without HTML escapes, and characters as they are.
pub(super) fn to_json(state: &State, value: Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let ascii = arguments.flag("ensure_ascii")?;
    let indent = arguments.next("indent")?.filter(|indent| !indent.is_none());
    let separators = arguments.next("separators")?.filter(|separators| !separators.is_none());
    let sort_keys = arguments.flag("sort_keys")?;
    arguments.finish()?;
    check_size(&value)?;
    let indent = match indent {
        None => None,
        Some(text) if text.as_str().is_some() => text.as_str().map(|text| text.chars().take(64).collect()),
        Some(width) => Some(" ".repeat(usize::try_from(i64::try_from(width)?).unwrap_or(0).min(64))),
    };
    let text = |value: Result<Value, Error>| value?.as_str().map(str::to_owned).ok_or_else(|| wrong("separators are two texts"));
    let (between, after_key) = match separators {
        Some(pair) => (text(pair.get_item(&Value::from(0)))?, text(pair.get_item(&Value::from(1)))?),
        None => ((if indent.is_some() { "," } else { ", " }).to_owned(), ": ".to_owned()),
    };
    if between.len().max(after_key.len()) > 64 {
        return Err(wrong("a separator of more than 64 bytes"));
    }
    let mut writer = Writer { out: String::new(), ascii, indent, between, after_key, sort_keys };
    writer.value(&value, 0)?;
    state.consume_fuel(writer.out.len() as u64 / 64)?;
    Ok(Value::from_safe_string(writer.out))
}

struct Writer {
    out: String,
    ascii: bool,
    indent: Option<String>,
    between: String,
    after_key: String,
    sort_keys: bool,
}

impl Writer {
    /// A value at some depth, which [`check_size`] has bounded.
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if self.out.len() > MAX_TEXT_BYTES {
            return Err(too_large());
        }
        match value.kind() {
            ValueKind::String => self.text(value.as_str().unwrap_or_default()),
            ValueKind::Seq => self.items(value, depth)?,
            // Two lists added are a list in Python; an iterator, which knows no length, is no JSON there either.
            ValueKind::Iterable if value.len().is_some() => self.items(value, depth)?,
            ValueKind::Map => {
                let mut items = Vec::new();
                for key in value.try_iter()? {
                    items.push((key.clone(), value.get_item(&key)?));
                }
                if self.sort_keys {
                    items.sort_by(|a, b| a.0.cmp(&b.0));
                }
                self.container('{', '}', &items, depth, |writer, (key, item)| {
                    match key.kind() {
                        ValueKind::String => writer.text(key.as_str().unwrap_or_default()),
                        _ => {
                            let key = scalar(key).ok_or_else(|| wrong(format!("a key of {} in JSON", key.kind())))?;
                            writer.text(&key);
                        }
                    }
                    writer.out.push_str(&writer.after_key.clone());
                    writer.value(item, depth.saturating_add(1))
                })?;
            }
            kind => self.out.push_str(&scalar(value).ok_or_else(|| wrong(format!("{kind} is not JSON")))?),
        }
        Ok(())
    }

    fn items(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let items: Vec<Value> = value.try_iter()?.collect();
        self.container('[', ']', &items, depth, |writer, item| writer.value(item, depth.saturating_add(1)))
    }

    fn container<T>(
        &mut self,
        open: char,
        close: char,
        items: &[T],
        depth: usize,
        write: impl Fn(&mut Self, &T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(&self.between.clone());
            }
            self.new_line(depth.saturating_add(1));
            write(self, item)?;
        }
        if !items.is_empty() {
            self.new_line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(indent.as_str(), depth));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || self.ascii && c > '~' => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a text cannot fail.
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// What is neither a text nor holds anything, as JSON has it; `None` for what JSON does not have.
fn scalar(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::None => Some("null".to_owned()),
        ValueKind::Bool => Some(if value.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number if value.is_integer() => Some(value.to_string()),
        ValueKind::Number => match f64::try_from(value.clone()).ok()? {
            x if x.is_nan() => Some("NaN".to_owned()),
            x if x.is_infinite() => Some(if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()),
            x => Some(float_repr(x)),
        },
        _ => None,
    }
}
