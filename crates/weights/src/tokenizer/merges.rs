//! The merges of a byte pair encoding.

use crate::WeightsError;
use std::collections::HashMap;

/// Longest token that may be made of two others, in bytes; the longest known ones are runs of 16 to 64 spaces.
const MAX_PIECE_BYTES: usize = 512;
/// What a vocabulary's scores may blow up to; that of Llama 2 has two merges a token.
const MAX_MERGES_PER_TOKEN: usize = 8;

/// Two tokens that become one, by rank.
pub(super) type Merge = (String, String);

/// Splits merges as files write them, `"left right"`.
pub(super) fn split(file: &str, key: &str, merge: &str) -> Result<Merge, WeightsError> {
    match merge.split_once(' ') {
        // Neither half has a space: vocabularies spell it otherwise.
        Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
            Ok((left.to_owned(), right.to_owned()))
        }
        _ => Err(WeightsError::Value {
            file: file.to_owned(),
            key: key.to_owned(),
            found: format!("{merge:?}"),
            expected: "two tokens with one space between them".to_owned(),
        }),
    }
}

/// The merges that a SentencePiece vocabulary implies: every way to put a token together from two others, best score first.
///
/// Ties go to the longer left half, then to the longer right half, counted in characters, then to the lower id; this is
/// what `transformers` does when it brings such a model to BPE (`generate_merges` in `convert_slow_tokenizer.py`).
pub(super) fn from_scores(file: &str, tokens: &[(&str, f64)]) -> Result<Vec<Merge>, WeightsError> {
    let ids: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, (token, _))| (*token, id)).collect();
    // Split places, not texts: a vocabulary of runs would make texts of gigabytes before the limit is reached.
    let mut splits: Vec<(usize, usize)> = Vec::new();
    let limit = tokens.len().saturating_mul(MAX_MERGES_PER_TOKEN);
    for (id, (token, _)) in tokens.iter().enumerate().filter(|(_, (token, _))| token.len() <= MAX_PIECE_BYTES) {
        let first = splits.len();
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if ids.contains_key(left) && ids.contains_key(right) {
                splits.push((id, at));
            }
        }
        if splits.len() > limit {
            return Err(WeightsError::Value {
                file: file.to_owned(),
                key: "tokenizer.ggml.scores".to_owned(),
                found: format!("a vocabulary of {} tokens with more than {limit} merges", tokens.len()),
                expected: "fewer".to_owned(),
            });
        }
        let local = splits.get_mut(first..).unwrap_or_default();
        local.sort_by_key(|&(_, at)| {
            let (left, right) = token.split_at(at);
            (ids.get(left).copied(), ids.get(right).copied())
        });
    }
    let key = |&(id, at): &(usize, usize)| {
        let (token, score) = tokens.get(id).copied().unwrap_or_default();
        let left = token.get(..at).unwrap_or_default().chars().count();
        (score, left, token.chars().count().saturating_sub(left))
    };
    // Python's sort(reverse=True) keeps equal elements in their order, as this does.
    splits.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2))
    });
    let merges = splits.into_iter().filter_map(|(id, at)| {
        let (left, right) = tokens.get(id)?.0.split_at_checked(at)?;
        Some((left.to_owned(), right.to_owned()))
    });
    Ok(merges.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_scores_merge_first_and_ties_go_to_the_longer_left_half() {
        let tokens = [("a", -1.0), ("b", -1.0), ("ab", -3.0), ("ba", -2.0), ("aba", -4.0)];
        let merges: Vec<String> = from_scores("f", &tokens).unwrap().into_iter().map(|(l, r)| format!("{l} {r}")).collect();
        assert_eq!(merges, ["b a", "a b", "ab a", "a ba"]);
    }

    #[test]
    fn a_vocabulary_that_blows_up_is_refused() {
        let texts: Vec<String> = (1..=400).map(|n| "a".repeat(n)).collect();
        let tokens: Vec<(&str, f64)> = texts.iter().map(|t| (t.as_str(), 0.0)).collect();
        assert!(matches!(from_scores("f", &tokens), Err(WeightsError::Value { .. })));
    }

    #[test]
    fn a_merge_is_two_tokens() {
        assert_eq!(split("f", "k", "Ġ t").unwrap(), ("Ġ".to_owned(), "t".to_owned()));
        for wrong in ["", " ", "a", "a ", " a", "a b c", "a  b"] {
            assert!(split("f", "k", wrong).is_err(), "{wrong:?}");
        }
    }
}
