//! What comes after what.

use super::contrasts::AlternativeRuns;
use super::{Explainer, Stage};
use crate::contrast::Compared;
use crate::faithfulness::{Measuring, Removal};
use crate::neighbours::Similarities;
use crate::relevance::sum;
use crate::runs::Runs;
use crate::units::{children, leaves};
use crate::{AtmanError, Source};
use kernels::{Executor, Operator};
use model::Model;
use std::ops::Range;

impl Explainer {
    /// Nothing is pending: goes on to what comes next.
    pub(super) async fn advance(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        match self.stage {
            Stage::Units => {
                let added = self.divide_strongest()?;
                if added.is_empty() {
                    self.stage = Stage::Alternative(0);
                    return Ok(());
                }
                self.add_units(model, added)
            }
            Stage::Alternative(number) => self.advance_alternative(number, model, executor).await,
            Stage::LeaveOneOut => {
                let n_jobs = self.runs.n_jobs();
                if let Some((measuring, left_out)) = &mut self.measuring {
                    let jobs = measuring.curve_jobs(&self.runs, left_out.clone(), n_jobs);
                    self.runs.add(model, jobs)?;
                }
                self.stage = Stage::Curves;
                Ok(())
            }
            Stage::Curves => {
                self.faithfulness = self.measuring.as_ref().map(|(measuring, _)| measuring.finish(&self.runs));
                self.stage = Stage::Done;
                self.runs.end();
                Ok(())
            }
            Stage::Done => Ok(()),
        }
    }

    async fn advance_alternative(&mut self, number: usize, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        let Some(alternative) = self.alternatives.get(number) else {
            return self.begin_faithfulness(model, executor).await;
        };
        if let Some(done) = self.of_alternative.take() {
            let contrast = self.contrast_of_rest(alternative, &done);
            let spent = done.runs.spent();
            self.spent_before = self.spent_before + spent;
            if let Some(slot) = self.contrasts.get_mut(number) {
                *slot = Some(contrast);
            }
            self.stage = Stage::Alternative(number + 1);
            return Ok(());
        }
        match alternative.compared {
            Compared::OneToken => {
                let contrast = self.contrast_of_one_token(alternative);
                if let Some(slot) = self.contrasts.get_mut(number) {
                    *slot = Some(contrast);
                }
                self.stage = Stage::Alternative(number + 1);
            }
            Compared::Rest => {
                let question = self.question.with_target(alternative.text.clone(), model.config())?;
                let mut runs = Runs::new(question.input().clone(), question.wanted(), self.budget);
                // One cache at a time: the target's is made again should faithfulness need it.
                self.runs.end();
                runs.begin(model, executor).await?;
                let similarities = match self.settings.suppression.threshold {
                    Some(_) => Some(Similarities::of_input(model, executor, question.input()).await?),
                    None => None,
                };
                let units: Vec<usize> = self.contrasted_units(alternative).collect();
                let mut jobs = Vec::with_capacity(units.len());
                for unit in &units {
                    let mut unit = self.units[*unit].clone();
                    if let Some(similarities) = &similarities {
                        self.settings.suppression.find_neighbours(&mut unit, similarities);
                    }
                    jobs.push(self.job(&unit));
                }
                runs.add(model, jobs)?;
                self.of_alternative = Some(AlternativeRuns { runs, units });
            }
        }
        Ok(())
    }

    /// Divides the strongest units of the finest level, where that was asked for; the numbers of what they are divided into.
    fn divide_strongest(&mut self) -> Result<Range<usize>, AtmanError> {
        let first = self.units.len();
        let Some(keep) = self.settings.refine else { return Ok(first..first) };
        let mut candidates: Vec<(usize, f32)> = Vec::new();
        for (index, unit) in self.units.iter().enumerate().skip(self.newest) {
            let is_open = unit.positions.len() > 1 && !unit.sink;
            let strength = self.row(index).and_then(|row| sum(&row, 0..row.len()));
            candidates.extend(strength.filter(|_| is_open).map(|strength| (index, strength.abs())));
        }
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
        candidates.truncate(keep);
        self.newest = first;
        for (index, _) in candidates {
            let (Some(unit), Some(level)) = (self.units.get(index), self.levels.get(index)) else { continue };
            let (parts, level) = children(&self.question, unit, level)?;
            for mut part in parts {
                part.parent = Some(index);
                self.units.push(part);
                self.levels.push(level.clone());
            }
        }
        Ok(first..self.units.len())
    }

    /// Units of the prompt that faithfulness orders, with their positions and relevance.
    pub(super) fn ordered_units(&self) -> Vec<(Vec<usize>, f32)> {
        let mut ordered = Vec::new();
        for index in leaves(&self.units) {
            let Some(unit) = self.units.get(index) else { continue };
            if unit.source == Source::Prompt && !unit.sink {
                let score = self.row(index).and_then(|row| sum(&row, 0..row.len())).unwrap_or(0.0);
                ordered.push((unit.positions.clone(), score));
            }
        }
        ordered.sort_by(|a, b| a.0.cmp(&b.0));
        ordered
    }

    async fn begin_faithfulness(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        let units = self.ordered_units();
        let Some(settings) = self.settings.faithfulness.filter(|_| units.len() > 1) else {
            self.stage = Stage::Done;
            self.runs.end();
            return Ok(());
        };
        let suppression = &self.settings.suppression;
        let removes_keys = suppression.operator == Operator::LogAdditive && suppression.factor == 0.0;
        let removal = if removes_keys { Removal::Tokens } else { Removal::Keys };
        let measuring = Measuring::new(settings, removal, units, self.question.row_of(0), self.n_layers);
        if !self.runs.is_begun() {
            self.runs.begin(model, executor).await?;
        }
        let left_out = self.runs.add(model, measuring.leave_one_out_jobs())?;
        self.measuring = Some((measuring, left_out));
        self.stage = Stage::LeaveOneOut;
        Ok(())
    }
}
