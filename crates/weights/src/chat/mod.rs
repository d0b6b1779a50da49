//! How a conversation becomes a prompt: the Jinja template that comes with a model.

mod guard;

use crate::WeightsError;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io;

/// Work that rendering may take. minijinja counts about one for each instruction and each 64 bytes made, so that this bounds
/// time (a few milliseconds) and memory (64 MB) of a template that means ill; the longest known template takes 1 % of it for
/// a conversation of a hundred messages.
const FUEL: u64 = 1_000_000;
/// Longest template; the longest known ones have 20 KB.
const MAX_TEMPLATE_BYTES: usize = 256 << 10;
/// Depth of nesting in a template.
const RECURSION_LIMIT: usize = 50;
/// Longest text that a list or map may become.
const MAX_TEXT_BYTES: usize = 8 << 20;
/// What anything but a text takes in it.
const NODE_BYTES: usize = 8;
/// Deepest nesting of one.
const MAX_DEPTH: usize = 64;
/// Filters that make lists of lists, or texts of any width, without their size being looked at. No known template uses them.
const REMOVED_FILTERS: [&str; 8] = ["batch", "chain", "format", "groupby", "indent", "pprint", "slice", "zip"];
/// Items that a list or map in a template may have, counting those in them.
const MAX_ITEMS: usize = 1 << 16;
const NAME: &str = "chat";

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who says it: `system`, `user` or `assistant`, as the template knows them.
    pub role: String,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message of that role and content.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Message {
        Message { role: role.into(), content: content.into() }
    }
}

/// A compiled chat template.
///
/// Templates come with model files and are not trusted: they see nothing but the messages, and their work is limited.
pub struct ChatTemplate {
    file: String,
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChatTemplate({})", self.file)
    }
}

impl ChatTemplate {
    /// Compiles a template, which may use the texts of the tokens that begin and end a sequence.
    ///
    /// # Errors
    /// When it is no Jinja, with the line.
    pub fn new(file: &str, template: &str, bos_token: String, eos_token: String) -> Result<ChatTemplate, WeightsError> {
        if template.len() > MAX_TEMPLATE_BYTES {
            return Err(WeightsError::TooLarge {
                file: file.to_owned(),
                what: "a chat template",
                found: template.len() as u64,
                limit_bytes: MAX_TEMPLATE_BYTES as u64,
            });
        }
        let wrong = |error: &Error| WeightsError::ChatTemplate { file: file.to_owned(), reason: describe(error) };
        let mut environment = Environment::new();
        // As transformers' `apply_chat_template` sets up Jinja.
        environment
            .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(|error| wrong(&error))?);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_unknown_method_callback(|state, value, method, args| {
            match (method, value.as_str(), args) {
                ("join", Some(joiner), [items]) => return join(items, Some(joiner), None),
                // It pads to any width.
                ("format", ..) => return Err(Error::from(ErrorKind::UnknownMethod)),
                _ => {}
            }
            args.iter().try_for_each(check_size)?;
            minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
        });
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", to_json);
        // What turns lists and maps into text is charged for only when it is done; so these look at their size before.
        environment.set_formatter(|out, state, value| {
            check_size(value)?;
            minijinja::escape_formatter(out, state, value)
        });
        environment.add_filter("join", |value: &Value, joiner: Option<&str>, attribute: Option<&str>, options: Kwargs| {
            let named = (options.get("d")?, options.get("attribute")?);
            options.assert_all_used()?;
            join(value, joiner.or(named.0), attribute.or(named.1))
        });
        environment.add_filter("string", |value: Value| check_size(&value).map(|()| Value::from(value.to_string())));
        environment.add_function(guard::GUARD, guarded);
        environment.add_function(guard::STORED, stored);
        for filter in REMOVED_FILTERS {
            environment.remove_filter(filter);
        }
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_LIMIT);
        let guarded_template =
            guard::guard(template).map_err(|reason| WeightsError::ChatTemplate { file: file.to_owned(), reason })?;
        environment.add_template_owned(NAME, guarded_template).map_err(|error| wrong(&error))?;
        Ok(ChatTemplate { file: file.to_owned(), environment, bos_token, eos_token })
    }

    /// The prompt for a conversation; `add_generation_prompt` ends it where the assistant's answer begins.
    ///
    /// # Errors
    /// When the template refuses the conversation, fails, or takes too much work.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String, WeightsError> {
        let messages = messages.iter().map(|m| Value::from_pairs([("role", m.role.as_str()), ("content", m.content.as_str())]));
        let messages: Value = messages.collect();
        let render = || {
            self.environment.get_template(NAME)?.render(context! {
                messages,
                add_generation_prompt,
                bos_token => self.bos_token.as_str(),
                eos_token => self.eos_token.as_str(),
            })
        };
        render().map_err(|error| WeightsError::ChatTemplate { file: self.file.clone(), reason: describe(&error) })
    }
}

fn describe(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{error}{line}")
}

