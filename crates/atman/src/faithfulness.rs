//! How far the order of an explanation's units can be trusted: what happens to the target when they are taken away in that
//! order, beside other orders.
//!
//! Units are taken away by another operator than the one that ranked them, so that the measurement does not confirm itself:
//! their keys are removed from attention in all layers, or, where the explanation did just that, their tokens are left out.

use crate::job::Job;
use crate::runs::{Outcome, Runs};
use kernels::Operator;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;

/// Parts of the units that are taken away one after another.
pub const STEPS: usize = 10;

/// How faithfulness is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaithfulnessSettings {
    /// Random orders to average over.
    pub random_orders: usize,
    /// What they are drawn with.
    pub seed: u64,
}

impl Default for FaithfulnessSettings {
    fn default() -> FaithfulnessSettings {
        FaithfulnessSettings { random_orders: 3, seed: 0 }
    }
}

/// Faithfulness of an order of units, beside others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Faithfulness {
    /// How units were taken away.
    pub removal: Removal,
    /// Units of the prompt that were ordered; sinks are left alone.
    pub n_units: usize,
    /// The probability of a target token with everything there: the geometric mean over the target.
    pub baseline_probability: f32,
    /// The explanation's order first.
    pub orders: Vec<OrderCurves>,
}

/// How units were taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Their keys were removed from attention: log-additive with factor 0 in all layers.
    Keys,
    /// Their tokens were left out, and what comes after moved up.
    Tokens,
}

/// What an order of units does to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCurves {
    /// By what the units are ordered.
    pub order: Order,
    /// Probability of a target token (geometric mean) after the first 0, 10, .. 100 % of the units were taken away.
    pub deletion: Vec<f32>,
    /// The same with only the first 0, 10, .. 100 % of the units there.
    pub insertion: Vec<f32>,
    /// Area under `deletion`; the lower, the better the order.
    pub deletion_area: f32,
    /// Area under `insertion`; the higher, the better the order.
    pub insertion_area: f32,
    /// How much probability is lost without the first units, on average over 10, 20, .. 100 % of them (DeYoung et al. 2020);
    /// the higher, the better.
    pub comprehensiveness: f32,
    /// How much is lost with nothing but the first units, on average over the same; the lower, the better.
    pub sufficiency: f32,
}

/// By what units are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The explanation's relevance.
    Explanation,
    /// Nothing: the mean of several random orders.
    Random,
    /// Where they stand, the first first.
    Position,
    /// How much less likely the target is when a unit's tokens are left out.
    LeaveOneOut,
}

/// A measurement under way.
#[derive(Debug)]
pub(crate) struct Measuring {
    settings: FaithfulnessSettings,
    removal: Removal,
    /// Positions of each unit in question.
    elements: Vec<Vec<usize>>,
    /// Their relevance.
    scores: Vec<f32>,
    /// The first position whose output is wanted.
    first_wanted: usize,
    n_layers: usize,
    leave_one_out: Range<usize>,
    /// Runs by the units that they take away.
    jobs: HashMap<Vec<usize>, usize>,
    orders: Vec<(Order, Vec<usize>)>,
}

/// Upper bound of the runs that a measurement takes, beside one for each unit to leave it out.
pub(crate) fn most_runs(settings: FaithfulnessSettings) -> usize {
    // Deletion by 1 to 10 steps and insertion of 0 to 9, the last and the first of which are the same.
    (3 + settings.random_orders) * (2 * STEPS - 1)
}

impl Measuring {
    /// Of units given by their positions with a score each.
    pub(crate) fn new(
        settings: FaithfulnessSettings,
        removal: Removal,
        units: Vec<(Vec<usize>, f32)>,
        first_wanted: usize,
        n_layers: usize,
    ) -> Measuring {
        let (elements, scores) = units.into_iter().unzip();
        Measuring {
            settings,
            removal,
            elements,
            scores,
            first_wanted,
            n_layers,
            leave_one_out: 0..0,
            jobs: HashMap::new(),
            orders: Vec::new(),
        }
    }

    /// Goes on with other settings, from the runs that left units out.
    pub(crate) fn set_settings(&mut self, settings: FaithfulnessSettings) {
        self.settings = settings;
    }

    /// The runs that the order by leaving units out needs.
    pub(crate) fn leave_one_out_jobs(&self) -> Vec<Job> {
        self.elements.iter().map(|positions| Job::without(positions, self.first_wanted)).collect()
    }

    /// The runs of all curves, once those for leaving units out, which are the numbers `leave_one_out`, are done.
    pub(crate) fn curve_jobs(&mut self, runs: &Runs, leave_one_out: Range<usize>, first: usize) -> Vec<Job> {
        self.leave_one_out = leave_one_out;
        let left_out = self.leave_one_out_scores(runs);
        self.orders = vec![(Order::Explanation, by_falling(&self.scores))];
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        for _ in 0..self.settings.random_orders {
            let keys: Vec<u64> = self.elements.iter().map(|_| random.next_u64()).collect();
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by_key(|element| keys.get(*element).copied());
            self.orders.push((Order::Random, order));
        }
        self.orders.push((Order::Position, (0..self.elements.len()).collect()));
        self.orders.push((Order::LeaveOneOut, by_falling(&left_out)));
        let mut jobs = Vec::new();
        let all: Vec<Vec<usize>> = self.orders.iter().flat_map(|(_, order)| removed_sets(order)).collect();
        for removed in all {
            if !removed.is_empty() && !self.jobs.contains_key(&removed) {
                jobs.push(self.removal_job(&removed));
                self.jobs.insert(removed, first + jobs.len() - 1);
            }
        }
        jobs
    }

