//! Filters that minijinja lacks, or has otherwise than Jinja.

use super::arguments::{Arguments, wrong};
use super::python::float_repr;
use super::values::{MAX_TEXT_BYTES, check_size, guarded, is_namespace, too_large};
use super::{escape, json, wrap};
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value};
use std::fmt;
use std::sync::Arc;

/// Filters of minijinja's own that Jinja does not have.
const NOT_IN_JINJA: [&str; 5] = ["bool", "chain", "lines", "split", "zip"];

/// Puts the filters in place. Those that make texts of lists and maps look at their size before, and those that make lists of
/// lists after, since minijinja charges for neither.
pub(super) fn add(environment: &mut Environment<'static>) {
    for filter in NOT_IN_JINJA {
        environment.remove_filter(filter);
    }
    environment.add_filter("tojson", json::to_json);
    environment.add_filter("string", |value: Value| match value.as_str() {
        Some(_) => Ok(value),
        None => check_size(&value).map(|()| Value::from(text_of(&value))),
    });
    environment.add_filter("pprint", |value: Value| check_size(&value).map(|()| Value::from(format!("{value:?}"))));
    environment.add_filter("join", |value: &Value, arguments: Rest<ValueOrKwargs>| {
        let mut arguments = Arguments::new(arguments)?;
        let (joiner, attribute) = (arguments.text("d")?, arguments.next("attribute")?);
        arguments.finish()?;
        join(value, joiner.as_deref(), attribute.as_ref())
    });
    environment.add_filter("escape", |value: &Value| check_size(value).map(|()| escape::escape(value)));
    environment.add_filter("e", |value: &Value| check_size(value).map(|()| escape::escape(value)));
    environment.add_filter("forceescape", |value: &Value| check_size(value).map(|()| escape::force_escape(value)));
    environment.add_filter("urlencode", |value: &Value| check_size(value).and_then(|()| escape::urlencode(value)));
    environment.add_filter("striptags", |value: &Value| check_size(value).map(|()| escape::striptags(value)));
    environment.add_filter("xmlattr", |value: &Value, autospace: Option<bool>| {
        check_size(value).and_then(|()| escape::xmlattr(value, autospace))
    });
    environment.add_filter("indent", |value: &Value, arguments: Rest<ValueOrKwargs>| {
        check_size(value).and_then(|()| wrap::indent(value, arguments))
    });
    environment
        .add_filter("center", |value: &Value, width: Option<i64>| check_size(value).and_then(|()| wrap::center(value, width)));
    environment.add_filter("truncate", |value: &Value, arguments: Rest<ValueOrKwargs>| {
        check_size(value).and_then(|()| wrap::truncate(value, arguments))
    });
    environment.add_filter("wordcount", |value: &Value| check_size(value).map(|()| wrap::wordcount(value)));
    environment.add_filter("wordwrap", |value: &Value, arguments: Rest<ValueOrKwargs>| {
        check_size(value).and_then(|()| wrap::wordwrap(value, arguments))
    });
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("batch", |state: &State, value: Value, count: usize, fill: Option<Value>| {
        minijinja::filters::batch(state, value, count, fill.filter(|fill| !fill.is_none()))
            .and_then(|lists| guarded(state, lists))
    });
    environment.add_filter("slice", |state: &State, value: Value, count: usize, fill: Option<Value>| {
        minijinja::filters::slice(state, value, count, fill.filter(|fill| !fill.is_none()))
            .and_then(|lists| guarded(state, lists))
    });
    environment.add_filter("groupby", groupby);
    environment.add_filter("dictsort", |state: &State, value: &Value, arguments: Rest<ValueOrKwargs>| {
        let mut arguments = Arguments::new(arguments)?;
        let mut options = Vec::new();
        for name in ["case_sensitive", "by", "reverse"] {
            options.extend(arguments.next(name)?.map(|value| (name, value)));
        }
        arguments.finish()?;
        state.consume_fuel(value.len().unwrap_or(0) as u64 * 8)?;
        minijinja::filters::dictsort(value, Kwargs::from_iter(options))
    });
    for name in ["default", "d"] {
        environment.add_filter(name, |value: Value, arguments: Rest<ValueOrKwargs>| {
            let mut arguments = Arguments::new(arguments)?;
            let default = arguments.next("default_value")?.unwrap_or_else(|| Value::from(""));
            let is_missing = value.is_undefined() || arguments.flag("boolean")? && !value.is_true();
            arguments.finish()?;
            Ok(if is_missing { default } else { value })
        });
    }
    environment.add_filter("int", int);
    environment.add_filter("float", |value: Value, default: Option<Value>| {
        let number = match value.as_str() {
            Some(text) => text.trim().replace('_', "").parse::<f64>().ok(),
            None => f64::try_from(value).ok(),
        };
        number.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from)
    });
    // What a map holds is no attribute of it.
    environment.add_filter("attr", |value: &Value, name: &str| match value.kind() {
        ValueKind::Map if !is_namespace(value) => Ok(Value::UNDEFINED),
        _ => value.get_attr(name),
    });
    environment.add_test("sequence", |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String));
    environment.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
}

