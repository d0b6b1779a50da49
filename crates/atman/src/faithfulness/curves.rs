//! From the probabilities after each step to curves, areas, means and spreads.

use super::{Measures, STEPS};

/// How many of `n_units` units are taken away at a step of 0 to [`STEPS`].
pub(super) fn taken(step: usize, n_units: usize) -> usize {
    (step * n_units).div_ceil(STEPS)
}

/// What each step takes away: for deletion the first 0, 1, .. 10 tenths of the order, then for insertion all but these. Each set is
/// sorted.
pub(super) fn removed_sets(order: &[usize]) -> Vec<Vec<usize>> {
    let sorted = |part: &[usize]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part
    };
    let cut = |step: usize| order.split_at(taken(step, order.len()));
    let deleted = (0..=STEPS).map(|step| sorted(cut(step).0));
    let not_inserted = (0..=STEPS).map(|step| sorted(cut(step).1));
    deleted.chain(not_inserted).collect()
}

impl Measures {
    /// Of the curves of one order of `n_units` units.
    pub(super) fn of_curves(
        deletion: Vec<Option<f32>>,
        insertion: Vec<Option<f32>>,
        n_units: usize,
        baseline: Option<f32>,
    ) -> Measures {
        let lost = |curve: &[Option<f32>]| {
            let steps: Option<Vec<f32>> = curve.iter().skip(1).copied().collect();
            Some(baseline? - mean(&steps?)?)
        };
        Measures {
            deletion_area: area(&deletion, n_units),
            insertion_area: area(&insertion, n_units),
            comprehensiveness: lost(&deletion),
            sufficiency: lost(&insertion),
            deletion,
            insertion,
        }
    }

    /// One number for each, of the same number in several: `None` where one of them has none.
    pub(super) fn combined(all: &[Measures], of: impl Fn(&[f32]) -> Option<f32>) -> Measures {
        let number = |pick: &dyn Fn(&Measures) -> Option<f32>| of(&all.iter().map(pick).collect::<Option<Vec<f32>>>()?);
        let curve = |pick: fn(&Measures) -> &Vec<Option<f32>>| {
            (0..=STEPS).map(|step| number(&|of| pick(of).get(step).copied().flatten())).collect()
        };
        Measures {
            deletion: curve(|of| &of.deletion),
            insertion: curve(|of| &of.insertion),
            deletion_area: number(&|of| of.deletion_area),
            insertion_area: number(&|of| of.insertion_area),
            comprehensiveness: number(&|of| of.comprehensiveness),
            sufficiency: number(&|of| of.sufficiency),
        }
    }
}

/// `None` of nothing.
pub(super) fn mean(values: &[f32]) -> Option<f32> {
    (!values.is_empty()).then(|| values.iter().sum::<f32>() / values.len() as f32)
}

/// Standard deviation of a sample, with one less than its size below; `None` of fewer than two.
pub(super) fn standard_deviation(values: &[f32]) -> Option<f32> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f32 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f32).sqrt())
}

/// Area under a curve over the share of the units that each step really takes away, by trapezoids.
fn area(curve: &[Option<f32>], n_units: usize) -> Option<f32> {
    let share = |step: usize| taken(step, n_units) as f32 / n_units as f32;
    let mut area = 0.0;
    for (step, pair) in curve.windows(2).enumerate() {
        let [Some(from), Some(to)] = *pair else { return None };
        area += (from + to) / 2.0 * (share(step + 1) - share(step));
    }
    (n_units > 0 && curve.len() == STEPS + 1).then_some(area)
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

    /// Two units: 0.8 with both, 0.4 without the first, 0.1 without either. Worked out by hand.
    #[test]
    fn areas_are_over_what_was_really_taken_away_and_averages_over_the_steps() {
        let curve = |values: [f32; 3]| {
            let [first, middle, last] = values.map(Some);
            [vec![first], vec![middle; 5], vec![last; 5]].concat()
        };
        let measures = Measures::of_curves(curve([0.8, 0.4, 0.1]), curve([0.1, 0.6, 0.8]), 2, Some(0.8));
        let is = |value: Option<f32>, expected: f32| (value.unwrap() - expected).abs() < 1e-6;
        // (0.8 + 0.4) / 2 * 0.5 + (0.4 + 0.1) / 2 * 0.5, where equal tenths would make the mean of the steps of it.
        assert!(is(measures.deletion_area, 0.425), "{measures:?}");
        assert!(is(measures.insertion_area, 0.525), "{measures:?}");
        // 0.8 - (5 * 0.4 + 5 * 0.1) / 10 and 0.8 - (5 * 0.6 + 5 * 0.8) / 10.
        assert!(is(measures.comprehensiveness, 0.55) && is(measures.sufficiency, 0.1), "{measures:?}");
    }

    #[test]
    fn what_has_a_gap_has_no_area() {
        let mut curve = vec![Some(0.5); STEPS + 1];
        assert!((area(&curve, 7).unwrap() - 0.5).abs() < 1e-6);
        curve[STEPS] = None;
        assert_eq!((area(&curve, 7), area(&[], 7), area(&[Some(0.5); STEPS + 1], 0)), (None, None, None));
        let measures = Measures::of_curves(curve, vec![Some(0.5); STEPS + 1], 7, Some(0.5));
        assert_eq!((measures.deletion_area, measures.comprehensiveness), (None, None));
        assert_eq!((measures.insertion_area.is_some(), measures.sufficiency), (true, Some(0.0)));
        let unknown = Measures::of_curves(vec![Some(0.5); STEPS + 1], vec![Some(0.5); STEPS + 1], 7, None);
        assert_eq!((unknown.comprehensiveness, unknown.sufficiency), (None, None));
    }

    /// 1, 2 and 6: mean 3, squares of the differences 4 + 1 + 9, over 2.
    #[test]
    fn several_orders_have_a_mean_and_a_spread() {
        let of = |area: f32| Measures { deletion_area: Some(area), ..Measures::default() };
        let all = [of(1.0), of(2.0), of(6.0)];
        let (mean, spread) = (Measures::combined(&all, mean), Measures::combined(&all, standard_deviation));
        assert_eq!((mean.deletion_area, mean.insertion_area), (Some(3.0), None));
        assert!((spread.deletion_area.unwrap() - 7.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(Measures::combined(&all[..1], standard_deviation).deletion_area, None);
    }
}
