//! From runs to contrasts.

use super::Explainer;
use crate::Unit;
use crate::contrast::{Alternative, Compared, Contrast, of_rest};
use crate::job::Job;
use crate::runs::Runs;

/// The runs of an alternative in place of the target.
#[derive(Debug)]
pub(super) struct AlternativeRuns {
    pub(super) runs: Runs,
    /// The unit of each run.
    pub(super) units: Vec<usize>,
}

impl Explainer {
    /// Units that stand before the first token in which the alternative differs.
    pub(super) fn contrasted_units(&self, alternative: &Alternative) -> impl Iterator<Item = (usize, &Unit)> {
        let first = self.question.n_prompt() + alternative.first_difference;
        let before = move |unit: &Unit| unit.positions.iter().all(|position| *position < first);
        self.units.iter().enumerate().filter(move |(_, unit)| before(unit))
    }

    /// The runs of the contrasted units with the alternative in place of the target, each with the number of its unit.
    ///
    /// A unit's neighbours are those that it has in the question as explained: were they looked for anew, another wording of the
    /// alternative would change what is suppressed in the prompt. Neighbours from the first difference on are tokens of the
    /// target that the alternative does not have.
    pub(super) fn alternative_jobs(&self, alternative: &Alternative) -> impl Iterator<Item = (usize, Job)> {
        let first = self.question.n_prompt() + alternative.first_difference;
        self.contrasted_units(alternative).map(move |(index, unit)| (index, self.job(&with_neighbours_before(unit, first))))
    }

    pub(super) fn contrast_of_one_token(&self, alternative: &Alternative) -> Contrast {
        let mut relevance = vec![None; self.units.len()];
        for (unit, _) in self.contrasted_units(alternative) {
            let outcome = self.unit_jobs.get(unit).copied().flatten().and_then(|job| self.runs.outcome(job));
            let of_unit = self.runs.baseline().zip(outcome);
            if let Some(slot) = relevance.get_mut(unit) {
                *slot = of_unit
                    .and_then(|(baseline, suppressed)| alternative.of_one_token(baseline, suppressed, self.settings.score));
            }
        }
        Contrast {
            alternative: alternative.text.clone(),
            first_difference: alternative.first_difference,
            compared: Compared::OneToken,
            log_odds_nats: self.runs.baseline().and_then(|baseline| alternative.log_odds_of_one_token(baseline)),
            relevance,
        }
    }

    pub(super) fn contrast_of_rest(&self, alternative: &Alternative, done: &AlternativeRuns) -> Contrast {
        let from = alternative.first_difference;
        let mut relevance = vec![None; self.units.len()];
        let baseline = done.runs.baseline();
        for (job, unit) in done.units.iter().enumerate() {
            let of_alternative = done.runs.relevance(job, self.settings.score);
            if let Some(slot) = relevance.get_mut(*unit) {
                *slot = self.row(*unit).zip(of_alternative).and_then(|(target, other)| of_rest(&target, &other, from));
            }
        }
        let rest = |runs: &Runs| -> Option<f32> {
            let scores = runs.baseline()?.iter().skip(from);
            scores.map(|scores| Some(scores.as_ref()?.first()?.log_prob)).sum()
        };
        let log_odds = rest(&self.runs).zip(rest(&done.runs)).map(|(target, other)| target - other);
        let mut text = alternative.text.clone();
        for (token, scores) in text.tokens.iter_mut().zip(baseline.into_iter().flatten()) {
            token.log_prob = scores.as_ref().and_then(|scores| scores.first()).map(|score| score.log_prob);
        }
        Contrast {
            alternative: text,
            first_difference: from,
            compared: Compared::Rest,
            log_odds_nats: log_odds.filter(|odds| odds.is_finite()),
            relevance,
        }
    }
}

/// The unit with only those of its neighbours that stand before a position.
fn with_neighbours_before(unit: &Unit, end: usize) -> Unit {
    let pairs = unit.neighbours.iter().zip(&unit.similarities).filter(|(position, _)| **position < end);
    let (neighbours, similarities) = pairs.unzip();
    Unit { neighbours, similarities, ..unit.clone() }
}
