//! What differs between two texts, word by word.

use similar::{ChangeTag, TextDiff};

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As it stands there.
    pub text: String,
    /// Whether the other text has something else there.
    pub differs: bool,
}

/// Both texts in parts.
pub fn compared(old: &str, new: &str) -> (Vec<Part>, Vec<Part>) {
    let diff = TextDiff::from_words(old, new);
    let (mut of_old, mut of_new) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                push(&mut of_old, text, false);
                push(&mut of_new, text, false);
            }
            ChangeTag::Delete => push(&mut of_old, text, true),
            ChangeTag::Insert => push(&mut of_new, text, true),
        }
    }
    (of_old, of_new)
}

fn push(parts: &mut Vec<Part>, text: &str, differs: bool) {
    match parts.last_mut() {
        Some(last) if last.differs == differs => last.text.push_str(text),
        _ => parts.push(Part { text: text.to_owned(), differs }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts that differ in brackets.
    fn marked(parts: &[Part]) -> String {
        parts.iter().map(|part| if part.differs { format!("[{}]", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn only_what_differs_is_marked_in_each() {
        let (old, new) = compared("Tom lives in Rome, not Oslo.", "Tom lives in Paris, not Oslo.");
        assert_eq!(marked(&old), "Tom lives in [Rome,] not Oslo.");
        assert_eq!(marked(&new), "Tom lives in [Paris,] not Oslo.");
    }

    #[test]
    fn what_is_longer_differs_at_its_end() {
        let (old, new) = compared(" Rome.", " Rome. The end");
        assert_eq!((marked(&old), marked(&new)), (" Rome.".to_owned(), " Rome.[ The end]".to_owned()));
        assert_eq!(compared("", ""), (vec![], vec![]));
    }
}
