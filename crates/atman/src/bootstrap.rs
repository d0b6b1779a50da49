//! How far a mean over questions would move with other questions.

use crate::metrics::quantile;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Where what is measured lies with a given confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The percentile bootstrap (Efron 1979): questions are drawn with replacement, as many as there are, again and again; the interval
/// is what lies between the quantiles of what is measured on the draws. A seed always gives the same draws, so that what is measured
/// on the same questions is measured on the same draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// How often questions are drawn.
    pub draws: usize,
    /// What the random numbers come from.
    pub seed: u64,
    /// The part of the draws that the interval spans, such as 0.95.
    pub confidence: f64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { draws: 2000, seed: 0, confidence: 0.95 }
    }
}

impl Bootstrap {
    /// The interval of a figure of `n` questions, which is measured on the numbers of those that were drawn. `None` of fewer than
    /// two questions, which say nothing about others, and where a draw has no such figure.
    pub fn interval(&self, n: usize, figure: impl Fn(&[usize]) -> Option<f64>) -> Option<Interval> {
        if n < 2 {
            return None;
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut drawn = vec![0; n];
        let mut figures = Vec::with_capacity(self.draws);
        for _ in 0..self.draws {
            // The bias of the remainder is n in 2^64.
            drawn.fill_with(|| usize::try_from(random.next_u64() % n as u64).unwrap_or(0));
            figures.push(figure(&drawn)?);
        }
        figures.sort_by(f64::total_cmp);
        let outside = (1.0 - self.confidence) / 2.0;
        Some(Interval { low: quantile(&figures, outside)?, high: quantile(&figures, 1.0 - outside)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::mean;

    fn interval_of_mean(values: &[f64]) -> Option<Interval> {
        Bootstrap::default().interval(values.len(), |drawn| mean(&drawn.iter().map(|i| values[*i]).collect::<Vec<f64>>()))
    }

    #[test]
    fn the_interval_of_a_mean_is_nearly_that_of_the_normal_distribution() {
        // Of 400 questions half have 0 and half 1: the mean's standard error is 0.5 / 20.
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let Interval { low, high } = interval_of_mean(&values).unwrap();
        assert!((low - (0.5 - 1.96 * 0.025)).abs() < 0.005 && (high - (0.5 + 1.96 * 0.025)).abs() < 0.005, "{low} {high}");
        assert_eq!(interval_of_mean(&values), interval_of_mean(&values));
        assert_ne!(
            Bootstrap { seed: 1, ..Bootstrap::default() }.interval(400, |drawn| Some(drawn[0] as f64)),
            Bootstrap::default().interval(400, |drawn| Some(drawn[0] as f64))
        );
    }

    #[test]
    fn a_pair_moves_together() {
        // Each of the two moves by much, their difference not at all.
        let one: Vec<f64> = (0..50).map(f64::from).collect();
        let difference = |drawn: &[usize]| {
            let of = |by: f64| mean(&drawn.iter().map(|i| one[*i] + by).collect::<Vec<f64>>());
            Some(of(0.5)? - of(0.0)?)
        };
        let Interval { low, high } = Bootstrap::default().interval(50, difference).unwrap();
        assert!((low - 0.5).abs() < 1e-9 && (high - 0.5).abs() < 1e-9);
        let alone = interval_of_mean(&one).unwrap();
        assert!(alone.high - alone.low > 6.0);
    }

    #[test]
    fn what_cannot_be_known_is_absent() {
        assert_eq!(interval_of_mean(&[]), None);
        assert_eq!(interval_of_mean(&[0.7]), None);
        assert_eq!(Bootstrap::default().interval(3, |_| None), None);
    }
}
