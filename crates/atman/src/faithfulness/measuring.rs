//! A measurement under way: which runs it needs, one stage after the other, and what they come to.

use super::curves::{mean, removed_sets, standard_deviation, taken};
use super::difference::{COMPARED_UNITS, difference, removal};
use super::{Faithfulness, FaithfulnessSettings, Measures, Order, OrderCurves, Removal, STEPS};
use crate::job::Job;
use crate::runs::{Outcome, Runs};
use kernels::Operator;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::HashMap;

/// A unit in question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Element {
    pub(crate) positions: Vec<usize>,
    /// The run that ranked it.
    pub(crate) job: Option<usize>,
}

/// What a run takes away: some elements, by rising number, in one of the ways.
type Removed = (Removal, Vec<usize>);

/// Measurements of the same units, one after another: runs that one of them made serve the next.
#[derive(Debug)]
pub(crate) struct Measuring {
    elements: Vec<Element>,
    /// The first position whose output is wanted.
    first_wanted: usize,
    n_layers: usize,
    /// Runs by what they take away.
    jobs: HashMap<Removed, usize>,
    settings: FaithfulnessSettings,
    /// The target tokens in question; all if not given.
    span: Option<[usize; 2]>,
    /// Relevance of the elements for these.
    scores: Vec<Option<f32>>,
    removal: Removal,
    difference_from_keys: Option<f32>,
    orders: Vec<(Order, Vec<usize>)>,
}

/// Runs that take away single units of so many, for the order by leaving one out and to compare what ranked them with removing keys.
pub(crate) fn most_single_runs(n_units: usize) -> usize {
    n_units + n_units.min(COMPARED_UNITS)
}

/// Upper bound of the runs that the curves of so many units take.
pub(crate) fn most_curve_runs(settings: FaithfulnessSettings, n_units: usize) -> usize {
    // Deletion by 1 to 10 steps and insertion of 0 to 9: the last of the one and the first of the other are the same in all orders,
    // and few units have fewer steps.
    let n_orders = 3usize.saturating_add(settings.random_orders);
    let of_order = 2 * n_units.saturating_sub(1).min(STEPS - 1);
    let most_sets = u32::try_from(n_units).ok().and_then(|n| 1usize.checked_shl(n)).map_or(usize::MAX, |sets| sets - 1);
    n_orders.saturating_mul(of_order).saturating_add(1).min(most_sets)
}

impl Measuring {
    pub(crate) fn new(elements: Vec<Element>, first_wanted: usize, n_layers: usize) -> Measuring {
        Measuring {
            elements,
            first_wanted,
            n_layers,
            jobs: HashMap::new(),
            settings: FaithfulnessSettings::default(),
            span: None,
            scores: Vec::new(),
            removal: Removal::Tokens,
            difference_from_keys: None,
            orders: Vec::new(),
        }
    }

    /// Begins a measurement: on a span of target tokens, for which the elements have these scores. The runs that take away single
    /// elements are what it needs first; those that are there already are not among them.
    pub(crate) fn begin(
        &mut self,
        settings: FaithfulnessSettings,
        span: Option<[usize; 2]>,
        scores: Vec<Option<f32>>,
        first: usize,
    ) -> Vec<Job> {
        (self.settings, self.span, self.scores) = (settings, span, scores);
        let left_out = (0..self.elements.len()).map(|element| (Removal::Tokens, vec![element]));
        let compared = self.compared().into_iter().map(|element| (Removal::Keys, vec![element]));
        self.missing(left_out.chain(compared).collect(), first)
    }

    /// The elements by which what ranked them is compared with removing keys.
    fn compared(&self) -> Vec<usize> {
        let sizes: Vec<Option<f32>> = self.scores.iter().map(|score| score.map(f32::abs)).collect();
        let mut strongest = by_falling(&sizes);
        strongest.truncate(COMPARED_UNITS);
        strongest
    }

