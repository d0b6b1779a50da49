//! How well scores find what they should.

/// Items of one score, such as the pixels of a part of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    /// What each of them has.
    pub score: f32,
    /// How many they are.
    pub count: usize,
    /// How many of them are relevant.
    pub relevant: usize,
}

impl Group {
    fn each(scores: &[f32], relevant: &[bool]) -> Vec<Group> {
        let group = |(score, relevant): (&f32, &bool)| Group { score: *score, count: 1, relevant: usize::from(*relevant) };
        scores.iter().zip(relevant).map(group).collect()
    }
}

/// Average precision (as scikit-learn's `average_precision_score`): the mean precision at each relevant item when items are
/// taken by falling score; items of equal score are taken at once. `None` where nothing is relevant.
pub fn average_precision(scores: &[f32], relevant: &[bool]) -> Option<f64> {
    average_precision_of_groups(&Group::each(scores, relevant))
}

/// The [`average_precision`] of the items of all groups.
///
/// Of the pixels of a picture, which each part of it gives its score, this is the area under precision over recall as the
/// threshold falls from the greatest score to the least: all thresholds that there are, with nothing to choose. Overlap
/// (intersection over union) would need a grid of thresholds on scores that have no common scale.
pub fn average_precision_of_groups(groups: &[Group]) -> Option<f64> {
    let mut groups = groups.to_vec();
    groups.sort_by(|a, b| b.score.total_cmp(&a.score));
    let total: usize = groups.iter().map(|group| group.relevant).sum();
    let (mut taken, mut found, mut sum) = (0, 0, 0.0);
    for equal in groups.chunk_by(|a, b| a.score == b.score) {
        let found_here: usize = equal.iter().map(|group| group.relevant).sum();
        taken += equal.iter().map(|group| group.count).sum::<usize>();
        found += found_here;
        if found_here > 0 {
            sum += found_here as f64 * found as f64 / taken as f64;
        }
    }
    (total > 0).then(|| sum / total as f64)
}

/// Soft precision and recall: scores, negative ones as 0, are divided by their greatest; precision is the share of all of them that
/// lies on relevant items, recall their mean over relevant items. Both 0 where no score is positive, `None` where nothing is
/// relevant.
///
/// With the squares of the scores as [`sum_of_squares`] has them, these are the precision and the recall of the AtMan authors'
/// own code, whose means over questions the paper (Deiseroth et al. 2023) calls mAP and mAR. That is another thing than
/// [`average_precision`], which depends on the order of the scores alone.
pub fn soft_precision_recall(scores: &[f32], relevant: &[bool]) -> Option<(f64, f64)> {
    soft_precision_recall_of_groups(&Group::each(scores, relevant))
}

/// The [`soft_precision_recall`] of the items of all groups.
pub fn soft_precision_recall_of_groups(groups: &[Group]) -> Option<(f64, f64)> {
    let groups: Vec<&Group> = groups.iter().filter(|group| group.count > 0).collect();
    let positive = |group: &Group| f64::from(group.score.max(0.0));
    let total: f64 = groups.iter().map(|group| positive(group) * group.count as f64).sum();
    let greatest = groups.iter().map(|group| positive(group)).fold(0.0, f64::max);
    let count: usize = groups.iter().map(|group| group.relevant).sum();
    let on_relevant: f64 = groups.iter().map(|group| positive(group) * group.relevant as f64).sum();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    (count > 0).then(|| (ratio(on_relevant, total), ratio(on_relevant, greatest * count as f64)))
}

