//! The filters that lay out a text, as Jinja has them.

use super::arguments::{Arguments, wrong};
use super::values::{MAX_TEXT_BYTES, too_large};
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Error, Value};

/// Refuses what would make a text longer than any may be.
pub(super) fn check_bytes(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_TEXT_BYTES { Err(too_large()) } else { Ok(()) }
}

/// Lines as Python's `splitlines` has them, with or without what ends them.
pub(super) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let is_end =
        |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_end) {
        let (line, end) = rest.split_at(at);
        let len = if end.starts_with("\r\n") { 2 } else { end.chars().next().map_or(1, char::len_utf8) };
        let (whole, after) = rest.split_at(at.saturating_add(len));
        lines.push(if keep_ends { whole } else { line });
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// `indent(width=4, first=False, blank=False)`; the width may be a text.
pub(super) fn indent(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let indention = match arguments.next("width")? {
        None => "    ".to_owned(),
        Some(text) if text.as_str().is_some() => text.as_str().unwrap_or_default().to_owned(),
        Some(width) => {
            let width = usize::try_from(i64::try_from(width)?).unwrap_or(0);
            check_bytes(width)?;
            " ".repeat(width)
        }
    };
    let (first, blank) = (arguments.flag("first")?, arguments.flag("blank")?);
    arguments.finish()?;
    // So that a text that ends with an end of line has an empty last line.
    let text = value.to_string() + "\n";
    let lines = lines(&text, false);
    check_bytes(lines.len().saturating_mul(indention.len()).saturating_add(text.len()))?;
    let mut out = String::new();
    for (i, line) in lines.into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let is_indented = if i == 0 { first } else { blank || !line.is_empty() };
        if is_indented {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(if value.is_safe() { Value::from_safe_string(out) } else { Value::from(out) })
}

/// `center(width=80)`.
pub(super) fn center(value: &Value, width: Option<i64>) -> Result<Value, Error> {
    padded(&value.to_string(), width.unwrap_or(80), ' ', Side::Both)
}

/// Where a padded text gets its padding.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
    Both,
}

/// A text with so many characters at least, as Python pads it.
pub(super) fn padded(text: &str, width: i64, fill: char, side: Side) -> Result<Value, Error> {
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    check_bytes(missing.saturating_mul(fill.len_utf8()).saturating_add(text.len()))?;
    let left = match side {
        Side::Left => missing,
        Side::Right => 0,
        // What is odd goes to the left where the width is.
        Side::Both => missing / 2 + (missing & width & 1),
    };
    let pad = |n: usize| std::iter::repeat_n(fill, n);
    Ok(Value::from(pad(left).chain(text.chars()).chain(pad(missing.saturating_sub(left))).collect::<String>()))
}

/// `truncate(length=255, killwords=False, end='...', leeway=5)`.
pub(super) fn truncate(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let length = arguments.length("length")?.unwrap_or(255);
    let kill_words = arguments.flag("killwords")?;
    let end = arguments.text("end")?.unwrap_or_else(|| "...".to_owned());
    let leeway = arguments.length("leeway")?.unwrap_or(5);
    arguments.finish()?;
    let kept =
        length.checked_sub(end.chars().count()).ok_or_else(|| wrong(format!("a length of {length} is shorter than {end:?}")))?;
    let text = value.to_string();
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let cut: String = text.chars().take(kept).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    Ok(Value::from(format!("{}{end}", if kill_words { &cut } else { whole_words })))
}

/// `wordcount`: runs of what words are made of.
pub(super) fn wordcount(value: &Value) -> Value {
    let text = value.to_string();
    Value::from(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count())
}

/// `wordwrap(width=79, break_long_words=True, wrapstring=None, break_on_hyphens=True)`, each line of the text for itself.
pub(super) fn wordwrap(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let width = arguments.length("width")?.unwrap_or(79);
    let break_long_words = arguments.next("break_long_words")?.is_none_or(|value| value.is_true());
    let wrapstring = arguments.text("wrapstring")?.unwrap_or_else(|| "\n".to_owned());
    let break_on_hyphens = arguments.next("break_on_hyphens")?.is_none_or(|value| value.is_true());
    arguments.finish()?;
    if width == 0 {
        return Err(wrong("a width of 0"));
    }
    let text = value.to_string();
    check_bytes(text.len().saturating_mul(wrapstring.len().saturating_add(1)))?;
    let wrapped =
        lines(&text, false).into_iter().map(|line| wrap(line, width, break_long_words, break_on_hyphens).join(&wrapstring));
    Ok(Value::from(wrapped.collect::<Vec<_>>().join(&wrapstring)))
}

/// A line as several of at most so many characters, as Python's `textwrap` fills them.
fn wrap(line: &str, width: usize, break_long_words: bool, break_on_hyphens: bool) -> Vec<String> {
    let (mut wrapped, mut current, mut current_len) = (Vec::new(), Vec::<&str>::new(), 0_usize);
    let mut chunks = chunks(line, break_on_hyphens);
    chunks.reverse();
    let is_space = |chunk: &&str| chunk.trim().is_empty();
    let end = |current: &mut Vec<&str>, wrapped: &mut Vec<String>| {
        if current.last().is_some_and(is_space) {
            current.pop();
        }
        if !current.is_empty() {
            wrapped.push(current.concat());
        }
        current.clear();
    };
    while let Some(chunk) = chunks.pop() {
        if current.is_empty() && !wrapped.is_empty() && is_space(&chunk) {
            continue;
        }
        let len = chunk.chars().count();
        if current_len.saturating_add(len) <= width {
            current.push(chunk);
            current_len = current_len.saturating_add(len);
            continue;
        }
        if len > width && (break_long_words || current.is_empty()) {
            let room = if break_long_words { width.saturating_sub(current_len) } else { len };
            let at = chunk.char_indices().nth(room).map_or(chunk.len(), |(at, _)| at);
            let (now, later) = chunk.split_at(at);
            current.push(now);
            if !later.is_empty() {
                chunks.push(later);
            }
        } else {
            chunks.push(chunk);
        }
        end(&mut current, &mut wrapped);
        current_len = 0;
    }
    end(&mut current, &mut wrapped);
    wrapped
}

/// A line's words, cut after hyphens between letters, and the space between them.
fn chunks(line: &str, break_on_hyphens: bool) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut before: [Option<char>; 2] = [None, None];
    for (at, c) in line.char_indices() {
        let [two, one] = before;
        let turns = one.is_some_and(|one| one.is_whitespace() != c.is_whitespace());
        let hyphen = break_on_hyphens && one == Some('-') && two.is_some_and(char::is_alphabetic) && c.is_alphabetic();
        if turns || hyphen {
            chunks.extend(line.get(start..at));
            start = at;
        }
        before = [one, Some(c)];
    }
    chunks.extend(line.get(start..).filter(|rest| !rest.is_empty()));
    chunks
}
