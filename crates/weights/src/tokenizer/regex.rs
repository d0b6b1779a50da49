//! Patterns of tokenizers as the engine here reads them.
//!
//! Tokenizer files are made with Oniguruma in mind, whose patterns look like those of `fancy-regex` and differ in what they
//! mean: `$` ends a line, `(?m)` lets a dot match ends of lines, `{1,3}+` repeats a repetition. So a pattern is read by
//! Oniguruma's rules (its `doc/RE`, and what the Python package tokenizers does), and written anew in a form that has no two
//! meanings. What cannot be written so is refused by its name.

/// What `\w` is within brackets; outside, Oniguruma counts a few numbers in.
const WORD: &str = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}";
const WORD_OUTSIDE: &str = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}²³¹¼½¾";
/// One end of a line, whatever it is made of.
const ANY_NEWLINE: &str = r"(?>\r\n|[\n-\r\x{85}\x{2028}\x{2029}])";
/// What people take for one character (Unicode Standard Annex 29, "extended grapheme cluster").
const CLUSTER: &str = r"(?>\r\n|[\p{gcb=Control}\r\n]|\p{gcb=Prepend}*(?:\p{gcb=L}*(?:\p{gcb=V}+|\p{gcb=LV}\p{gcb=V}*|\p{gcb=LVT})\p{gcb=T}*|\p{gcb=L}+|\p{gcb=T}+|\p{gcb=Regional_Indicator}{2}|\p{Extended_Pictographic}(?:\p{gcb=Extend}*\x{200D}\p{Extended_Pictographic})*|[^\p{gcb=Control}\r\n])[\p{gcb=Extend}\p{gcb=SpacingMark}\x{200D}]*)";
/// Letters that are the same as several, where case is ignored.
const SAME_IGNORING_CASE: [(&str, &str); 14] = [
    ("ffi", "(?:ffi|ﬃ)"),
    ("ffl", "(?:ffl|ﬄ)"),
    ("ff", "(?:ff|ﬀ)"),
    ("fi", "(?:fi|ﬁ)"),
    ("fl", "(?:fl|ﬂ)"),
    ("ss", "(?:ss|ß|ẞ)"),
    ("st", "(?:st|ﬅ|ﬆ)"),
    ("ß", "(?:ss|ß|ẞ)"),
    ("ﬃ", "(?:ffi|ﬃ)"),
    ("ﬄ", "(?:ffl|ﬄ)"),
    ("ﬀ", "(?:ff|ﬀ)"),
    ("ﬁ", "(?:fi|ﬁ)"),
    ("ﬂ", "(?:fl|ﬂ)"),
    ("ﬆ", "(?:st|ﬅ|ﬆ)"),
];

/// A pattern of Oniguruma's in `fancy-regex`'s syntax.
///
/// # Errors
/// What in the pattern has no counterpart, by its name.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translation = Translation {
        rest: pattern,
        out: String::new(),
        groups: Vec::new(),
        options: Options::default(),
        isolated: 0,
        named: false,
        atom: None,
        is_quantified: false,
    };
    translation.all()?;
    Ok(translation.out)
}

#[derive(Clone, Copy, Default)]
struct Options {
    ignore_case: bool,
    dot_all: bool,
    extended: bool,
}

/// An open group.
struct Group {
    /// Where it begins in what is written.
    start: usize,
    /// Options around it, and groups that options within it had opened around it.
    options: Options,
    isolated: usize,
}

struct Translation<'a> {
    rest: &'a str,
    out: String,
    groups: Vec<Group>,
    options: Options,
    /// Groups opened by `(?i)`, which lasts to the end of the group that it stands in.
    isolated: usize,
    /// Whether there is a group with a name.
    named: bool,
    /// Where what a quantifier would repeat begins in what is written.
    atom: Option<usize>,
    is_quantified: bool,
}

/// What an escape or a character within brackets stands for.
enum Item {
    Char(char),
    Set(String),
}

