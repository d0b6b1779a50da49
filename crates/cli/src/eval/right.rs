//! Whether what a model says is the answer of the data.

/// Of questions about pictures: to the letter, but for space around it.
pub(crate) fn is_same(said: &str, answer: &str) -> bool {
    said.trim() == answer.trim()
}

/// Of questions about texts: whether the answer's words stand, one after another, in what the model says, which may be a whole
/// sentence. Both are compared as the evaluation of SQuAD does (Rajpurkar et al. 2016): in lower case, without punctuation and
/// articles.
pub(crate) fn is_said(said: &str, answer: &str) -> bool {
    let (said, answer) = (words(said), words(answer));
    !answer.is_empty() && said.windows(answer.len()).any(|words| words == answer)
}

fn words(text: &str) -> Vec<String> {
    let plain: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    plain.split_whitespace().filter(|word| !["a", "an", "the"].contains(word)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_punctuation_and_articles() {
        assert!(is_said("The Panthers defense gave up 308 points.", "308"));
        assert!(is_said("It was a Golden, Anniversary!", "the golden anniversary"));
        assert!(!is_said("They gave up 3081 points.", "308"), "whole words only");
        assert!(!is_said("anniversary, golden", "golden anniversary"), "in their order");
        assert!(!is_said("", "gold") && !is_said("The.", "the"), "nothing is no answer");
    }

    #[test]
    fn about_pictures_every_letter_counts() {
        assert!(is_same(" red.\n", "red.") && !is_same("red", "red.") && !is_same("Red.", "red."));
    }
}
