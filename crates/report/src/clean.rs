//! Text from a model or a prompt, made safe to show.

use std::borrow::Cow;

/// Text without characters that act instead of showing: control characters but line ends and tabs, which could steer a terminal
/// and are forbidden in XML, and those that override the direction of the text around them. Each becomes U+FFFD.
pub fn clean(text: &str) -> Cow<'_, str> {
    // What Windows ends lines with is a line end too.
    let text = if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    if text.contains(acts) { Cow::Owned(text.replace(acts, "\u{fffd}")) } else { text }
}

fn acts(c: char) -> bool {
    let forbidden_in_xml = matches!(c, '\u{fffe}' | '\u{ffff}');
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        || forbidden_in_xml
}

/// Text as one line: cleaned, line ends and tabs shown as signs for them.
pub fn one_line(text: &str) -> String {
    clean(text).replace('\n', "⏎").replace('\t', "⇥")
}

/// Text as a label: one line without the space around it, unless it has nothing else.
pub fn label(text: &str) -> String {
    one_line(if text.trim().is_empty() { text } else { text.trim() })
}

/// The same in quotation marks, so that spaces at its ends are seen.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text))
}

/// Text with the characters escaped that mean something in HTML and XML, in content and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let clean = clean(text);
    let mut escaped = String::with_capacity(clean.len());
    for c in clean.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_turns_text_around_is_replaced() {
        assert_eq!(
            clean("a\x1b[31mb\x07\u{9b}c\u{202e}d\u{2066}e\n\tf\r\ng\rh"),
            "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}e\n\tf\ng\u{fffd}h"
        );
        assert!(matches!(clean("plain é 日本 👩‍👩‍👧"), Cow::Borrowed(_)));
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escaped("</script><img src='x' alt=\"&\">"),
            "&lt;/script&gt;&lt;img src=&#39;x&#39; alt=&quot;&amp;&quot;&gt;"
        );
    }

    #[test]
    fn a_label_is_never_empty_for_a_text_that_is_not() {
        assert_eq!([" Rome.", "\n\n", " ", "", "a\nb "].map(label), ["Rome.", "⏎⏎", " ", "", "a⏎b"]);
    }

    #[test]
    fn a_line_shows_its_line_ends() {
        assert_eq!(quoted(" a\n\tb"), "\" a⏎⇥b\"");
    }
}
