//! Whether one order is better than another, or cannot be told from it.

use super::{Faithfulness, Measures, Order, OrderCurves};

/// How the explanation's order compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is better, by more than chance does.
    Better,
    /// It is worse, by more than chance does.
    Worse,
    /// The difference is no greater than what chance does.
    Unclear,
}

/// How many standard deviations a difference must exceed.
const DEVIATIONS: f32 = 2.0;

impl Faithfulness {
    /// The curves of a kind of order.
    pub fn of(&self, order: Order) -> Option<&OrderCurves> {
        self.orders.iter().find(|curves| curves.order == order)
    }

    /// How the explanation's order compares with another: by the area without its first units, and by that with only them. `None`
    /// where an area could not be computed, or fewer than two random orders tell how far areas scatter.
    ///
    /// What an area is by chance is told by the random orders, whose areas have a standard deviation s. A single order, the
    /// explanation's too, is taken to scatter by s, a mean of n orders by s / sqrt(n), and their difference by the root of the sum of
    /// squares. What exceeds twice that counts: of random orders, beside the mean of ten others, 4 % are then called better and 4 %
    /// worse (by Student's distribution with 9 degrees of freedom).
    pub fn verdicts(&self, other: Order) -> [Option<Verdict>; 2] {
        let lower_is_better = self.verdict(other, |measures| measures.deletion_area.map(|area| -area));
        [lower_is_better, self.verdict(other, |measures| measures.insertion_area)]
    }

    /// By a number of which more is better.
    fn verdict(&self, other: Order, number: impl Fn(&Measures) -> Option<f32>) -> Option<Verdict> {
        let own = number(&self.of(Order::Explanation)?.measures)?;
        let other = self.of(other)?;
        let spread = number(self.of(Order::Random)?.spread.as_ref()?)?.abs();
        let needed = DEVIATIONS * spread * (1.0 + 1.0 / other.n_orders as f32).sqrt();
        let difference = own - number(&other.measures)?;
        Some(match difference {
            _ if difference > needed => Verdict::Better,
            _ if difference < -needed => Verdict::Worse,
            _ => Verdict::Unclear,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Removal, STEPS};
    use super::*;

    fn faithfulness(own: [f32; 2], random: [f32; 2], spread: Option<[f32; 2]>, position: [f32; 2]) -> Faithfulness {
        let measures = |[deletion, insertion]: [f32; 2]| Measures {
            deletion_area: Some(deletion),
            insertion_area: Some(insertion),
            ..Measures::default()
        };
        let of = |order, areas, n_orders, spread: Option<[f32; 2]>| OrderCurves {
            order,
            n_orders,
            measures: measures(areas),
            spread: spread.map(measures),
        };
        Faithfulness {
            span: None,
            removal: Removal::Keys,
            difference_from_keys: Some(0.5),
            n_units: 10,
            taken: (0..=STEPS).collect(),
            baseline_probability: Some(0.9),
            orders: vec![
                of(Order::Explanation, own, 1, None),
                of(Order::Random, random, 10, spread),
                of(Order::Position, position, 1, None),
            ],
        }
    }

    /// With a spread of 0.1 the mean of ten orders must be exceeded by 2 * 0.1 * sqrt(1.1) = 0.2098, a single order by
    /// 2 * 0.1 * sqrt(2) = 0.2828.
    #[test]
    fn a_difference_counts_when_it_exceeds_the_spread() {
        let verdicts = |own, order| faithfulness(own, [0.5, 0.5], Some([0.1, 0.1]), [0.5, 0.5]).verdicts(order);
        let (better, worse, unclear) = (Some(Verdict::Better), Some(Verdict::Worse), Some(Verdict::Unclear));
        assert_eq!(verdicts([0.28, 0.72], Order::Random), [better, better]);
        assert_eq!(verdicts([0.3, 0.7], Order::Random), [unclear, unclear]);
        assert_eq!(verdicts([0.72, 0.28], Order::Random), [worse, worse]);
        assert_eq!(verdicts([0.23, 0.77], Order::Position), [unclear, unclear]);
        assert_eq!(verdicts([0.2, 0.2], Order::Position), [better, worse]);
        assert_eq!(verdicts([0.5, 0.5], Order::LeaveOneOut), [None, None], "it was not measured");
    }

    #[test]
    fn without_a_spread_nothing_is_told() {
        assert_eq!(faithfulness([0.1, 0.9], [0.5, 0.5], None, [0.5, 0.5]).verdicts(Order::Random), [None, None]);
    }
}
