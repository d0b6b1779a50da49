//! Bounds what a template can build.
//!
//! minijinja's fuel bounds instructions and bytes, but not nesting: lists share their items, so that `[x, x]` in a loop makes in
//! thirty steps what takes a billion to compare, and in a hundred thousand what overflows the stack when it is dropped. Nothing
//! in minijinja looks at a value while it is built. So every expression that builds a container is wrapped, in the template's
//! text, in a call of [`GUARD`] that does; so is every product, since a list times a number is one that repeats the list without
//! building it; and what is stored in a namespace, in a call of [`STORED`].
//!
//! On the way `{% generation %}`, which marks an answer's words for training, becomes a block that does nothing.

use std::ops::Range;

/// Name of the function that checks its argument's size and returns it. No template may use it itself.
pub(super) const GUARD: &str = "_guarded_";
/// Name of the function that refuses an argument with a namespace in it, and returns any other. What is stored in a namespace
/// goes through it, for a namespace that holds itself has no end.
pub(super) const STORED: &str = "_stored_";
const OPEN_GUARD: &str = "_guarded_(";
const OPEN_STORED: &str = "_stored_(";

/// What a template may have, since minijinja's parser follows its structure by recursion: words and signs in one tag (real ones
/// have up to a hundred), blocks within blocks, and alternatives in all.
const MAX_TOKENS: usize = 1000;
const MAX_BLOCKS: usize = 64;
const MAX_ALTERNATIVES: usize = 500;
/// What opens a block that an `end…` closes; `set` does without a value.
const BLOCKS: [&str; 9] = ["if", "for", "macro", "call", "filter", "with", "block", "autoescape", "generation"];

/// Words after which a bracket begins a value and does not index or call one.
const WORDS_BEFORE_VALUES: [&str; 11] = ["in", "if", "elif", "else", "and", "or", "not", "is", "set", "for", "with"];
/// Words after a value that do not go on with it.
const WORDS_AFTER_VALUES: [&str; 8] = ["in", "if", "else", "and", "or", "not", "recursive", "for"];
/// Functions whose calls build containers.
const BUILDERS: [&str; 2] = ["namespace", "dict"];

/// What stood before a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Something that begins or continues an expression: the bracket begins a value.
    Operator,
    /// A value: the bracket indexes or calls it.
    Value,
    /// The name of a function that builds a container, which begins there.
    Builder(usize),
}

/// An open bracket.
struct Open {
    at: usize,
    bracket: u8,
    before: Before,
    /// Whether there was a comma directly inside, which makes a tuple of parentheses.
    comma: bool,
    /// What stands around it.
    around: Chain,
}

/// Values joined by `*`, `/`, `//` and `%`, which bind alike; a value has its calls, indices, filters and tests with it.
#[derive(Default)]
struct Chain {
    start: Option<usize>,
    end: usize,
    is_product: bool,
}

impl Chain {
    /// A part of a value, which begins or goes on with the chain.
    fn push(&mut self, start: usize, end: usize) {
        self.start.get_or_insert(start);
        self.end = end;
    }

    /// Ends the chain, and guards it if it is a product.
    fn finish(&mut self, places: &mut Vec<Place>) {
        let Chain { start, end, is_product } = std::mem::take(self);
        if let Some(start) = start.filter(|_| is_product) {
            places.push(insert(start, OPEN_GUARD));
            places.push(insert(end, ")"));
        }
    }
}

