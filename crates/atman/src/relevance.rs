//! From likelihoods to relevance, and from a matrix to one number for each unit.

use crate::runs::{Outcome, TokenScore};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One unit's relevance for each target token; `None` where neither the unit nor a neighbour of it stands before the token.
pub type Row = Vec<Option<f32>>;

/// What is compared between a suppressed run and the baseline. Always positive where the unit supports the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Cross-entropy under suppression minus that of the baseline, in nats (Deiseroth et al. 2023).
    #[default]
    CrossEntropy,
    /// The baseline's logit minus that under suppression.
    Logit,
    /// The baseline's probability minus that under suppression.
    Probability,
}

impl Score {
    /// Each with its name on the command line.
    pub const ALL: [(Score, &str); 3] =
        [(Score::CrossEntropy, "cross-entropy"), (Score::Logit, "logit"), (Score::Probability, "probability")];

    /// What its numbers are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Score::CrossEntropy => "nats",
            Score::Logit => "logits",
            Score::Probability => "probability",
        }
    }

    pub(crate) fn relevance(self, baseline: TokenScore, suppressed: TokenScore) -> f32 {
        match self {
            Score::CrossEntropy => baseline.log_prob - suppressed.log_prob,
            Score::Logit => baseline.logit - suppressed.logit,
            Score::Probability => baseline.log_prob.exp() - suppressed.log_prob.exp(),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Score::ALL.iter().find(|(score, _)| score == self).map_or("", |(_, name)| name))
    }
}

impl FromStr for Score {
    type Err = String;

    fn from_str(name: &str) -> Result<Score, String> {
        let found = Score::ALL.iter().find(|(_, known)| *known == name);
        found
            .map(|(score, _)| *score)
            .ok_or_else(|| format!("no score is called `{name}`; there are cross-entropy, logit and probability"))
    }
}

/// What is done to the scores of units after they were summed over target tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Postprocessing {
    /// Nothing.
    #[default]
    None,
    /// The sign is dropped.
    Absolute,
    /// Squared, with the sign dropped.
    Square,
    /// The least becomes 0, the greatest 1.
    MinMax,
}

impl Postprocessing {
    /// Each with its name on the command line.
    pub const ALL: [(Postprocessing, &str); 4] = [
        (Postprocessing::None, "none"),
        (Postprocessing::Absolute, "absolute"),
        (Postprocessing::Square, "square"),
        (Postprocessing::MinMax, "min-max"),
    ];

    /// Applies it to the scores of all units.
    pub fn apply(self, scores: &mut [Option<f32>]) {
        let known = scores.iter().flatten().copied();
        let (least, greatest) = known.fold((f32::MAX, f32::MIN), |(a, b), x| (a.min(x), b.max(x)));
        for score in scores.iter_mut().flatten() {
            *score = match self {
                Postprocessing::None => *score,
                Postprocessing::Absolute => score.abs(),
                Postprocessing::Square => *score * *score,
                Postprocessing::MinMax if greatest > least => (*score - least) / (greatest - least),
                Postprocessing::MinMax => 0.0,
            };
        }
    }
}

impl fmt::Display for Postprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Postprocessing::ALL.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name))
    }
}

impl FromStr for Postprocessing {
    type Err = String;

    fn from_str(name: &str) -> Result<Postprocessing, String> {
        let found = Postprocessing::ALL.iter().find(|(_, known)| *known == name);
        let unknown = || format!("no post-processing is called `{name}`; there are none, absolute, square and min-max");
        found.map(|(kind, _)| *kind).ok_or_else(unknown)
    }
}

/// The relevance that a suppressed run shows for the first token wanted at each position; `None` where it is no number, or the run does
/// not reach.
pub(crate) fn row(baseline: &Outcome, suppressed: &Outcome, score: Score) -> Row {
    let of = |(baseline, suppressed): (&Option<Vec<TokenScore>>, &Option<Vec<TokenScore>>)| {
        let baseline = baseline.as_ref()?.first()?;
        let suppressed = suppressed.as_ref()?.first()?;
        Some(score.relevance(*baseline, *suppressed)).filter(|relevance| relevance.is_finite())
    };
    baseline.iter().zip(suppressed).map(of).collect()
}

/// The sum over a span of target tokens; `None` where there is nothing to sum.
pub fn sum(row: &[Option<f32>], span: Range<usize>) -> Option<f32> {
    let known: Vec<f32> = row.get(span)?.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_leaves_out_tokens_that_the_unit_cannot_reach() {
        let row = [None, Some(1.0), Some(-0.25)];
        assert_eq!(sum(&row, 0..3), Some(0.75));
        assert_eq!(sum(&row, 2..3), Some(-0.25));
        assert_eq!((sum(&row, 0..1), sum(&row, 1..1), sum(&row, 0..4)), (None, None, None));
    }

    #[test]
    fn every_score_is_positive_where_suppression_makes_the_token_less_likely() {
        let (baseline, suppressed) = (TokenScore { log_prob: -1.0, logit: 5.0 }, TokenScore { log_prob: -3.0, logit: 4.5 });
        assert_eq!(Score::CrossEntropy.relevance(baseline, suppressed), 2.0);
        assert_eq!(Score::Logit.relevance(baseline, suppressed), 0.5);
        assert!((Score::Probability.relevance(baseline, suppressed) - (0.36788 - 0.04979)).abs() < 1e-4);
    }

    #[test]
    fn post_processing_leaves_what_is_unknown_unknown() {
        let with = |kind: &str| {
            let mut scores = [Some(-2.0), None, Some(1.0), Some(2.0)];
            kind.parse::<Postprocessing>().unwrap().apply(&mut scores);
            scores
        };
        assert_eq!(with("none"), [Some(-2.0), None, Some(1.0), Some(2.0)]);
        assert_eq!(with("absolute"), [Some(2.0), None, Some(1.0), Some(2.0)]);
        assert_eq!(with("square"), [Some(4.0), None, Some(1.0), Some(4.0)]);
        assert_eq!(with("min-max"), [Some(0.0), None, Some(0.75), Some(1.0)]);
        let mut equal = [Some(3.0), Some(3.0)];
        Postprocessing::MinMax.apply(&mut equal);
        assert_eq!(equal, [Some(0.0), Some(0.0)]);
    }

    #[test]
    fn names_are_those_of_the_files() {
        for (score, name) in Score::ALL {
            assert_eq!((serde_json::to_value(score).unwrap(), name.parse()), (name.into(), Ok(score)));
        }
        for (kind, name) in Postprocessing::ALL {
            assert_eq!((serde_json::to_value(kind).unwrap(), name.parse()), (name.into(), Ok(kind)));
        }
        assert!("loss".parse::<Score>().is_err() && "log".parse::<Postprocessing>().is_err());
    }
}
