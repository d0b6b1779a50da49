//! The filters for HTML and addresses, as Jinja and MarkupSafe have them.

use super::arguments::wrong;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use std::fmt::Write;

/// A text with HTML's own characters as entities.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `escape`, which leaves alone what is marked as safe.
pub(super) fn escape(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { force_escape(value) }
}

/// `forceescape`.
pub(super) fn force_escape(value: &Value) -> Value {
    Value::from_safe_string(escaped(&value.to_string()))
}

/// `urlencode`: a text, or the pairs of a map or a list.
pub(super) fn urlencode(value: &Value) -> Result<Value, Error> {
    let quoted = |value: &Value, kept: &str| {
        let mut out = String::new();
        for byte in value.to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || kept.as_bytes().contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    };
    // Within a pair, a space is a plus and a slash is quoted.
    let pair = |key: &Value, value: &Value| {
        let plus = |value| quoted(value, "").replace("%20", "+");
        format!("{}={}", plus(key), plus(value))
    };
    let pairs: Vec<String> = match value.kind() {
        ValueKind::Map => {
            let of = |key: Value| Ok(pair(&key, &value.get_item(&key)?));
            value.try_iter()?.map(of).collect::<Result<_, Error>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let of = |item: Value| Ok(pair(&item.get_item(&Value::from(0))?, &item.get_item(&Value::from(1))?));
            value.try_iter()?.map(of).collect::<Result<_, Error>>()?
        }
        _ => return Ok(Value::from(quoted(value, "/"))),
    };
    Ok(Value::from(pairs.join("&")))
}

/// `xmlattr`: a map as attributes, without those that are none or undefined.
pub(super) fn xmlattr(value: &Value, autospace: Option<bool>) -> Result<Value, Error> {
    let mut out = Vec::new();
    for key in value.try_iter()? {
        let item = value.get_item(&key)?;
        if item.is_none() || item.is_undefined() {
            continue;
        }
        let key = key.to_string();
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(wrong(format!("{key:?} is no name of an attribute")));
        }
        out.push(format!("{}=\"{}\"", escaped(&key), escaped(&item.to_string())));
    }
    let space = if autospace.unwrap_or(true) && !out.is_empty() { " " } else { "" };
    Ok(Value::from_safe_string(format!("{space}{}", out.join(" "))))
}

/// `striptags`: without tags and comments, white space as single spaces, and the common entities as what they stand for.
pub(super) fn striptags(value: &Value) -> Value {
    let mut text = value.to_string();
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, tag)) = rest.split_once(open) {
            let Some((_, after)) = tag.split_once(close) else { break };
            kept.push_str(before);
            rest = after;
        }
        kept.push_str(rest);
        text = kept;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut text = words.join(" ");
    for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        text = text.replace(entity, plain);
    }
    Value::from(text)
}
