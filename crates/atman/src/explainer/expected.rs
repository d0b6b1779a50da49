//! What an explanation will take.

use super::{Explainer, Stage};
use crate::AtmanError;
use crate::contrast::Compared;
use crate::faithfulness::most_runs;
use model::Model;

/// What a whole explanation takes, as far as it can be known before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Rows to compute; exact for units, an upper bound for what depends on their relevance.
    pub rows: u64,
    /// Floating-point operations of these rows.
    pub flops: u64,
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
        let mut expected = Expected { rows: plan.rows(), flops: plan.flops(), peak_bytes };
        if let Some(of_alternative) = &self.of_alternative {
            let plan = of_alternative.runs.pending();
            expected.rows += plan.rows();
            expected.flops += plan.flops();
        }
        let next = match self.stage {
            Stage::Units => 0,
            Stage::Alternative(number) => number + usize::from(self.of_alternative.is_some()),
            _ => self.alternatives.len(),
        };
        let mut later_rows = 0;
        for alternative in self.alternatives.iter().skip(next).filter(|each| each.compared == Compared::Rest) {
            let n_positions = self.question.n_prompt() + alternative.text.tokens.len() - 1;
            let starts = self.contrasted_units(alternative).map(|unit| self.job(&self.units[unit]).start);
            later_rows += starts.map(|start| n_positions.saturating_sub(start) as u64).sum::<u64>();
        }
        if let Some(settings) = self.settings.faithfulness {
            let n_units = self.ordered_units().len();
            let left = match self.stage {
                Stage::Units | Stage::Alternative(_) => n_units + most_runs(settings),
                Stage::LeaveOneOut => most_runs(settings),
                Stage::Curves | Stage::Done => 0,
            };
            later_rows += left as u64 * self.question.n_positions() as u64;
        }
        expected.rows += later_rows;
        expected.flops += (later_rows as f64 * self.runs.flops_per_row(model)?) as u64;
        Ok(expected)
    }
}