/// JSON as Python's `json.dumps(ensure_ascii=False)` writes it, which is what templates are written for: without HTML escapes.
fn to_json(state: &mut State, value: Value, options: Kwargs) -> Result<Value, Error> {
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
fn join(value: &Value, joiner: Option<&str>, attribute: Option<&str>) -> Result<Value, Error> {
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

/// What [`guard::guard`] puts around what builds a container: refuses a large or deep one, and charges for looking.
fn guarded(state: &State, value: Value) -> Result<Value, Error> {
    let items = walk(&value, MAX_ITEMS, |_| Ok(()))?;
    state.consume_fuel(items as u64 / 8)?;
    Ok(value)
}

/// What [`guard::guard`] puts around what is stored in a namespace: the same, and no namespace may be in it.
fn stored(state: &State, value: Value) -> Result<Value, Error> {
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
fn check_size(value: &Value) -> Result<(), Error> {
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

/// The current day in UTC, in the directives that templates use for it.
fn strftime_now(format: &str) -> String {
    let since_epoch = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH).unwrap_or_default();
    strftime(format, since_epoch.as_secs())
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// `strftime` for a moment in UTC; directives that are not known stay as they are.
fn strftime(format: &str, seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let month_name = MONTHS.get(month.saturating_sub(1) as usize).copied().unwrap_or_default();
    // 1 January 1970 was a Thursday.
    let weekday = WEEKDAYS.get((days % 7) as usize).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let mut text = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('Y') => text.push_str(&year.to_string()),
            Some('y') => text.push_str(&format!("{:02}", year % 100)),
            Some('m') => text.push_str(&format!("{month:02}")),
            Some('d') => text.push_str(&format!("{day:02}")),
            Some('B') => text.push_str(month_name),
            Some('b') => text.push_str(short(month_name)),
            Some('A') => text.push_str(weekday),
            Some('a') => text.push_str(short(weekday)),
            Some('H') => text.push_str(&format!("{:02}", second / 3600)),
            Some('M') => text.push_str(&format!("{:02}", second / 60 % 60)),
            Some('S') => text.push_str(&format!("{:02}", second % 60)),
            Some('%') => text.push('%'),
            Some(other) => text.extend(['%', other]),
            None => text.push('%'),
        }
    }
    text
}

/// Year, month and day of a day counted from 1 January 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days.saturating_add(719_468);
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, messages: &[Message]) -> Result<String, WeightsError> {
        ChatTemplate::new("f", template, "<s>".to_owned(), "</s>".to_owned()).and_then(|t| t.render(messages, true))
    }

    #[test]
    fn a_template_sees_messages_and_tokens() {
        let template = "{{ bos_token }}{% for m in messages %}\n[{{ m['role'] }}] {{ m.content.strip() }}{{ eos_token }}\n{% endfor %}\n\
                        {% if add_generation_prompt %}go{% endif %}";
        let text = render(template, &[Message::new("user", "  Hi <b>  "), Message::new("assistant", "Ho")]).unwrap();
        assert_eq!(text, "<s>[user] Hi <b></s>\n[assistant] Ho</s>\ngo");
    }

    #[test]
    fn a_template_can_refuse() {
        let error = render(
            "{% if messages[0].role != 'user' %}{{ raise_exception('users first') }}{% endif %}",
            &[Message::new("x", "")],
        );
        assert!(error.unwrap_err().to_string().contains("users first"));
    }

    #[test]
    fn json_is_written_as_python_does() {
        assert_eq!(render("{{ {'a': [1, 'x<é', none, true]} | tojson }}", &[]).unwrap(), r#"{"a": [1, "x<é", null, true]}"#);
        assert_eq!(render("{{ [1] | tojson(indent=2) }}", &[]).unwrap(), "[\n  1\n]");
    }

    #[test]
    fn days_are_dates() {
        let format = "%Y-%m-%d %B %b %a %H:%M:%S 100%% %q %y %A";
        assert_eq!(strftime(format, 0), "1970-01-01 January Jan Thu 00:00:00 100% %q 70 Thursday");
        assert_eq!(strftime(format, 951_782_399), "2000-02-28 February Feb Mon 23:59:59 100% %q 00 Monday");
        assert_eq!(strftime("%d %b %Y%", 951_868_800), "01 Mar 2000%");
        assert_eq!(strftime("%d %b %Y", 1_735_603_200), "31 Dec 2024");
        assert_eq!(render("{{ strftime_now('%Y') }}", &[]).unwrap().len(), 4);
    }

    #[test]
    fn a_template_that_means_ill_ends_with_an_error() {
        for ill in [
            "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'x' * 1000000000 }}",
            "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
            "{{ range(1000000000) | list }}",
            "{{ 'x'.replace('x', 'x' * 100000).replace('x', 'x' * 100000) }}",
            "{% include 'chat' %}",
            "{{ '%0900000000d' | format(1) }}",
            "{{ 'a'.ljust(1000000000) }}",
            "{{ ['x' * 60000] * 60000 | join | tojson }}",
            "{{ (['x' * 60000] * 60000) | join }}",
            "{{ (['x' * 6000] * 6000) | tojson }}",
            "{{ ''.join(['x' * 60000] * 60000) }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | string }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = {'a': ns.s, 'b': ns.s} %}{% endfor %}{{ ns.s | tojson }}",
            "{% set ns = namespace(s=[]) %}{% for i in range(10000) %}{% for j in range(100) %}{% set ns.s = [ns.s] %}{% endfor %}\
             {% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[]) %}{% for i in range(200) %}{% for j in range(100) %}{% set ns.s = [ns.s] %}{% endfor %}\
             {% endfor %}{{ ns.s | tojson }}",
            "{% set ns = namespace(s='x', t='x') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}\
             {% endfor %}{{ ns.s == ns.t }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = {'a': ns.s, 'b': ns.s} %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = dict(a=ns.s, b=ns.s) %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s=0) %}{% set ns.s = ns %}{{ ns }}",
            "{% set ns = namespace(s=0) %}{% set ns.s = ns %}{{ ns ~ '' }}",
            "{% set ns = namespace(s=0) %}{% for i in range(10000) %}{% set ns.s = namespace(s=ns.s) %}{% endfor %}{{ ns }}",
            "{% macro m(x) %}{{ m([x, x]) }}{% endmacro %}{{ m('x') }}",
            "{{ ([1] * 1000000000) ~ '' }}",
            "{{ '{:>900000000}'.format('x') }}",
            "{{ '{:.900000000f}'.format(1.5) }}",
            "{{ 'x'.replace('', 'x' * 1000).replace('', 'x' * 1000).replace('', 'x' * 1000) }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | join }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | sort }}",
        ] {
            let start = std::time::Instant::now();
            let result = render(ill, &[]);
            assert!(matches!(result, Err(WeightsError::ChatTemplate { .. })), "{ill}: {} bytes", result.unwrap().len());
            assert!(start.elapsed().as_secs() < 5, "{ill} took {:?}", start.elapsed());
        }
    }

    /// A parser that follows the nesting of a template must not follow it beyond its stack.
    #[test]
    fn a_long_or_deeply_nested_template_is_compiled_or_refused() {
        for n in [900, 20_000] {
            for (kind, template) in [
                ("lists", format!("{{{{ {} }}}}", "[".repeat(n))),
                ("closed lists", format!("{{{{ {}{} }}}}", "[".repeat(n), "]".repeat(n))),
                ("parentheses", format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n))),
                ("maps", format!("{{{{ {}1{} }}}}", "{1:".repeat(n), "}".repeat(n))),
                ("negations", format!("{{{{ {}x }}}}", "not ".repeat(n))),
                ("minuses", format!("{{{{ {}1 }}}}", "-".repeat(n))),
                ("attributes", format!("{{{{ x{} }}}}", ".x".repeat(n))),
                ("indices", format!("{{{{ x{} }}}}", "[0]".repeat(n))),
                ("calls", format!("{{{{ x{} }}}}", "()".repeat(n))),
                ("filters", format!("{{{{ x{} }}}}", "|list".repeat(n))),
                ("tests", format!("{{{{ x{} }}}}", " is defined".repeat(n))),
                ("sums", format!("{{{{ 1{} }}}}", "+1".repeat(n))),
                ("texts", format!("{{{{ 1{} }}}}", "~1".repeat(n))),
                ("ands", format!("{{{{ 1{} }}}}", " and 1".repeat(n))),
                ("powers", format!("{{{{ 1{} }}}}", "**1".repeat(n))),
                ("comparisons", format!("{{{{ 1{} }}}}", "<1".repeat(n))),
                ("ternaries", format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(n))),
                ("ifs", format!("{}{}", "{% if 1 %}".repeat(n), "{% endif %}".repeat(n))),
                ("elifs", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(n))),
                ("ifs without spaces", format!("{}{}", "{%if(1)%}".repeat(n), "{%endif%}".repeat(n))),
                ("fors", format!("{}{}", "{% for i in x %}".repeat(n), "{% endfor %}".repeat(n))),
                ("macros", format!("{}{}", "{% macro m() %}".repeat(n), "{% endmacro %}".repeat(n))),
                ("targets", format!("{{% for {}a{} in x %}}{{% endfor %}}", "(".repeat(n), ",)".repeat(n))),
            ] {
                println!("{kind}");
                let start = std::time::Instant::now();
                let _ = render(&template, &[]);
                assert!(start.elapsed().as_secs() < 5, "{kind} took {:?}", start.elapsed());
            }
        }
    }

    #[test]
    fn what_is_no_template_is_told_with_the_line() {
        let error = ChatTemplate::new("f.jinja", "{% if x %}\n{{ }\n", String::new(), String::new()).unwrap_err();
        assert!(error.to_string().starts_with("f.jinja: chat template:") && error.to_string().contains("line 2"), "{error}");
    }
}