/// A unit's score as the AtMan authors' evaluation takes it unless told otherwise (`openimages_eval.py` of their repository
/// Aleph-Alpha/AtMan): its relevance for each target token squared, then summed, so that what speaks against a token counts like
/// what supports it. `None` where there is nothing to sum.
pub fn sum_of_squares(row: &[Option<f32>]) -> Option<f32> {
    let known: Vec<f32> = row.iter().flatten().map(|relevance| relevance * relevance).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

/// The pointing game (Zhang et al. 2016, arXiv 1608.00507): 1 where the strongest point lies on what is relevant, 0 where it
/// does not. The strongest point of parts of a picture is the middle of the strongest part, where smoothing would put it;
/// `on_relevant` says of each part whether its middle lies on what is relevant. Of several that are equally strong, the share
/// of them. There is no tolerance around what is relevant. `None` without scores.
pub fn pointing_game(scores: &[f32], on_relevant: &[bool]) -> Option<f64> {
    let greatest = scores.iter().copied().reduce(f32::max)?;
    let strongest =
        scores.iter().zip(on_relevant).filter(|(score, _)| **score == greatest).map(|(_, hit)| f64::from(u8::from(*hit)));
    mean(&strongest.collect::<Vec<f64>>())
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The value below which that part of sorted values lies, between two values in proportion (as numpy's `quantile`). `None` of nothing.
pub fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = part.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
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
    fn the_authors_precision_and_recall_weigh_by_squares_of_each_target_token() {
        // Four units, two target tokens; the first and the third unit are the answer.
        let rows = [[Some(2.0), Some(1.0)], [Some(1.0), Some(-3.0)], [Some(1.0), None], [Some(-1.0), Some(-1.0)]];
        let relevant = [true, false, true, false];
        // Ours: 3, -2, 1, -2; negative ones as 0. 4 of 4 lies on the answer, which has (3 + 1) / 3 of two.
        let sums: Vec<f32> = rows.iter().map(|row| crate::sum(row, 0..2).unwrap()).collect();
        assert_eq!(sums, [3.0, -2.0, 1.0, -2.0]);
        let (precision, recall) = soft_precision_recall(&sums, &relevant).unwrap();
        assert!((precision - 1.0).abs() < 1e-12 && (recall - 2.0 / 3.0).abs() < 1e-12);
        // Theirs: 4 + 1, 1 + 9, 1, 1 + 1. 6 of 18 lies on the answer, which has (5 + 1) / 10 of two.
        let squares: Vec<f32> = rows.iter().map(|row| sum_of_squares(row).unwrap()).collect();
        assert_eq!(squares, [5.0, 10.0, 1.0, 2.0]);
        let (precision, recall) = soft_precision_recall(&squares, &relevant).unwrap();
        assert!((precision - 1.0 / 3.0).abs() < 1e-12 && (recall - 0.3).abs() < 1e-12);
        // Average precision sees the order alone: 1 at the first, 2 / 2 at the second.
        assert_eq!(average_precision(&sums, &relevant), Some(1.0));
        assert_eq!(sum_of_squares(&[None, None]), None);
    }

    #[test]
    fn groups_count_as_their_items_do() {
        let group = |score, count, relevant| Group { score, count, relevant };
        let groups = [group(0.5, 3, 1), group(2.0, 2, 2), group(-1.0, 4, 1), group(0.5, 1, 1), group(1.5, 0, 0)];
        let (mut scores, mut relevant) = (Vec::new(), Vec::new());
        for Group { score, count, relevant: of_these } in groups {
            scores.extend(std::iter::repeat_n(score, count));
            relevant.extend((0..count).map(|i| i < of_these));
        }
        // By hand: 2 of the 5 relevant at precision 2/2, 2 at 4/6, 1 at 5/10.
        let average = average_precision_of_groups(&groups).unwrap();
        assert!((average - (2.0 + 2.0 * 4.0 / 6.0 + 0.5) / 5.0).abs() < 1e-12);
        assert_eq!(average_precision(&scores, &relevant), Some(average));
        // 2 x 2 and 2 x 0.5 of 2 x 2 and 4 x 0.5; of 5 x 2 at most.
        let (precision, recall) = soft_precision_recall_of_groups(&groups).unwrap();
        assert!((precision - 5.0 / 6.0).abs() < 1e-12 && (recall - 0.5).abs() < 1e-12);
        assert_eq!(soft_precision_recall(&scores, &relevant), Some((precision, recall)));
        // A part without a pixel has no say, however strong.
        let with_empty = [groups[0], group(9.0, 0, 0)];
        assert_eq!(average_precision_of_groups(&with_empty), average_precision_of_groups(&groups[..1]));
        assert_eq!(soft_precision_recall_of_groups(&with_empty), soft_precision_recall_of_groups(&groups[..1]));
        assert_eq!(average_precision_of_groups(&[group(1.0, 5, 0)]), None);
    }

    #[test]
    fn the_pointing_game_is_won_by_the_strongest() {
        assert_eq!(pointing_game(&[0.1, 0.7, 0.3], &[false, true, false]), Some(1.0));
        assert_eq!(pointing_game(&[-0.1, -0.7, -0.3], &[false, true, true]), Some(0.0));
        // Of four equally strong ones three hit.
        assert_eq!(pointing_game(&[1.0, 1.0, 1.0, 0.0, 1.0], &[true, true, false, false, true]), Some(0.75));
        assert_eq!(pointing_game(&[], &[]), None);
    }

    #[test]
    fn a_quantile_lies_between_values_in_proportion() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!((quantile(&sorted, 0.0), quantile(&sorted, 1.0), quantile(&sorted, 0.5)), (Some(1.0), Some(8.0), Some(3.0)));
        assert_eq!((quantile(&sorted, 0.25), quantile(&[], 0.5)), (Some(1.75), None));
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