impl<'a> Translation<'a> {
    fn all(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => {
                    let start = self.out.len();
                    self.class()?;
                    self.atom_from(start);
                }
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.out.push('|');
                    self.atom = None;
                }
                '^' => self.assertion(r"(?:\A|(?<=\n)(?!\z))"),
                '$' => self.assertion(r"(?=\n|\z)"),
                '.' => self.push(if self.options.dot_all { "(?s:.)" } else { r"[^\n]" }),
                '*' | '+' | '?' => {
                    let suffix = self.take(|c| matches!(c, '?' | '+'), 1);
                    self.quantify(&format!("{c}{suffix}"))?;
                }
                '{' => self.interval()?,
                c if self.options.extended && c.is_whitespace() => {}
                '#' if self.options.extended => {
                    self.take(|c| c != '\n', usize::MAX);
                }
                c => self.literal(c),
            }
        }
        if !self.groups.is_empty() {
            return Err("( without )".to_owned());
        }
        self.out.extend(std::iter::repeat_n(')', self.isolated));
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The characters that come next and are of a kind, so many at most.
    fn take(&mut self, is: impl Fn(char) -> bool, most: usize) -> &'a str {
        let end = self.rest.char_indices().take(most).take_while(|(_, c)| is(*c)).last().map_or(0, |(at, c)| at + c.len_utf8());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn atom_from(&mut self, start: usize) {
        self.atom = Some(start);
        self.is_quantified = false;
    }

    fn push(&mut self, atom: &str) {
        let start = self.out.len();
        self.out.push_str(atom);
        self.atom_from(start);
    }

    /// A kind of characters, which no case folding adds to.
    fn push_type(&mut self, atom: &str) {
        if self.options.ignore_case { self.push(&format!("(?-i:{atom})")) } else { self.push(atom) }
    }

    fn assertion(&mut self, assertion: &str) {
        self.out.push_str(assertion);
        self.atom = None;
    }

    fn literal(&mut self, c: char) {
        if self.options.ignore_case {
            let lower = format!("{c}{}", self.rest.chars().take(3).collect::<String>()).to_lowercase();
            for (letters, same) in SAME_IGNORING_CASE {
                let more = letters.chars().count().saturating_sub(1);
                // A quantifier after them is one of the last alone.
                let repeats = self.rest.chars().nth(more).is_some_and(|c| matches!(c, '*' | '+' | '?' | '{')) && more > 0;
                if lower.starts_with(letters) && !repeats {
                    self.take(|_| true, more);
                    return self.push(same);
                }
            }
        }
        let start = self.out.len();
        if r"\.+*?()|[]{}^$".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
        self.atom_from(start);
    }

    /// Repeats what was written last.
    fn quantify(&mut self, quantifier: &str) -> Result<(), String> {
        let start = self.atom.ok_or_else(|| format!("{quantifier} without anything to repeat"))?;
        if self.is_quantified {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(quantifier);
        self.is_quantified = true;
        Ok(())
    }

    fn interval(&mut self) -> Result<(), String> {
        let before = self.rest;
        let is_digit = |c: char| c.is_ascii_digit();
        let low = self.take(is_digit, usize::MAX);
        let comma = self.skip(",");
        let high = if comma { self.take(is_digit, usize::MAX) } else { low };
        if !self.skip("}") || low.is_empty() && high.is_empty() {
            self.rest = before;
            self.literal('{');
            return Ok(());
        }
        let number = |digits: &str| digits.parse::<u32>().ok().filter(|n| *n <= 1000);
        let (Some(least), Some(most)) =
            (number(if low.is_empty() { "0" } else { low }), number(if high.is_empty() { "1000" } else { high }))
        else {
            return Err(format!("a repetition {{{low},{high}}} of more than 1000"));
        };
        if least > most {
            return Err(format!("the repetition {{{low},{high}}}, which ends before it begins"));
        }
        // A fixed number has no lazy kind: a question mark after it is a quantifier of its own, and so is a plus after any.
        let lazy = if comma { self.take(|c| c == '?', 1) } else { "" };
        match (comma, high) {
            (false, _) => self.quantify(&format!("{{{least}}}")),
            (true, "") => self.quantify(&format!("{{{least},}}{lazy}")),
            (true, _) => self.quantify(&format!("{{{least},{most}}}{lazy}")),
        }
    }

    fn open(&mut self) -> Result<(), String> {
        let group = Group { start: self.out.len(), options: self.options, isolated: self.isolated };
        let plain = ["?:", "?=", "?!", "?>", "?<=", "?<!"].into_iter().find(|kind| self.rest.starts_with(kind));
        if let Some(kind) = plain {
            self.skip(kind);
            self.out.push('(');
            self.out.push_str(kind);
        } else if self.skip("?#") {
            self.take(|c| c != ')', usize::MAX);
            self.skip(")");
            return Ok(());
        } else if let Some(end) = [("?<", '>'), ("?'", '\'')].into_iter().find_map(|(begin, end)| self.skip(begin).then_some(end))
        {
            let name = self.take(|c| c.is_alphanumeric() || c == '_', usize::MAX);
            if name.is_empty() || self.next() != Some(end) {
                return Err(format!("a group named {name:?}"));
            }
            self.named = true;
            self.out.push_str("(?:");
        } else if self.skip("?") {
            return self.option_group(group);
        } else if self.rest.starts_with('*') {
            return Err("(*, a callout".to_owned());
        } else {
            self.out.push('(');
        }
        (self.isolated, self.atom) = (0, None);
        self.groups.push(group);
        Ok(())
    }

    /// `(?i)`, which lasts to the end of the group around it, and `(?i:…)`.
    fn option_group(&mut self, group: Group) -> Result<(), String> {
        let letters = self.take(|c| c.is_ascii_alphabetic() || c == '-', usize::MAX);
        let mut on = true;
        for letter in letters.chars() {
            match letter {
                '-' => on = false,
                'i' => self.options.ignore_case = on,
                'm' => self.options.dot_all = on,
                'x' => self.options.extended = on,
                other => return Err(format!("(?{letters}, where {other} is an option that is not supported")),
            }
        }
        let end = self.next();
        if letters.is_empty() || !matches!(end, Some(')' | ':')) {
            return Err(format!("(?{letters}{}", end.map_or_else(String::new, String::from)));
        }
        self.out.push_str(if self.options.ignore_case { "(?i:" } else { "(?-i:" });
        self.atom = None;
        if end == Some(':') {
            self.isolated = 0;
            self.groups.push(group);
        } else {
            self.isolated = self.isolated.saturating_add(1);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let group = self.groups.pop().ok_or(") without (")?;
        self.out.extend(std::iter::repeat_n(')', self.isolated.saturating_add(1)));
        (self.options, self.isolated) = (group.options, group.isolated);
        self.atom_from(group.start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.next().ok_or("a pattern that ends with \\")?;
        match c {
            'w' => self.push_type(&format!("[{WORD_OUTSIDE}]")),
            'W' => self.push_type(&format!("[^{WORD_OUTSIDE}]")),
            'R' => self.push(ANY_NEWLINE),
            'X' => self.push_type(CLUSTER),
            'N' => self.push(r"[^\n]"),
            'O' => self.push("(?s:.)"),
            'A' => self.assertion(r"\A"),
            'z' => self.assertion(r"\z"),
            'Z' => self.assertion(r"(?=\n?\z)"),
            'b' | 'B' => {
                let (ends, begins) = if c == 'b' { ("!", "=") } else { ("=", "!") };
                let word = format!("[{WORD_OUTSIDE}]");
                self.assertion(&format!("(?-i:(?:(?<={word})(?{ends}{word})|(?<!{word})(?{begins}{word})))"));
            }
            '1'..='9' if !self.named && !self.rest.starts_with(|c: char| c.is_ascii_digit()) => self.push(&format!(r"\{c}")),
            _ => match self.escaped(c)? {
                Item::Char(c) => self.literal(c),
                Item::Set(set) => self.push_type(&format!("[{set}]")),
            },
        }
        Ok(())
    }

    /// What an escape stands for that means the same within brackets and without; a set as it is written within brackets.
    fn escaped(&mut self, c: char) -> Result<Item, String> {
        let code = |digits: &str| {
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
            c.map(Item::Char).ok_or_else(|| format!("the code point {digits}"))
        };
        let is_hex = |c: char| c.is_ascii_hexdigit();
        let set = |set: &str| Ok(Item::Set(set.to_owned()));
        match c {
            't' => Ok(Item::Char('\t')),
            'n' => Ok(Item::Char('\n')),
            'r' => Ok(Item::Char('\r')),
            'f' => Ok(Item::Char('\u{c}')),
            'v' => Ok(Item::Char('\u{b}')),
            'a' => Ok(Item::Char('\u{7}')),
            'e' => Ok(Item::Char('\u{1b}')),
            'd' => set(r"\p{Nd}"),
            'D' => set(r"\P{Nd}"),
            's' => set(r"\s"),
            'S' => set(r"\S"),
            'h' => set("0-9a-fA-F"),
            'H' => set("[^0-9a-fA-F]"),
            'x' if self.skip("{") => {
                let digits = self.take(is_hex, 8);
                if self.skip("}") { code(digits) } else { Err("a sequence of code points in \\x{…}".to_owned()) }
            }
            'x' => match self.take(is_hex, 2) {
                digits if digits.len() == 2 && digits.starts_with(|c: char| c < '8') => code(digits),
                digits => Err(format!("\\x{digits}, which is a byte and no character")),
            },
            'u' => match self.take(is_hex, 4) {
                digits if digits.len() == 4 => code(digits),
                digits => Err(format!("\\u{digits}")),
            },
            'p' | 'P' if self.skip("{") => {
                let negated = self.skip("^") != (c == 'P');
                let name = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '), usize::MAX);
                if name.is_empty() || !self.skip("}") {
                    return Err(format!("\\p{{{name}"));
                }
                let property = property(name);
                Ok(Item::Set(if negated { format!("[^{property}]") } else { property }))
            }
            c if c.is_ascii_alphanumeric() => Err(format!("\\{c}")),
            c => Ok(Item::Char(c)),
        }
    }

    /// The inside of brackets, after the first one.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let item = match self.next().ok_or("[ without ]")? {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' => match self.posix() {
                    Some(set) => Item::Set(set?),
                    None => {
                        self.class()?;
                        is_first = false;
                        continue;
                    }
                },
                '&' if self.skip("&") => {
                    self.out.push_str("&&");
                    continue;
                }
                '\\' => self.escaped_in_class()?,
                c => Item::Char(c),
            };
            is_first = false;
            match item {
                Item::Set(set) => self.out.push_str(&set),
                Item::Char(first) => {
                    push_in_class(&mut self.out, first);
                    let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
                    if is_range {
                        self.skip("-");
                        let last = match self.next() {
                            Some('\\') => self.escaped_in_class()?,
                            Some(c) if c != '[' => Item::Char(c),
                            _ => return Err("a range that does not end with a character".to_owned()),
                        };
                        let Item::Char(last) = last else { return Err("a range that does not end with a character".to_owned()) };
                        self.out.push('-');
                        push_in_class(&mut self.out, last);
                    }
                }
            }
        }
    }

    fn escaped_in_class(&mut self) -> Result<Item, String> {
        match self.next().ok_or("[ without ]")? {
            'b' => Ok(Item::Char('\u{8}')),
            'w' => Ok(Item::Set(WORD.to_owned())),
            'W' => Ok(Item::Set(format!("[^{WORD}]"))),
            c => self.escaped(c),
        }
    }

    /// `[:name:]` within brackets, after its first bracket; `None` if it is no such thing.
    fn posix(&mut self) -> Option<Result<String, String>> {
        let (inside, rest) = self.rest.strip_prefix(':')?.split_once(":]")?;
        let name = inside.strip_prefix('^').unwrap_or(inside);
        if !name.chars().all(|c| c.is_ascii_alphabetic()) {
            return None;
        }
        self.rest = rest;
        let set = match name {
            "punct" => r"\p{P}\p{S}".to_owned(),
            name => match posix(name) {
                Some(set) => set.to_owned(),
                None => return Some(Err(format!("[:{name}:]"))),
            },
        };
        Some(Ok(if inside.starts_with('^') { format!("[^{set}]") } else { set }))
    }
}