/// A stretch of the template, and what stands in its place.
type Place = (Range<usize>, &'static str);

fn insert(at: usize, text: &'static str) -> Place {
    (at..at, text)
}

/// The template with every literal list, map and tuple and every call of a builder inside a call of [`GUARD`].
///
/// # Errors
/// A reason, when the template uses what cannot be guarded.
pub(super) fn guard(template: &str) -> Result<String, String> {
    if let Some(name) = [GUARD, STORED].into_iter().find(|name| template.contains(name)) {
        return Err(format!("{name} is not a name for templates"));
    }
    let mut places: Vec<Place> = Vec::new();
    let (mut at, mut blocks, mut alternatives) = (0, 0_usize, 0_usize);
    while let Some((start, tag)) = next_tag(template, at) {
        let close = match tag {
            Tag::Comment => {
                at = find(template, start, "#}").unwrap_or(template.len());
                continue;
            }
            Tag::Expression => "}}",
            Tag::Statement => "%}",
        };
        at = guard_tag(template, start, close, &mut places)?;
        let inside = template.get(start..at).unwrap_or_default();
        let (word_at, word) = first_word(inside).filter(|_| tag == Tag::Statement).unwrap_or_default();
        let word_at = start.saturating_add(word_at);
        let replace = |with| (word_at..word_at.saturating_add(word.len()), with);
        match word {
            "generation" => places.push(replace("with")),
            "endgeneration" => places.push(replace("endwith")),
            _ => {}
        }
        match word {
            // What stands between `{% raw %}` and `{% endraw %}` is text.
            "raw" => at = find(template, at, "endraw").unwrap_or(template.len()),
            "set" if !inside.contains('=') => blocks = blocks.saturating_add(1),
            "elif" => alternatives = alternatives.saturating_add(1),
            word if BLOCKS.contains(&word) => blocks = blocks.saturating_add(1),
            word if word.starts_with("end") => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        if blocks > MAX_BLOCKS || alternatives > MAX_ALTERNATIVES {
            return Err(format!("more than {MAX_BLOCKS} blocks in one another or {MAX_ALTERNATIVES} alternatives"));
        }
    }
    places.sort_by_key(|(range, _)| range.start);
    let mut guarded = String::with_capacity(template.len());
    let mut from = 0;
    for (range, inserted) in places {
        guarded.push_str(template.get(from..range.start).unwrap_or_default());
        guarded.push_str(inserted);
        from = range.end;
    }
    guarded.push_str(template.get(from..).unwrap_or_default());
    Ok(guarded)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Comment,
    Expression,
    Statement,
}

/// Where the inside of the next tag begins.
fn next_tag(template: &str, from: usize) -> Option<(usize, Tag)> {
    let rest = template.get(from..)?;
    let (at, _) = rest.match_indices('{').find(|(at, _)| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')))?;
    let start = from + at + 2;
    Some(match template.as_bytes().get(start - 1) {
        Some(b'#') => (start, Tag::Comment),
        Some(b'%') => (start, Tag::Statement),
        _ => (start, Tag::Expression),
    })
}

fn find(template: &str, from: usize, what: &str) -> Option<usize> {
    Some(from + template.get(from..)?.find(what)?)
}

/// The word that a tag begins with, and where.
fn first_word(inside: &str) -> Option<(usize, &str)> {
    let rest = inside.trim_start_matches(['-', '+']).trim_start();
    Some((inside.len().saturating_sub(rest.len()), rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?))
}

/// Length of the number that a text begins with.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let run =
        |from: usize, digits: fn(&u8) -> bool| bytes.get(from..).unwrap_or_default().iter().take_while(|b| digits(b)).count();
    let decimal: fn(&u8) -> bool = |b| b.is_ascii_digit() || *b == b'_';
    if byte(0) == b'0' && matches!(byte(1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') {
        return run(2, |b| b.is_ascii_hexdigit() || *b == b'_').saturating_add(2);
    }
    let mut len = run(0, decimal);
    if byte(len) == b'.' && byte(len + 1).is_ascii_digit() {
        len += 1 + run(len + 1, decimal);
    }
    let sign = usize::from(matches!(byte(len + 1), b'+' | b'-'));
    if matches!(byte(len), b'e' | b'E') && byte(len + 1 + sign).is_ascii_digit() {
        len += 1 + sign + run(len + 1 + sign, decimal);
    }
    len
}

/// Whether a place is that of an attribute's name.
fn after_dot(template: &str, at: usize) -> bool {
    template.get(..at).is_some_and(|before| before.trim_ascii_end().ends_with('.'))
}

/// Finds what to guard in the tag that begins at `start`; returns where it ends.
fn guard_tag(template: &str, start: usize, close: &str, places: &mut Vec<Place>) -> Result<usize, String> {
    let bytes = template.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut before = Before::Operator;
    // In `for (a, b) in` and `set (a, b) =` parentheses hold names to assign to.
    let mut in_target = false;
    // In `set a.b =` the target is an attribute of a namespace, and what follows is stored in it.
    let (mut attribute, mut stores) = (false, false);
    let mut chain = Chain::default();
    // Whether a word names a test, as after `is` and `is not`.
    let mut is_test = false;
    let mut at = start;
    let mut tokens = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        let rest = template.get(at..).unwrap_or_default();
        if open.is_empty() && rest.starts_with(close) {
            chain.finish(places);
            if stores {
                // A minus or plus before the end belongs to it.
                let control = at.checked_sub(1).filter(|&i| matches!(bytes.get(i), Some(b'-' | b'+')));
                places.push(insert(control.unwrap_or(at), ")"));
            }
            return Ok(at);
        }
        let begin = at;
        at += 1;
        tokens = tokens.saturating_add(usize::from(!byte.is_ascii_whitespace()));
        if tokens > MAX_TOKENS {
            return Err(format!("more than {MAX_TOKENS} words and signs in one tag"));
        }
        match byte {
            b'\'' | b'"' => {
                while let Some(&next) = bytes.get(at) {
                    if next == b'\\' && matches!(bytes.get(at + 1), Some(b'U' | b'N')) {
                        return Err("the escapes \\U and \\N in a text are not supported".to_owned());
                    }
                    at += if next == b'\\' { 2 } else { 1 };
                    if next == byte {
                        break;
                    }
                }
                before = Before::Value;
                chain.push(begin, at);
            }
            b'[' | b'{' | b'(' => {
                let before = std::mem::replace(&mut before, Before::Operator);
                let around = std::mem::take(&mut chain);
                open.push(Open { at: begin, bracket: byte, before, comma: in_target && open.is_empty(), around });
            }
            b']' | b'}' | b')' => {
                before = Before::Value;
                chain.finish(places);
                let closed = open.pop_if(|open| matches!((open.bracket, byte), (b'[', b']') | (b'{', b'}') | (b'(', b')')));
                let Some(Open { at: opened, bracket, before, comma, around }) = closed else { continue };
                chain = around;
                chain.push(opened, at);
                let place = match (before, bracket) {
                    (Before::Builder(name), b'(') => name,
                    (Before::Operator, b'[' | b'{') => opened,
                    (Before::Operator, b'(') if comma && !(in_target && open.is_empty()) => opened,
                    _ => continue,
                };
                places.push(insert(place, OPEN_GUARD));
                places.push(insert(at, ")"));
            }
            b',' => {
                chain.finish(places);
                if let Some(open) = open.last_mut() {
                    open.comma = true;
                }
                before = Before::Operator;
            }
            // Before a value, `*` and `**` spread it over a call's arguments.
            b'*' if bytes.get(at) == Some(&b'*') => {
                at += 1;
                before = Before::Operator;
            }
            b'*' => {
                chain.is_product |= before == Before::Value;
                before = Before::Operator;
            }
            b'/' | b'%' | b'|' => before = Before::Operator,
            // A minus before a value belongs to it, and a plus, which minijinja does not know, says nothing. At a tag's
            // beginning both say what becomes of white space.
            b'+' if before == Before::Operator && begin > start => places.push((begin..at, " ")),
            b'-' | b'+' if before == Before::Operator => {}
            b'0'..=b'9' if !after_dot(template, begin) => {
                at = begin.saturating_add(number_len(rest).max(1));
                before = Before::Value;
                chain.push(begin, at);
            }
            _ if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                let word: &str = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
                at = begin + word.len().max(rest.chars().next().map_or(1, char::len_utf8));
                let is_attribute = after_dot(template, begin);
                let names_test = is_test;
                is_test = word == "is" || is_test && word == "not";
                if !is_attribute && !names_test && WORDS_AFTER_VALUES.contains(&word) {
                    chain.finish(places);
                } else if before == Before::Value || chain.start.is_some() || !WORDS_BEFORE_VALUES.contains(&word) {
                    chain.push(begin, at);
                }
                before = if is_attribute || names_test {
                    Before::Value
                } else if BUILDERS.contains(&word) {
                    Before::Builder(begin)
                } else if WORDS_BEFORE_VALUES.contains(&word) {
                    Before::Operator
                } else {
                    Before::Value
                };
                in_target = match word {
                    "for" | "set" | "with" => open.is_empty(),
                    "in" => in_target && !open.is_empty(),
                    _ => in_target,
                };
            }
            b'=' => {
                chain.finish(places);
                if in_target && open.is_empty() {
                    in_target = false;
                    if attribute {
                        stores = true;
                        places.push(insert(at, OPEN_STORED));
                    }
                }
                before = Before::Operator;
            }
            b'.' => {
                attribute |= in_target;
                before = Before::Operator;
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                chain.finish(places);
                before = Before::Operator;
            }
        }
    }
    // A tag without an end: minijinja says so.
    Ok(template.len())
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn what_builds_a_container_is_guarded_and_nothing_else() {
        for (template, guarded) in [
            ("no [tags] {here}", "no [tags] {here}"),
            ("{{ [a, [b]] }}", "{{ _guarded_([a, _guarded_([b])]) }}"),
            ("{{ {'a': {}} }}", "{{ _guarded_({'a': _guarded_({})}) }}"),
            ("{{ {'a': {}}}}", "{{ _guarded_({'a': _guarded_({})})}}"),
            ("{{ (a, b) ~ (a) ~ f(a, b) }}", "{{ _guarded_((a, b)) ~ (a) ~ f(a, b) }}"),
            ("{{ m['x'][0] + 'a'[1:] + f(x)[2] + {}[3] }}", "{{ m['x'][0] + 'a'[1:] + f(x)[2] + _guarded_({})[3] }}"),
            ("{% if x not in ['a', \"]\"] and [1] %}", "{% if x not in _guarded_(['a', \"]\"]) and _guarded_([1]) %}"),
            ("{%- set ns.l = ns.l + [x] -%}", "{%- set ns.l =_stored_( ns.l + _guarded_([x]) )-%}"),
            ("{% set ns . l=[x == y]%}", "{% set ns . l=_stored_(_guarded_([x == y]))%}"),
            ("{% set x = y.z == 1 %}", "{% set x = y.z == 1 %}"),
            ("{% set ns = namespace(a=[]) %}", "{% set ns = _guarded_(namespace(a=_guarded_([]))) %}"),
            ("{{ x.dict(1) ~ dict (a=1) }}", "{{ x.dict(1) ~ _guarded_(dict (a=1)) }}"),
            ("{% for (k, v) in (a, b) %}", "{% for (k, v) in _guarded_((a, b)) %}"),
            ("{% for k, (v, w) in x if (k, v) %}", "{% for k, (v, w) in x if _guarded_((k, v)) %}"),
            ("{% set (a, b) = (b, a) %}", "{% set (a, b) = _guarded_((b, a)) %}"),
            ("{% macro m(a=[1], b={}) %}", "{% macro m(a=_guarded_([1]), b=_guarded_({})) %}"),
            ("{# [1] #}{{ '\\'[' }}[", "{# [1] #}{{ '\\'[' }}["),
            ("{% raw %}{{ [1] }}{% endraw %}{{ [1] }}", "{% raw %}{{ [1] }}{% endraw %}{{ _guarded_([1]) }}"),
            ("{{ raw }}{{ [1] }}", "{{ raw }}{{ _guarded_([1]) }}"),
            ("{{ é['ü'] ~ ['ö'] }}", "{{ é['ü'] ~ _guarded_(['ö']) }}"),
            ("{{ f(**x) }}", "{{ f(**x) }}"),
            ("{{ [1 }}", "{{ [1 }}"),
            ("{{ 1] }}{% (", "{{ 1] }}{% ("),
            ("{{ 'unfinished", "{{ 'unfinished"),
        ] {
            assert_eq!(guard(template).unwrap(), guarded, "{template}");
        }
    }

    #[test]
    fn products_are_guarded_with_what_binds_as_they_do() {
        for (template, guarded) in [
            ("{{ a * b }}", "{{ _guarded_(a * b) }}"),
            ("{{ 1 + a.b[2] * -3 ** 2 - 4 }}", "{{ 1 + _guarded_(a.b[2] * -3 ** 2) - 4 }}"),
            ("{{ -a * 1e-5 ~ 'x' }}", "{{ -_guarded_(a * 1e-5) ~ 'x' }}"),
            ("{{ 7 // 2 * x | length % 3 }}", "{{ _guarded_(7 // 2 * x | length % 3) }}"),
            ("{{ [a * 2, (b * 3)] * 4 }}", "{{ _guarded_(_guarded_([_guarded_(a * 2), (_guarded_(b * 3))]) * 4) }}"),
            (
                "{% if not a * 2 == b or c is not divisibleby 3 * 2 %}",
                "{% if not _guarded_(a * 2) == b or _guarded_(c is not divisibleby 3 * 2) %}",
            ),
            ("{% if x is in [1] and a*b in c %}", "{% if x is in [1] and _guarded_(a*b) in c %}"),
            ("{% for x in a * 2 if x * 2 %}", "{% for x in _guarded_(a * 2) if _guarded_(x * 2) %}"),
            ("{% for x in a * 2 recursive %}", "{% for x in _guarded_(a * 2) recursive %}"),
            ("{%- set ns.l=[x] * 2-%}", "{%- set ns.l=_stored_(_guarded_(_guarded_([x]) * 2))-%}"),
            ("{{ f(*a, **b) * g(c, *d) }}", "{{ _guarded_(f(*a, **b) * g(c, *d)) }}"),
            (
                "{{ a[b * 2:c * 3] if d * 2 else 'e' * 4 }}",
                "{{ a[_guarded_(b * 2):_guarded_(c * 3)] if _guarded_(d * 2) else _guarded_('e' * 4) }}",
            ),
            ("{{ a / b ~ 3 % 4 }}", "{{ a / b ~ 3 % 4 }}"),
            ("{%+ if +3 > (+a) + b %}", "{%+ if  3 > ( a) + b %}"),
            ("{{ * a }}{{ a * }}", "{{ * a }}{{ _guarded_(a) * }}"),
            ("a * b {# * #} {{ '*' }}", "a * b {# * #} {{ '*' }}"),
        ] {
            assert_eq!(guard(template).unwrap(), guarded, "{template}");
        }
    }

    #[test]
    fn what_marks_an_answer_for_training_does_nothing() {
        for (template, guarded) in [
            ("{% generation %}a{% endgeneration %}", "{% with %}a{% endwith %}"),
            ("{%- generation -%}a{%-endgeneration+%}", "{%- with -%}a{%-endwith+%}"),
            ("{{ generation }} {% generations %}", "{{ generation }} {% generations %}"),
        ] {
            assert_eq!(guard(template).unwrap(), guarded, "{template}");
        }
    }

    #[test]
    fn the_guards_own_names_are_refused() {
        assert!(guard("{{ _guarded_(1) }}").is_err());
        assert!(guard("{% set _stored_ = 1 %}").is_err());
        assert!(guard(r"{{ '\U0001F600' }}").is_err());
    }
}
