//! Methods of Python's texts, lists and maps.

use super::arguments::{Arguments, wrong};
use super::filters::join;
use super::values::check_size;
use super::wrap::{Side, check_bytes, lines, padded};
use minijinja::value::{Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

/// Calls a method that a value does not have of itself.
pub(super) fn call(state: &mut State, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    arguments.iter().try_for_each(check_size)?;
    let own = match value.as_str() {
        Some(text) => of_text(state, text, method, arguments),
        None => of_container(value, method, arguments),
    };
    match own {
        Err(error) if error.kind() == ErrorKind::UnknownMethod => {
            pycompat::unknown_method_callback(state, value, method, arguments)
        }
        known => known,
    }
}

/// Methods of a text that pycompat lacks, or does not bound.
fn of_text(state: &mut State, text: &str, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let pad = |side: Side| {
        let mut arguments = Arguments::of(arguments)?;
        let width = i64::try_from(arguments.require("width")?)?;
        let fill = arguments.text("fillchar")?.unwrap_or_else(|| " ".to_owned());
        let mut fills = fill.chars();
        match (fills.next(), fills.next()) {
            (Some(fill), None) => padded(text, width, fill, side),
            _ => Err(wrong("the fill is one character")),
        }
    };
    let all = |test: fn(char) -> bool| {
        let () = from_args(arguments)?;
        Ok(Value::from(!text.is_empty() && text.chars().all(test)))
    };
    let place = |found: Option<usize>| {
        let at = found.and_then(|at| text.get(..at)).ok_or_else(|| wrong("the text is not found"))?;
        Ok(Value::from(at.chars().count()))
    };
    let parts = |parts: [&str; 3]| Ok(Value::from(Tuple::from(parts.map(Value::from).to_vec())));
    match method {
        "join" => {
            let (items,): (&Value,) = from_args(arguments)?;
            join(items, Some(text), None)
        }
        "format" => {
            let bytes = asked_by_format(text);
            check_bytes(bytes)?;
            state.consume_fuel(bytes as u64 / 64)?;
            // By pycompat, as what it asks for is known now.
            Err(Error::from(ErrorKind::UnknownMethod))
        }
        "center" => pad(Side::Both),
        "ljust" => pad(Side::Right),
        "rjust" => pad(Side::Left),
        "zfill" => {
            let (width,): (i64,) = from_args(arguments)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let digits = padded(digits, width.saturating_sub(i64::from(!sign.is_empty())), '0', Side::Left)?;
            Ok(Value::from(format!("{sign}{digits}")))
        }
        "partition" => {
            let (separator,): (&str,) = from_args(arguments)?;
            parts(text.split_once(separator).map_or([text, "", ""], |(before, after)| [before, separator, after]))
        }
        "rpartition" => {
            let (separator,): (&str,) = from_args(arguments)?;
            parts(text.rsplit_once(separator).map_or(["", "", text], |(before, after)| [before, separator, after]))
        }
        "rsplit" => {
            let mut arguments = Arguments::of(arguments)?;
            let separator = arguments.text("sep")?;
            let most = arguments.next("maxsplit")?.map(i64::try_from).transpose()?.and_then(|n| usize::try_from(n).ok());
            arguments.finish()?;
            Ok(Value::from(rsplit(text, separator.as_deref(), most.unwrap_or(usize::MAX))?))
        }
        "splitlines" => {
            let mut arguments = Arguments::of(arguments)?;
            let keep_ends = arguments.flag("keepends")?;
            arguments.finish()?;
            Ok(lines(text, keep_ends).into_iter().map(Value::from).collect())
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Ok(Value::from(text.strip_prefix(prefix).unwrap_or(text)))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Ok(Value::from(text.strip_suffix(suffix).unwrap_or(text)))
        }
        "startswith" | "endswith" if arguments.len() > 1 => {
            let (affix, from, to): (Value, i64, Option<i64>) = from_args(arguments)?;
            let len = text.chars().count();
            // Places before the beginning count from the end.
            let place = |at: i64| usize::try_from(if at < 0 { at.saturating_add_unsigned(len as u64) } else { at }).unwrap_or(0);
            let (from, to) = (place(from), to.map_or(len, place).min(len));
            if from > to {
                return Ok(Value::from(false));
            }
            let part: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
            pycompat::unknown_method_callback(state, &Value::from(part), method, &[affix])
        }
        "swapcase" => {
            let () = from_args(arguments)?;
            let swap =
                |c: char| -> String { if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() } };
            Ok(Value::from(text.chars().map(swap).collect::<String>()))
        }
        "casefold" => {
            let () = from_args(arguments)?;
            Ok(Value::from(text.to_lowercase().replace('ß', "ss")))
        }
        "index" => {
            let (part,): (&str,) = from_args(arguments)?;
            place(text.find(part))
        }
        "rindex" => {
            let (part,): (&str,) = from_args(arguments)?;
            place(text.rfind(part))
        }
        "expandtabs" => {
            let mut arguments = Arguments::of(arguments)?;
            let size = arguments.length("tabsize")?.unwrap_or(8);
            arguments.finish()?;
            check_bytes(text.matches('\t').count().saturating_mul(size).saturating_add(text.len()))?;
            let (mut out, mut column) = (String::new(), 0_usize);
            for c in text.chars() {
                match c {
                    '\t' => {
                        let spaces = column.checked_rem(size).map_or(0, |past| size.saturating_sub(past));
                        out.extend(std::iter::repeat_n(' ', spaces));
                        column = column.saturating_add(spaces);
                    }
                    _ => {
                        out.push(c);
                        column = if matches!(c, '\n' | '\r') { 0 } else { column.saturating_add(1) };
                    }
                }
            }
            Ok(Value::from(out))
        }
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isprintable" => {
            let () = from_args(arguments)?;
            Ok(Value::from(!text.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ')))
        }
        "isidentifier" => {
            let () = from_args(arguments)?;
            let begins = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            Ok(Value::from(begins && text.chars().all(|c| c.is_alphanumeric() || c == '_')))
        }
        "istitle" => {
            let () = from_args(arguments)?;
            Ok(Value::from(is_title(text)))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn of_container(value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    match (method, value.kind()) {
        ("index", ValueKind::Seq) => {
            let (item,): (&Value,) = from_args(arguments)?;
            let place = value.try_iter()?.position(|other| other == *item);
            place.map(Value::from).ok_or_else(|| wrong("the item is not in the list"))
        }
        ("copy", ValueKind::Seq | ValueKind::Map) => {
            let () = from_args(arguments)?;
            Ok(value.clone())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// Whether each word begins with an upper-case letter and goes on with lower-case ones.
fn is_title(text: &str) -> bool {
    let (mut in_word, mut any) = (false, false);
    for c in text.chars() {
        let (upper, lower) = (c.is_uppercase(), c.is_lowercase());
        if upper && in_word || lower && !in_word {
            return false;
        }
        in_word = upper || lower;
        any |= in_word;
    }
    any
}

/// The parts of a text, split from its end at a separator or at white space.
fn rsplit(text: &str, separator: Option<&str>, most: usize) -> Result<Vec<Value>, Error> {
    let mut parts = Vec::new();
    let mut rest = text;
    match separator {
        Some("") => return Err(wrong("an empty separator")),
        Some(separator) => {
            while let Some((before, part)) = rest.rsplit_once(separator).filter(|_| parts.len() < most) {
                parts.push(Value::from(part));
                rest = before;
            }
            parts.push(Value::from(rest));
        }
        None => {
            rest = rest.trim_end();
            while let Some((at, c)) = rest.char_indices().rev().find(|(_, c)| c.is_whitespace()).filter(|_| parts.len() < most) {
                parts.push(Value::from(rest.get(at.saturating_add(c.len_utf8())..).unwrap_or_default()));
                rest = rest.get(..at).unwrap_or_default().trim_end();
            }
            if !rest.is_empty() {
                parts.push(Value::from(rest));
            }
        }
    }
    parts.reverse();
    Ok(parts)
}

/// The most bytes that the widths and precisions in a format ask for; they are numbers in it, since none comes from a value.
fn asked_by_format(format: &str) -> usize {
    let numbers = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers
        .fold(format.len(), |asked, digits| asked.saturating_add(digits.parse::<usize>().unwrap_or(usize::MAX).saturating_mul(4)))
}