/// The `join` of Jinja and of Python's texts, which stops before the text becomes too long.
pub(super) fn join(value: &Value, joiner: Option<&str>, attribute: Option<&Value>) -> Result<Value, Error> {
    let mut text = String::new();
    for (i, item) in value.try_iter()?.enumerate() {
        let item = match attribute {
            Some(path) => attribute_of(&item, path)?,
            None => item,
        };
        check_size(&item)?;
        if i > 0 {
            text.push_str(joiner.unwrap_or_default());
        }
        text.push_str(&item.to_string());
        if text.len() > MAX_TEXT_BYTES || i >= MAX_TEXT_BYTES / 8 {
            return Err(too_large());
        }
    }
    Ok(Value::from(text))
}

/// A value as it is written into a prompt.
pub(super) fn text_of(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if value.is_number() && !value.is_integer() => float_repr(number),
        _ => value.to_string(),
    }
}

/// `int(default=0, base=10)`: of a text what it begins to be as Python reads it, or the default.
fn int(value: Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let default = arguments.next("default")?.unwrap_or_else(|| Value::from(0));
    let base = arguments.length("base")?.unwrap_or(10);
    arguments.finish()?;
    let truncated = |number: f64| (number.is_finite() && number.abs() < 1e18).then_some(number.trunc() as i64);
    let number = match value.as_str() {
        Some(text) => {
            let text = text.trim().replace('_', "").to_lowercase();
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            let prefix =
                [(16, "0x"), (8, "0o"), (2, "0b")].into_iter().find(|(of, _)| *of == base).map_or("", |(_, prefix)| prefix);
            let digits = digits.strip_prefix(prefix).unwrap_or(digits);
            let radix =
                u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or_else(|| wrong("a base that is none"))?;
            let whole = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok();
            whole.or_else(|| text.parse().ok().and_then(truncated))
        }
        None if value.is_integer() => return Ok(value),
        None => f64::try_from(value).ok().and_then(truncated),
    };
    Ok(number.map_or(default, Value::from))
}

/// What Jinja's filters find by an attribute: a name, a number, or several with dots between them.
fn attribute_of(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(path) = path.as_str() else { return value.get_item(path) };
    path.split('.').try_fold(value.clone(), |value, part| match part.parse::<i64>() {
        Ok(index) => value.get_item(&Value::from(index)),
        Err(_) => value.get_attr(part),
    })
}

/// `filesizeformat(binary=False)`.
fn filesizeformat(value: &Value, binary: Option<bool>) -> Result<Value, Error> {
    let bytes = match value.as_str() {
        Some(text) => text.trim().parse::<f64>().map_err(|_| wrong(format!("{text:?} is no number")))?,
        None => f64::try_from(value.clone())?,
    };
    let (base, units) = if binary.unwrap_or(false) {
        (1024_f64, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
    } else {
        (1000_f64, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes.trunc())));
    }
    let (mut size, mut unit) = (bytes / base, "");
    for (i, next) in units.into_iter().enumerate() {
        unit = next;
        if size < base || i + 1 == units.len() {
            break;
        }
        size /= base;
    }
    Ok(Value::from(format!("{size:.1} {unit}")))
}

/// `groupby(attribute, default=None, case_sensitive=False)`.
fn groupby(state: &State, value: Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut arguments = Arguments::new(arguments)?;
    let attribute = arguments.require("attribute")?.to_string();
    let default = arguments.next("default")?.unwrap_or_default();
    let case_sensitive = arguments.flag("case_sensitive")?;
    arguments.finish()?;
    state.consume_fuel(value.len().unwrap_or(0) as u64)?;
    let options = Kwargs::from_iter([("default", default), ("case_sensitive", Value::from(case_sensitive))]);
    let groups = minijinja::filters::groupby(value, Some(&attribute), options)?;
    let mut lists = Vec::new();
    for group in groups.try_iter()? {
        let list: Vec<Value> = group.get_item(&Value::from(1))?.try_iter()?.collect();
        lists.push(Value::from_object(Group { grouper: group.get_item(&Value::from(0))?, list: Value::from(list) }));
    }
    guarded(state, Value::from(lists))
}

/// Items with the same value of an attribute: a pair whose parts have names too.
#[derive(Debug)]
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), None) | (None, Some("grouper")) => Some(self.grouper.clone()),
            (Some(1), None) | (None, Some("list")) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:?}, {:?})", self.grouper, self.list)
    }
}