    /// The runs of all curves, once those of [`Measuring::begin`] are done; those that are there already are not among them.
    pub(crate) fn curve_jobs(&mut self, runs: &Runs, first: usize) -> Vec<Job> {
        self.difference_from_keys = self.measured_difference(runs);
        self.removal = removal(self.difference_from_keys);
        let n_elements = self.elements.len();
        self.orders = vec![(Order::Explanation, by_falling(&self.scores))];
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        for _ in 0..self.settings.random_orders {
            let keys: Vec<u64> = (0..n_elements).map(|_| random.next_u64()).collect();
            let mut order: Vec<usize> = (0..n_elements).collect();
            order.sort_by_key(|element| keys.get(*element).copied());
            self.orders.push((Order::Random, order));
        }
        self.orders.push((Order::Position, (0..n_elements).collect()));
        self.orders.push((Order::LeaveOneOut, by_falling(&self.leave_one_out_scores(runs))));
        let sets = self.orders.iter().flat_map(|(_, order)| removed_sets(order));
        self.missing(sets.map(|set| (self.removal, set)).collect(), first)
    }

    /// The jobs of what has no run yet; `first` is the number of the first of them.
    fn missing(&mut self, wanted: Vec<Removed>, first: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        for removed in wanted {
            if !removed.1.is_empty() && !self.jobs.contains_key(&removed) {
                jobs.push(self.job(&removed));
                self.jobs.insert(removed, first + jobs.len() - 1);
            }
        }
        jobs
    }

    fn job(&self, (removal, elements): &Removed) -> Job {
        let positions = elements.iter().filter_map(|element| self.elements.get(*element)).flat_map(|of| of.positions.iter());
        let mut positions: Vec<usize> = positions.copied().collect();
        positions.sort_unstable();
        match removal {
            Removal::Tokens => Job::without(&positions, self.first_wanted),
            Removal::Keys => {
                let factors = positions.into_iter().map(|position| (position, 0.0)).collect();
                Job::scaled(factors, Operator::LogAdditive, 0..self.n_layers)
            }
        }
    }

    fn outcome<'a>(&self, runs: &'a Runs, removed: &Removed) -> Option<&'a Outcome> {
        if removed.1.is_empty() { runs.baseline() } else { runs.outcome(*self.jobs.get(removed)?) }
    }

    /// Log-probabilities of the span's tokens; `None` of those that could not be predicted.
    fn log_probs(&self, outcome: &Outcome) -> Vec<Option<f32>> {
        let span = self.span.map_or(0..outcome.len(), |[first, end]| first..end);
        let of_token = |token: usize| outcome.get(token)?.as_ref()?.first().map(|score| score.log_prob);
        span.map(|token| of_token(token).filter(|log_prob| log_prob.is_finite())).collect()
    }

    /// Their mean; `None` where one of them could not be predicted.
    fn mean_log_prob(&self, runs: &Runs, removed: &Removed) -> Option<f32> {
        let log_probs: Option<Vec<f32>> = self.log_probs(self.outcome(runs, removed)?).into_iter().collect();
        mean(&log_probs?)
    }

    fn leave_one_out_scores(&self, runs: &Runs) -> Vec<Option<f32>> {
        let baseline = self.mean_log_prob(runs, &(Removal::Tokens, Vec::new()));
        let of = |element| Some(baseline? - self.mean_log_prob(runs, &(Removal::Tokens, vec![element]))?);
        (0..self.elements.len()).map(of).collect()
    }

    fn measured_difference(&self, runs: &Runs) -> Option<f32> {
        let baseline = self.log_probs(runs.baseline()?);
        let changes = |outcome: &Outcome| -> Vec<Option<f32>> {
            let pairs = baseline.iter().zip(self.log_probs(outcome));
            pairs.map(|(baseline, changed)| Some((*baseline)? - changed?)).collect()
        };
        let mut pairs: Vec<(f32, f32)> = Vec::new();
        for element in self.compared() {
            let ranking = self.elements.get(element).and_then(|of| runs.outcome(of.job?));
            let Some((ranking, removing)) = ranking.zip(self.outcome(runs, &(Removal::Keys, vec![element]))) else { continue };
            pairs.extend(changes(ranking).into_iter().zip(changes(removing)).filter_map(|(a, b)| a.zip(b)));
        }
        difference(pairs.into_iter())
    }

    /// The result, once all runs are done.
    pub(crate) fn finish(&self, runs: &Runs) -> Faithfulness {
        let n_units = self.elements.len();
        let probability = |set: &Vec<usize>| self.mean_log_prob(runs, &(self.removal, set.clone())).map(f32::exp);
        let baseline_probability = probability(&Vec::new());
        let measures = |order: &[usize]| {
            let sets = removed_sets(order);
            let (deletion, insertion) = sets.split_at(STEPS + 1);
            let of = |sets: &[Vec<usize>]| sets.iter().map(probability).collect();
            Measures::of_curves(of(deletion), of(insertion), n_units, baseline_probability)
        };
        let mut orders: Vec<OrderCurves> = Vec::new();
        for order in [Order::Explanation, Order::Random, Order::Position, Order::LeaveOneOut] {
            let of_kind = self.orders.iter().filter(|(of, _)| *of == order);
            let all: Vec<Measures> = of_kind.map(|(_, order)| measures(order)).collect();
            if !all.is_empty() {
                orders.push(OrderCurves {
                    order,
                    n_orders: all.len(),
                    spread: (all.len() > 1).then(|| Measures::combined(&all, standard_deviation)),
                    measures: Measures::combined(&all, mean),
                });
            }
        }
        Faithfulness {
            span: self.span,
            removal: self.removal,
            difference_from_keys: self.difference_from_keys,
            n_units,
            taken: (0..=STEPS).map(|step| taken(step, n_units)).collect(),
            baseline_probability,
            orders,
        }
    }
}