    fn leave_one_out_scores(&self, runs: &Runs) -> Vec<f32> {
        let baseline = runs.baseline().map_or(0.0, mean_log_prob);
        // Where nothing is left to predict from, nothing is left of the target.
        let of = |job| runs.outcome(job).map_or(0.0, |outcome| baseline - mean_log_prob(outcome));
        self.leave_one_out.clone().map(of).collect()
    }

    fn removal_job(&self, removed: &[usize]) -> Job {
        let mut positions: Vec<usize> =
            removed.iter().filter_map(|element| self.elements.get(*element)).flatten().copied().collect();
        positions.sort_unstable();
        match self.removal {
            Removal::Tokens => Job::without(&positions, self.first_wanted),
            Removal::Keys => {
                let factors = positions.into_iter().map(|position| (position, 0.0)).collect();
                Job::scaled(factors, Operator::LogAdditive, 0..self.n_layers)
            }
        }
    }

    /// The result, once all runs are done.
    pub(crate) fn finish(&self, runs: &Runs) -> Faithfulness {
        let baseline_probability = runs.baseline().map_or(0.0, mean_log_prob).exp();
        let probability = |removed: &Vec<usize>| {
            let outcome = self.jobs.get(removed).and_then(|job| runs.outcome(*job));
            if removed.is_empty() { baseline_probability } else { outcome.map_or(0.0, |outcome| mean_log_prob(outcome).exp()) }
        };
        let curves = |order: &[usize]| {
            let sets = removed_sets(order);
            let (deletion, insertion) = sets.split_at(STEPS + 1);
            let of = |sets: &[Vec<usize>]| sets.iter().map(probability).collect::<Vec<f32>>();
            (of(deletion), of(insertion))
        };
        let mut orders: Vec<OrderCurves> = Vec::new();
        for kind in [Order::Explanation, Order::Random, Order::Position, Order::LeaveOneOut] {
            let all: Vec<_> = self.orders.iter().filter(|(of, _)| *of == kind).map(|(_, order)| curves(order)).collect();
            if all.is_empty() {
                continue;
            }
            let (deletions, insertions): (Vec<_>, Vec<_>) = all.into_iter().unzip();
            let (deletion, insertion) = (mean_curve(&deletions), mean_curve(&insertions));
            let lost = |curve: &[f32]| {
                curve.iter().skip(1).map(|probability| baseline_probability - probability).sum::<f32>() / STEPS as f32
            };
            orders.push(OrderCurves {
                order: kind,
                deletion_area: area(&deletion),
                insertion_area: area(&insertion),
                comprehensiveness: lost(&deletion),
                sufficiency: lost(&insertion),
                deletion,
                insertion,
            });
        }
        Faithfulness { removal: self.removal, n_units: self.elements.len(), baseline_probability, orders }
    }
}

/// What each step takes away: for deletion the first 0, 1, .. 10 tenths of the order, then for insertion all but these.
fn removed_sets(order: &[usize]) -> Vec<Vec<usize>> {
    let sorted = |part: &[usize]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part
    };
    let cut = |step: usize| order.split_at((step * order.len()).div_ceil(STEPS));
    let deleted = (0..=STEPS).map(|step| sorted(cut(step).0));
    let not_inserted = (0..=STEPS).map(|step| sorted(cut(step).1));
    deleted.chain(not_inserted).collect()
}

/// The mean of several curves, step by step.
fn mean_curve(curves: &[Vec<f32>]) -> Vec<f32> {
    let at = |step: usize| curves.iter().filter_map(|curve| curve.get(step)).sum::<f32>();
    (0..=STEPS).map(|step| at(step) / curves.len().max(1) as f32).collect()
}

/// Elements by falling score, equal ones in their order.
fn by_falling(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores.get(*b).unwrap_or(&0.0).total_cmp(scores.get(*a).unwrap_or(&0.0)));
    order
}

/// The mean log-probability of the target's tokens; minus infinity where one could not be predicted at all.
fn mean_log_prob(outcome: &Outcome) -> f32 {
    let of = |scores: &Option<Vec<crate::TokenScore>>| {
        scores.as_ref().and_then(|scores| scores.first()).map_or(f32::NEG_INFINITY, |score| score.log_prob)
    };
    outcome.iter().map(of).sum::<f32>() / outcome.len().max(1) as f32
}

/// Area under a curve over 0 to 1, by trapezoids.
fn area(curve: &[f32]) -> f32 {
    let steps = curve.len().saturating_sub(1).max(1) as f32;
    curve.windows(2).map(|pair| pair.iter().sum::<f32>() / 2.0).sum::<f32>() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_away_tenths_from_the_front_and_insertion_is_what_they_leave() {
        let sets = removed_sets(&[2, 0, 1]);
        assert_eq!(sets.len(), 2 * (STEPS + 1));
        let lens = |sets: &[Vec<usize>]| sets.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lens(&sets[..=STEPS]), [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]);
        assert_eq!((&sets[1], &sets[4]), (&vec![2], &vec![0, 2]));
        assert_eq!(sets[STEPS + 1], [0, 1, 2]);
        assert_eq!((&sets[STEPS + 2], sets.last().unwrap()), (&vec![0, 1], &vec![]));
        let distinct: std::collections::HashSet<_> = sets.iter().filter(|set| !set.is_empty()).collect();
        assert!(distinct.len() < 2 * STEPS);
    }

    #[test]
    fn an_area_is_the_mean_height() {
        assert!((area(&[0.5; 11]) - 0.5).abs() < 1e-6);
        assert!((area(&[1.0, 0.0]) - 0.5).abs() < 1e-6);
        assert_eq!(area(&[]), 0.0);
    }

    #[test]
    fn equal_scores_keep_their_order() {
        assert_eq!(by_falling(&[1.0, 3.0, 1.0, 2.0]), [1, 3, 0, 2]);
    }
}