/// A character within brackets, where it cannot be taken for anything else.
fn push_in_class(out: &mut String, c: char) {
    if r"\]^[-&~".contains(c) || c.is_whitespace() {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// POSIX's names, whose sets are Unicode's here.
fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "alpha" => r"\p{Alphabetic}",
        "ascii" => r"\x00-\x7f",
        "blank" => r"\p{Zs}\t",
        "cntrl" => r"\p{Cc}",
        "digit" => r"\p{Nd}",
        "graph" => r"[^\p{Z}\p{Cc}\p{Cn}]",
        "lower" => r"\p{Lowercase}",
        "print" => r"[^\p{Cc}\p{Cn}\p{Zl}\p{Zp}]",
        "punct" => r"\p{P}",
        "space" => r"\s",
        "upper" => r"\p{Uppercase}",
        "word" => WORD,
        "xdigit" => "0-9a-fA-F",
        _ => return None,
    })
}

/// A property by its name, as it is written within brackets.
fn property(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "any" => r"\x{0}-\x{10FFFF}".to_owned(),
        "assigned" => r"\P{Cn}".to_owned(),
        // Here its own set differs from that in brackets, in the numbers above a line.
        "word" => WORD_OUTSIDE.to_owned(),
        plain => posix(plain).map_or_else(|| format!(r"\p{{{plain}}}"), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::translate;
    use serde::Deserialize;
    use std::path::Path;
    use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior};

    /// How Oniguruma splits a text by a pattern, as the Python package tokenizers 0.23 shows it.
    #[derive(Deserialize)]
    struct Case {
        pattern: String,
        text: String,
        pieces: Vec<String>,
    }

    fn split(pattern: &str, text: &str) -> Vec<String> {
        let split = Split::new(SplitPattern::Regex(pattern.to_owned()), SplitDelimiterBehavior::Isolated, false).unwrap();
        let mut text = PreTokenizedString::from(text);
        split.pre_tokenize(&mut text).unwrap();
        let pieces = text.get_splits(OffsetReferential::Original, OffsetType::Byte);
        pieces.into_iter().map(|(piece, _, _)| piece.to_owned()).collect()
    }

    #[test]
    fn patterns_split_as_onigurumas_do() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/patterns.json");
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut wrong = Vec::new();
        for Case { pattern, text, pieces } in &cases {
            let ours = translate(pattern).map(|own| split(&own, text));
            if ours.as_ref() != Ok(pieces) {
                wrong.push(format!("{pattern:?} on {text:?}\n  Oniguruma: {pieces:?}\n  ours:      {ours:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    /// Kinds of characters: how many characters, and the sum of their code points, as Oniguruma has them.
    const KINDS: [(&str, u64, u64); 22] = [
        (r"\w+", 144_671, 15_621_630_088),
        (r"[\w]+", 144_665, 15_621_628_979),
        (r"\W+", 967_393, 604_885_244_792),
        (r"\d+", 760, 39_891_450),
        (r"\s+", 25, 141_586),
        (r"[[:alnum:]]+", 143_519, 15_354_313_357),
        (r"[[:alpha:]]+", 142_759, 15_314_421_907),
        (r"[[:ascii:]]+", 128, 8128),
        (r"[[:blank:]]+", 18, 124_942),
        (r"[[:cntrl:]]+", 65, 5215),
        (r"[[:digit:]]+", 760, 39_891_450),
        (r"[[:graph:]]+", 292_447, 154_231_711_121),
        (r"[[:lower:]]+", 2569, 117_919_901),
        (r"[[:print:]]+", 292_464, 154_231_836_054),
        (r"[[:punct:]]+", 9369, 649_005_466),
        (r"[[:upper:]]+", 1978, 97_237_165),
        (r"[[:word:]]+", 144_665, 15_621_628_979),
        (r"[[:xdigit:]]+", 22, 1527),
        (r"\p{Word}+", 144_671, 15_621_630_088),
        (r"\p{Punct}+", 855, 28_835_015),
        (r"\p{L}+", 141_028, 15_240_929_258),
        (r"\p{N}+", 1911, 110_651_895),
    ];

    #[test]
    fn kinds_of_characters_are_those_of_oniguruma() {
        let all: String = (0..=0x0010_FFFF_u32).filter_map(char::from_u32).collect();
        let measured = |text: &str| text.chars().fold((0, 0), |(n, sum), c| (n + 1, sum + u64::from(c)));
        let (n_all, sum_all) = measured(&all);
        for (pattern, n, sum) in KINDS {
            let split = SplitPattern::Regex(translate(pattern).unwrap());
            let mut others = PreTokenizedString::from(all.as_str());
            Split::new(split, SplitDelimiterBehavior::Removed, false).unwrap().pre_tokenize(&mut others).unwrap();
            let others: String =
                others.get_splits(OffsetReferential::Original, OffsetType::Byte).into_iter().map(|(piece, _, _)| piece).collect();
            let (n_others, sum_others) = measured(&others);
            assert_eq!((n_all - n_others, sum_all - sum_others), (n, sum), "{pattern}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused_by_its_name() {
        for (pattern, reason) in [
            (r"a\Kb", r"\K"),
            (r"\G.", r"\G"),
            (r"\y.", r"\y"),
            (r"(?<n>a)\k<n>", r"\k"),
            (r"(?<n>a)(b)\1", r"\1"),
            (r"\101", r"\1"),
            (r"\xe9", r"\xe9, which is a byte and no character"),
            (r"\x{41 42}", r"a sequence of code points in \x{…}"),
            (r"\pL", r"\p"),
            (r"(?~ab)", "(?~"),
            (r"(?W)\w", "(?W, where W is an option that is not supported"),
            (r"(*FAIL)", "(*, a callout"),
            (r"(?(1)a|b)", "(?("),
            (r"a{3,2}", "the repetition {3,2}, which ends before it begins"),
            (r"a{1001}", "a repetition {1001,1001} of more than 1000"),
            (r"[[:nope:]]", "[:nope:]"),
            (r"[\R]", r"\R"),
            (r"*a", "* without anything to repeat"),
            (r"(a", "( without )"),
            (r"a)", ") without ("),
            (r"[a", "[ without ]"),
            (r"[[a]", "[ without ]"),
            ("a\\", r"a pattern that ends with \"),
        ] {
            assert_eq!(translate(pattern).unwrap_err(), reason, "{pattern}");
        }
    }
}
