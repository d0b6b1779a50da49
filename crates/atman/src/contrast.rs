//! Why this rather than that.

use crate::relevance::{Row, Score};
use crate::runs::{Outcome, TokenScore};
use crate::{AtmanError, Question, Text};
use model::Wanted;
use serde::{Deserialize, Serialize};

/// The relevance of "the target rather than an alternative", from where the two differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// What might have been written instead.
    pub alternative: Text,
    /// The first token in which it differs from the target.
    pub first_difference: usize,
    /// What is compared from there on.
    pub compared: Compared,
    /// By how much the model prefers the target there: the difference of log-probabilities, in nats. `None` where one of them could
    /// not be computed.
    pub log_odds_nats: Option<f32>,
    /// For each unit, how much of that it is the reason for; positive speaks for the target. `None` where the unit stands
    /// after the first difference.
    pub relevance: Vec<Option<f32>>,
}

/// What of the two texts is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// Their first different tokens, predicted at the same place in the same runs.
    OneToken,
    /// All that follows from the first difference on, each in runs of its own.
    Rest,
}

/// An alternative that is to be contrasted with the target.
#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    pub(crate) text: Text,
    pub(crate) first_difference: usize,
    pub(crate) compared: Compared,
    /// Which token of its row in the target's runs its first different token is.
    pub(crate) token_number: usize,
}

impl Alternative {
    /// Compares the tokens, and has the alternative's first different one wanted along with the target's.
    pub(crate) fn new(question: &Question, text: Text, wanted: &mut [Wanted]) -> Result<Alternative, AtmanError> {
        let refused =
            |reason| AtmanError::Alternative { alternative: text.text.clone(), target: question.target.text.clone(), reason };
        let tokens = question.target.tokens.iter().zip(&text.tokens);
        let first_difference = tokens.take_while(|(a, b)| a.id == b.id).count();
        let Some(token) = text.tokens.get(first_difference) else {
            return Err(refused("the target begins with all of it, so that no token decides between them"));
        };
        let Some(row) = wanted.get_mut(first_difference) else {
            return Err(refused("it begins with all of the target, so that no token decides between them"));
        };
        row.tokens.push(token.id);
        let token_number = row.tokens.len() - 1;
        let is_longer = text.tokens.len() > first_difference + 1;
        let compared = if is_longer { Compared::Rest } else { Compared::OneToken };
        Ok(Alternative { first_difference, compared, token_number, text })
    }

    /// The contrast of one unit in the target's own runs.
    pub(crate) fn of_one_token(&self, baseline: &Outcome, suppressed: &Outcome, score: Score) -> Option<f32> {
        let at = |outcome: &Outcome, token: usize| -> Option<TokenScore> {
            outcome.get(self.first_difference)?.as_ref()?.get(token).copied()
        };
        let of = |token| Some(score.relevance(at(baseline, token)?, at(suppressed, token)?));
        Some(of(0)? - of(self.token_number)?).filter(|difference| difference.is_finite())
    }

    /// Log-odds of the first different tokens.
    pub(crate) fn log_odds_of_one_token(&self, baseline: &Outcome) -> Option<f32> {
        let at = |token: usize| baseline.get(self.first_difference)?.as_ref()?.get(token).map(|score| score.log_prob);
        Some(at(0)? - at(self.token_number)?).filter(|odds| odds.is_finite())
    }
}

/// The contrast of one unit where all that follows is compared: the sums of both relevances from the first difference on.
pub(crate) fn of_rest(target: &Row, alternative: &Row, first_difference: usize) -> Option<f32> {
    let rest = |row: &Row| crate::relevance::sum(row, first_difference..row.len());
    Some(rest(target)? - rest(alternative)?)
}
