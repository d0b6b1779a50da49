//! How far the order of an explanation's units can be trusted: what happens to the target when they are taken away in that
//! order, beside other orders.
//!
//! Units are taken away in another way than the one that ranked them, so that the measurement does not confirm itself; see
//! [`Removal`].

mod curves;
mod difference;
mod measuring;
mod verdict;

pub(crate) use measuring::{Element, Measuring, most_curve_runs, most_single_runs};
pub use verdict::Verdict;

use serde::{Deserialize, Serialize};

/// Parts of the units that are taken away one after another.
pub const STEPS: usize = 10;

/// How faithfulness is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaithfulnessSettings {
    /// Random orders: their mean is what chance does, their spread what a difference must exceed to count.
    pub random_orders: usize,
    /// What they are drawn with.
    pub seed: u64,
}

impl Default for FaithfulnessSettings {
    fn default() -> FaithfulnessSettings {
        FaithfulnessSettings { random_orders: 10, seed: 0 }
    }
}

/// Faithfulness of an order of units, beside others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Faithfulness {
    /// The target tokens that it was measured on, `[first, one past the last]`; all of them if not given. Both the explanation's
    /// order and all probabilities here are of them alone.
    pub span: Option<[usize; 2]>,
    /// How units were taken away.
    pub removal: Removal,
    /// How far the effects of what ranked the units lie from those of removing their keys, 0 to 1; what `removal` follows from.
    /// `None` where neither had an effect.
    pub difference_from_keys: Option<f32>,
    /// Units of the prompt that were ordered; sinks are left alone.
    pub n_units: usize,
    /// How many of them each step takes away, or leaves: 0, 10, .. 100 %, rounded up to whole units.
    pub taken: Vec<usize>,
    /// The probability of a target token with everything there: the geometric mean over the span.
    pub baseline_probability: Option<f32>,
    /// The explanation's order first.
    pub orders: Vec<OrderCurves>,
}

/// How units were taken away.
///
/// What ranked the units is compared with removing their keys by what the two do to the target, for that is what it does to
/// attention's weights in the end. Some suppressions remove keys in all but name: log-additive scales weights by the factor, of which
/// nothing is left when it is tiny; `shifted` scales the distance from the least score a row may see, which the others lie far above
/// once there are more than a few. `multiplicative` with factor 0 makes scores 0, which is much or little beside the others. How far
/// they differ depends on model and text, and so is measured: on the strongest units, `sum |a - b| / sum (|a| + |b|)` over the changes
/// a and b of each target token's log-probability. Below 0.1 they are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Their keys were removed from attention (log-additive with factor 0 in all layers): what ranked them does something else.
    Keys,
    /// Their tokens were left out, and what comes after moved up: what ranked them is like removing keys, or had no effect to tell
    /// it by.
    Tokens,
}

/// What an order of units does to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCurves {
    /// By what the units are ordered.
    pub order: Order,
    /// How many orders of that kind `measures` are the mean of.
    pub n_orders: usize,
    /// What taking units away in that order does.
    #[serde(flatten)]
    pub measures: Measures,
    /// Standard deviation of each of these between the orders; `None` of a single one.
    pub spread: Option<Measures>,
}

/// Curves and what they come to. What could not be computed, because a run had nothing left to predict from, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Probability of a target token (geometric mean) after the first 0, 10, .. 100 % of the units were taken away.
    pub deletion: Vec<Option<f32>>,
    /// The same with only the first 0, 10, .. 100 % of the units there.
    pub insertion: Vec<Option<f32>>,
    /// Area under `deletion` over the share of units that are really taken away; the lower, the better the order.
    pub deletion_area: Option<f32>,
    /// Area under `insertion`; the higher, the better the order.
    pub insertion_area: Option<f32>,
    /// How much probability is lost without the first units, on average over 10, 20, .. 100 % of them (DeYoung et al. 2020);
    /// the higher, the better.
    pub comprehensiveness: Option<f32>,
    /// How much is lost with nothing but the first units, on average over the same; the lower, the better.
    pub sufficiency: Option<f32>,
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
