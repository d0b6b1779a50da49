//! What is done to attention, and to which keys.

use crate::job::Job;
use crate::neighbours::Similarities;
use crate::{AtmanError, Unit};
use kernels::Operator;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// How a unit is suppressed. The default is what found an answer's own words in a text best; see [`Suppression::of_prompt`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    /// How a factor acts on attention scores.
    pub operator: Operator,
    /// 0 to 1 damps, 1 leaves as it is, more amplifies.
    pub factor: f32,
    /// The layers in which it acts, `[first, one past the last]`; all if not given.
    #[serde(default)]
    pub layers: Option<[usize; 2]>,
    /// Which other positions are suppressed along; none if not given.
    #[serde(default)]
    pub threshold: Option<Threshold>,
    /// The most neighbours of a unit, if bounded.
    #[serde(default)]
    pub max_neighbours: Option<usize>,
}

impl Default for Suppression {
    fn default() -> Suppression {
        Suppression { operator: Operator::Multiplicative, factor: 0.0, layers: None, threshold: None, max_neighbours: None }
    }
}

/// From which similarity on a position is a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Threshold {
    /// A cosine similarity of input embeddings, 0 to 1.
    Cosine(f32),
    /// The similarity that this part of all pairs of different tokens and parts of pictures in the input stays below, 0 to
    /// 1. It needs no knowledge of how similar a model's embeddings are in general.
    Quantile(f32),
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Threshold::Cosine(value) => write!(f, "{value}"),
            Threshold::Quantile(value) => write!(f, "q{value}"),
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    /// `0.7`, or `q0.99` for a quantile.
    fn from_str(given: &str) -> Result<Threshold, String> {
        let (number, of): (_, fn(f32) -> Threshold) = match given.strip_prefix('q') {
            Some(number) => (number, Threshold::Quantile),
            None => (given, Threshold::Cosine),
        };
        let value = number.parse().ok().filter(|value| (0.0..=1.0).contains(value));
        value.map(of).ok_or_else(|| format!("`{given}` is no threshold; expected 0 to 1, or q0 to q1 for a quantile"))
    }
}

impl Suppression {
    /// What found best what it should (`atman eval`; README.md has the tables): for texts the default; for prompts with pictures,
    /// whose things take several parts each, what is similar along.
    pub fn of_prompt(n_images: usize) -> Suppression {
        let of_text = Suppression::default();
        if n_images == 0 { of_text } else { Suppression { factor: 0.1, threshold: Some(Threshold::Cosine(0.7)), ..of_text } }
    }

    /// Checks every value's range for a model with `n_layers`.
    ///
    /// # Errors
    /// Naming the value that is out of its range, and the range.
    pub fn check(&self, n_layers: usize) -> Result<(), AtmanError> {
        let wrong = |setting, found: String, expected: String| Err(AtmanError::Setting { setting, found, expected });
        if !(self.factor.is_finite() && self.factor >= 0.0) {
            return wrong("factor", self.factor.to_string(), "a number of 0 or more".to_owned());
        }
        if let Some([first, end]) = self.layers
            && (first >= end || end > n_layers)
        {
            return wrong("layers", format!("{first}..{end}"), format!("a range that is not empty within 0..{n_layers}"));
        }
        if let Some(Threshold::Cosine(value) | Threshold::Quantile(value)) = self.threshold
            && !(0.0..=1.0).contains(&value)
        {
            return wrong("threshold", value.to_string(), "0 to 1".to_owned());
        }
        Ok(())
    }

    /// The layers in which it acts, of a model with `n_layers`.
    pub fn layers_of(&self, n_layers: usize) -> Range<usize> {
        self.layers.map_or(0..n_layers, |[first, end]| first..end)
    }

    /// Factors of the keys that a unit and its neighbours stand for, by rising position; all others have 1.
    ///
    /// The unit's own keys get `f`, a neighbour of similarity c gets `(1 - f)(1 - c) + f` (Deiseroth et al. 2023).
    pub(crate) fn factors(&self, unit: &Unit) -> Vec<(usize, f32)> {
        let of_neighbour = |c: f32| (1.0 - self.factor) * (1.0 - c) + self.factor;
        let own = unit.positions.iter().map(|position| (*position, self.factor));
        let along = unit.neighbours.iter().zip(&unit.similarities).map(|(position, c)| (*position, of_neighbour(*c)));
        let mut factors: Vec<(usize, f32)> = own.chain(along).collect();
        factors.sort_by_key(|(position, _)| *position);
        factors
    }

    /// The run that suppresses a unit and its neighbours, in a model with `n_layers`.
    pub fn job(&self, unit: &Unit, n_layers: usize) -> Job {
        Job::scaled(self.factors(unit), self.operator, self.layers_of(n_layers))
    }

    /// Finds a unit's neighbours and writes them into it.
    pub fn find_neighbours(&self, unit: &mut Unit, similarities: &Similarities) {
        let Some(threshold) = self.threshold else { return };
        let least = match threshold {
            Threshold::Cosine(cosine) => cosine,
            Threshold::Quantile(part) => similarities.quantile(part),
        };
        let mut found = similarities.neighbours(&unit.positions, least);
        found.truncate(self.max_neighbours.unwrap_or(usize::MAX));
        (unit.neighbours, unit.similarities) = found.into_iter().unzip();
    }
}
