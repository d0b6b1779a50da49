//! The figures that the tables have.

use super::data::Kind;
use super::measure::Measured;
use atman::metrics::{interquartile_mean, mean};

/// A figure of a table: of one result, and of all results of a method.
#[derive(Debug)]
pub(crate) struct Column {
    /// For people.
    pub(crate) title: &'static str,
    /// For programs.
    pub(crate) name: &'static str,
    pub(crate) digits: usize,
    pub(crate) pick: fn(&Measured) -> Option<f64>,
    pub(crate) of: fn(&[f64]) -> Option<f64>,
}

const fn column(
    (title, name): (&'static str, &'static str),
    digits: usize,
    pick: fn(&Measured) -> Option<f64>,
    of: fn(&[f64]) -> Option<f64>,
) -> Column {
    Column { title, name, digits, pick, of }
}

const IQ: &str = "its IQ mean";

/// Of whichever kind. The AtMan authors' own precision and recall stand beside ours under their name.
static OF_ALL: [Column; 9] = [
    column(("average precision", "average_precision"), 3, |m| m.average_precision, mean),
    column(("soft precision", "soft_precision"), 3, |m| m.soft_precision, mean),
    column((IQ, "soft_precision_iq_mean"), 3, |m| m.soft_precision, interquartile_mean),
    column(("soft recall", "soft_recall"), 3, |m| m.soft_recall, mean),
    column((IQ, "soft_recall_iq_mean"), 3, |m| m.soft_recall, interquartile_mean),
    column(("AtMan precision", "atman_precision"), 3, |m| m.atman_precision, mean),
    column((IQ, "atman_precision_iq_mean"), 3, |m| m.atman_precision, interquartile_mean),
    column(("AtMan recall", "atman_recall"), 3, |m| m.atman_recall, mean),
    column((IQ, "atman_recall_iq_mean"), 3, |m| m.atman_recall, interquartile_mean),
];
static POINTING_GAME: [Column; 1] = [column(("pointing game", "pointing_game"), 3, |m| m.pointing_game, mean)];
static COSTS: [Column; 2] =
    [column(("rows", "rows"), 0, |m| Some(m.rows as f64), mean), column(("seconds", "seconds"), 3, |m| Some(m.seconds), mean)];

impl Kind {
    /// What a table about questions of this kind has.
    pub(crate) fn columns(self) -> Vec<&'static Column> {
        let pointing_game = POINTING_GAME.iter().filter(|_| self == Self::Image);
        OF_ALL.iter().chain(pointing_game).chain(&COSTS).collect()
    }
}
