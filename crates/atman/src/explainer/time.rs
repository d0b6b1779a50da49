//! How much is likely still to be done, which the time left is worked out from. Where [`Expected`](super::Expected) states a
//! bound, for what depends on relevance yet to be found, this is the middle.

use super::{Explainer, Stage};
use crate::contrast::{Alternative, Compared};
use crate::faithfulness::{most_curve_runs, most_single_runs};
use crate::job::Job;
use crate::units::children;
use crate::{AtmanError, Unit};
use model::Model;

/// Rows of a run that takes units away, as a part of the rows of all positions: with keys removed nearly all of them, with
/// tokens left out about half.
const ROWS_OF_REMOVAL: f64 = 0.7;

impl Explainer {
    /// Floating-point operations a second, measured on the last chunks, or on the baseline where none has run yet.
    pub fn flops_per_second(&self) -> Option<f64> {
        let of_alternative = self.of_alternative.as_ref().and_then(|each| each.runs.flops_per_second());
        of_alternative.or_else(|| self.runs.flops_per_second())
    }

    /// Floating-point operations of the baselines that are still to be run.
    pub(super) fn baseline_flops_left(&self, model: &Model) -> Result<u64, AtmanError> {
        let of_question = self.runs.baseline_estimate(model)?.cost.flops;
        // One cache at a time: after alternatives the question's is made again, if something still needs it.
        let has_alternatives = self.of_alternative.is_some() || self.alternatives_left().next().is_some();
        let again = self.settings.faithfulness.is_some() && has_alternatives;
        let times = u64::from(again) + u64::from(self.needs_begin());
        let rows: usize = self.alternatives_left().map(|(_, n_positions)| n_positions).sum();
        Ok(times * of_question + (self.runs.flops_per_row(model)? * rows as f64) as u64)
    }

    /// The alternatives whose own runs have not begun, each with its number of positions.
    pub(super) fn alternatives_left(&self) -> impl Iterator<Item = (&Alternative, usize)> {
        let next = match self.stage {
            Stage::Units => 0,
            Stage::Alternative(number) => number + usize::from(self.of_alternative.is_some()),
            _ => self.alternatives.len(),
        };
        let left = self.alternatives.iter().skip(next).filter(|each| each.compared == Compared::Rest);
        left.map(|each| (each, (self.question.n_prompt() + each.text.tokens.len()).saturating_sub(1)))
    }

    /// Rows that the units' runs with an alternative take.
    pub(super) fn rows_of_alternative(&self, alternative: &Alternative, n_positions: usize) -> u64 {
        let jobs = self.alternative_jobs(alternative);
        jobs.map(|(_, job)| n_positions.saturating_sub(job.start) as u64).sum()
    }

    /// Floating-point operations that are likely still to be done beside the baselines.
    pub(super) fn likely_flops(&self, model: &Model) -> Result<u64, AtmanError> {
        let mut planned = self.runs.pending().flops();
        planned += self.of_alternative.as_ref().map_or(0, |each| each.runs.pending().flops());
        let n_positions = self.question.n_positions();
        let mut rows = 0.0;
        for (alternative, n_positions) in self.alternatives_left() {
            rows += self.rows_of_alternative(alternative, n_positions) as f64;
        }
        if self.stage == Stage::Units {
            rows += self.rows_of_finer_units()?;
        }
        if let Some(settings) = self.settings.faithfulness {
            let units = self.ordered_units();
            let curves = most_curve_runs(settings, units.len()) as f64 * ROWS_OF_REMOVAL * n_positions as f64;
            let left_out = |(_, unit): &(usize, &Unit)| {
                let job = Job::without(&unit.positions, self.question.row_of(0));
                job.n_positions(n_positions).saturating_sub(job.start) as f64
            };
            // Some of the units are taken away in both ways, about as many rows each.
            let both_ways = most_single_runs(units.len()) as f64 / units.len().max(1) as f64;
            rows += match self.stage {
                _ if units.len() < 2 => 0.0,
                // Measured before, for another span: single units were taken away then.
                Stage::Units | Stage::Alternative(_) if self.measuring.is_some() => curves,
                Stage::Units | Stage::Alternative(_) => curves + both_ways * units.iter().map(left_out).sum::<f64>(),
                Stage::Singles => curves,
                Stage::Curves | Stage::Done => 0.0,
            };
        }
        Ok(planned + (rows * self.runs.flops_per_row(model)?) as u64)
    }

    /// Rows of the levels that the strongest units are still to be divided into. Which these are is not known yet: some of
    /// every size stand for them.
    fn rows_of_finer_units(&self) -> Result<f64, AtmanError> {
        let Some(keep) = self.settings.refine else { return Ok(0.0) };
        let newest = self.units.iter().zip(&self.levels).skip(self.newest);
        let mut level: Vec<_> = newest.map(|(unit, level)| (unit.clone(), level.clone())).collect();
        let mut rows = 0.0;
        loop {
            level.retain(|(unit, _)| unit.positions.len() > 1 && !unit.sink);
            level.sort_by_key(|(unit, _)| unit.positions.len());
            let step = (level.len() as f64 / keep as f64).max(1.0);
            let mut finer = Vec::new();
            for (unit, of_unit) in (0..keep).filter_map(|i| level.get((i as f64 * step) as usize)) {
                let (parts, of_parts) = children(&self.question, unit, of_unit)?;
                finer.extend(parts.into_iter().map(|part| (part, of_parts.clone())));
            }
            if finer.is_empty() {
                return Ok(rows);
            }
            let of_unit = |unit: &Unit| self.question.n_positions().saturating_sub(self.job(unit).start) as f64;
            rows += finer.iter().map(|(unit, _)| of_unit(unit)).sum::<f64>();
            level = finer;
        }
    }
}
