//! What an explanation will take.

use super::{Explainer, Stage};
use crate::AtmanError;
use crate::faithfulness::{most_curve_runs, most_single_runs};
use model::Model;

/// What a whole explanation takes, as far as it can be known before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Rows to compute; exact for units, an upper bound for what depends on their relevance.
    pub rows: u64,
    /// Floating-point operations of these rows.
    pub flops: u64,
    /// Seconds that all of it takes, alternatives' baselines included, at the speed of the last chunks, or of the baseline where
    /// none has run; `None` before anything ran.
    pub seconds: Option<f64>,
    /// Floating-point operations that running the baselines still takes.
    pub baseline_flops: u64,
    /// The most bytes of buffers held at a time, beside the weights.
    pub peak_bytes: u64,
}

impl Explainer {
    /// What is still to be done, once [`Explainer::prepare`] has planned it. Rows are the same before and after
    /// [`Explainer::begin`]; until then chunks are as large as memory allows, and `peak_bytes` is that of these.
    ///
    /// # Errors
    /// None that depends on the question.
    pub fn expected(&self, model: &Model) -> Result<Expected, AtmanError> {
        let plan = self.runs.pending();
        let seeing_bytes = self.question.images.iter().map(|image| image.peak_bytes).max().unwrap_or(0);
        let peak_bytes = self.runs.peak_bytes(model)?.max(seeing_bytes);
        let baseline_flops = self.baseline_flops_left(model)?;
        let mut expected = Expected { rows: plan.rows(), flops: plan.flops(), peak_bytes, baseline_flops, ..Expected::default() };
        if let Some(of_alternative) = &self.of_alternative {
            let plan = of_alternative.runs.pending();
            expected.rows += plan.rows();
            expected.flops += plan.flops();
        }
        let alternatives = self.alternatives_left();
        let mut later_rows: u64 = alternatives.map(|(each, n_positions)| self.rows_of_alternative(each, n_positions)).sum();
        if let Some(settings) = self.settings.faithfulness {
            let n_units = self.ordered_units().len();
            let left = match self.stage {
                Stage::Units | Stage::Alternative(_) | Stage::Singles if n_units < 2 => 0,
                Stage::Units | Stage::Alternative(_) => match self.measuring {
                    Some(_) => most_curve_runs(settings, n_units),
                    None => most_single_runs(n_units) + most_curve_runs(settings, n_units),
                },
                Stage::Singles => most_curve_runs(settings, n_units),
                Stage::Curves | Stage::Done => 0,
            };
            later_rows += (left as u64).saturating_mul(self.question.n_positions() as u64);
        }
        expected.rows += later_rows;
        expected.flops += (later_rows as f64 * self.runs.flops_per_row(model)?) as u64;
        let flops_left = (self.likely_flops(model)? + baseline_flops) as f64;
        expected.seconds = self.flops_per_second().map(|per_second| flops_left / per_second);
        Ok(expected)
    }
}
