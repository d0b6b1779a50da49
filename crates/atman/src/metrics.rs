//! How well scores find what they should.

/// Average precision (as scikit-learn's `average_precision_score`): the mean precision at each relevant item when items are
/// taken by falling score; items of equal score are taken at once. `None` where nothing is relevant.
pub fn average_precision(scores: &[f32], relevant: &[bool]) -> Option<f64> {
    let mut items: Vec<(f32, bool)> = scores.iter().copied().zip(relevant.iter().copied()).collect();
    items.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total = items.iter().filter(|(_, relevant)| *relevant).count();
    let (mut taken, mut found, mut sum) = (0, 0, 0.0);
    for equal in items.chunk_by(|a, b| a.0 == b.0) {
        let found_here = equal.iter().filter(|(_, relevant)| *relevant).count();
        taken += equal.len();
        found += found_here;
        sum += found_here as f64 * found as f64 / taken as f64;
    }
    (total > 0).then(|| sum / total as f64)
}

/// Soft precision and recall, as the AtMan paper (Deiseroth et al. 2023) weighs them: scores, negative ones as 0, are divided by their
/// greatest; precision is the share of all of them that lies on relevant items, recall their mean over relevant items.
/// Both 0 where no score is positive, `None` where nothing is relevant.
pub fn soft_precision_recall(scores: &[f32], relevant: &[bool]) -> Option<(f64, f64)> {
    let positive = |score: &f32| f64::from(score.max(0.0));
    let total: f64 = scores.iter().map(positive).sum();
    let greatest = scores.iter().map(positive).fold(0.0, f64::max);
    let count = relevant.iter().filter(|relevant| **relevant).count();
    let on_relevant: f64 = scores.iter().zip(relevant).filter(|(_, relevant)| **relevant).map(|(score, _)| positive(score)).sum();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    (count > 0).then(|| (ratio(on_relevant, total), ratio(on_relevant, greatest * count as f64)))
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The mean of what lies between the quartiles: a quarter of the values is left out at each end, the values at the border in
/// part. `None` of nothing.
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let (low, high) = (n / 4.0, n * 3.0 / 4.0);
    // Value i stands for the stretch from i to i + 1.
    let weight = |i: usize| ((i as f64 + 1.0).min(high) - (i as f64).max(low)).max(0.0);
    let sum: f64 = sorted.iter().enumerate().map(|(i, value)| weight(i) * value).sum();
    (!sorted.is_empty()).then(|| sum / (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_precision_is_the_mean_precision_at_what_is_relevant() {
        let relevant = [true, false, true, false];
        assert_eq!(average_precision(&[4.0, 1.0, 3.0, 2.0], &relevant), Some(1.0));
        // Found second and fourth: (1/2 + 2/4) / 2.
        assert_eq!(average_precision(&[3.0, 4.0, 1.0, 2.0], &relevant), Some(0.5));
        // All equal: as many as the share of relevant ones.
        assert_eq!(average_precision(&[1.0; 4], &relevant), Some(0.5));
        assert_eq!(average_precision(&[1.0], &[false]), None);
    }

    #[test]
    fn soft_precision_and_recall_weigh_by_score() {
        let (precision, recall) = soft_precision_recall(&[2.0, 1.0, 1.0, -5.0], &[true, true, false, false]).unwrap();
        assert!((precision - 0.75).abs() < 1e-12 && (recall - 0.75).abs() < 1e-12);
        assert_eq!(soft_precision_recall(&[-1.0, 0.0], &[true, false]), Some((0.0, 0.0)));
        assert_eq!(soft_precision_recall(&[1.0], &[false]), None);
    }

    #[test]
    fn the_interquartile_mean_leaves_a_quarter_out_at_each_end() {
        assert_eq!(interquartile_mean(&[100.0, 3.0, 1.0, 2.0, 4.0, -50.0, 3.0, 3.0]), Some(2.75));
        // Of five, the middle two and a half.
        let mean = interquartile_mean(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!((mean - 3.0).abs() < 1e-12);
        assert_eq!(interquartile_mean(&[7.0]), Some(7.0));
        assert_eq!(interquartile_mean(&[]), None);
    }
}