/// Elements by falling score, equal ones in their order, those without one last.
fn by_falling(scores: &[Option<f32>]) -> Vec<usize> {
    let mut order: Vec<(usize, Option<f32>)> = scores.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(a),
        _ => b.is_some().cmp(&a.is_some()),
    });
    order.into_iter().map(|(element, _)| element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_keep_their_order_and_unknown_ones_come_last() {
        assert_eq!(by_falling(&[1.0, 3.0, 1.0, 2.0].map(Some)), [1, 3, 0, 2]);
        assert_eq!(by_falling(&[None, Some(-5.0), None, Some(2.0)]), [3, 1, 0, 2]);
    }

    /// The sets of three units that can be taken away are seven, however many orders there are.
    #[test]
    fn few_units_take_few_runs() {
        let settings = FaithfulnessSettings { random_orders: 10, seed: 0 };
        assert_eq!((most_single_runs(3), most_curve_runs(settings, 3)), (6, 7));
        assert_eq!((most_single_runs(40), most_curve_runs(settings, 40)), (48, 13 * 18 + 1));
        assert_eq!(most_curve_runs(FaithfulnessSettings { random_orders: usize::MAX, seed: 0 }, 100), usize::MAX);
    }

    #[test]
    fn a_run_that_is_there_is_not_made_again() {
        let elements = (0..3).map(|at| Element { positions: vec![at + 1], job: Some(at) }).collect();
        let mut measuring = Measuring::new(elements, 4, 2);
        let scores = vec![Some(1.0), Some(2.0), Some(0.5)];
        let settings = FaithfulnessSettings::default();
        assert_eq!(measuring.begin(settings, None, scores.clone(), 10).len(), 6, "left out and removed, each of three");
        assert_eq!(measuring.begin(settings, Some([0, 1]), scores, 16), []);
        assert_eq!(measuring.missing(vec![(Removal::Keys, vec![0]), (Removal::Keys, vec![0, 2])], 16).len(), 1);
        assert_eq!(measuring.jobs.get(&(Removal::Keys, vec![0, 2])), Some(&16));
    }
}
