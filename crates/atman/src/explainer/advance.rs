//! What comes after what.

use super::contrasts::AlternativeRuns;
use super::{Explainer, Stage};
use crate::contrast::Compared;
use crate::faithfulness::{Element, Measuring};
use crate::job::Job;
use crate::relevance::sum;
use crate::runs::Runs;
use crate::units::{children, leaves};
use crate::{AtmanError, Source, Unit};
use kernels::Executor;
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
            Stage::Singles => {
                if let Some(measuring) = &mut self.measuring {
                    let jobs = measuring.curve_jobs(&self.runs, self.runs.n_jobs());
                    self.runs.add(model, jobs)?;
                }
                self.stage = Stage::Curves;
                Ok(())
            }
            Stage::Curves => {
                self.faithfulness = self.measuring.as_ref().map(|measuring| measuring.finish(&self.runs));
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
                let (units, jobs): (Vec<usize>, Vec<Job>) = self.alternative_jobs(alternative).unzip();
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
            let strength = self.score(index, self.settings.span);
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

    /// A unit's relevance for a span of target tokens, all if not given; `None` where it has none, or has not run.
    fn score(&self, unit: usize, span: Option<[usize; 2]>) -> Option<f32> {
        let row = self.row(unit)?;
        sum(&row, span.map_or(0..row.len(), |[first, end]| first..end))
    }

    /// Units of the prompt that faithfulness orders, by where they stand.
    pub(super) fn ordered_units(&self) -> Vec<(usize, &Unit)> {
        let units = leaves(&self.units).into_iter().filter_map(|index| Some((index, self.units.get(index)?)));
        let mut ordered: Vec<_> = units.filter(|(_, unit)| unit.source == Source::Prompt && !unit.sink).collect();
        ordered.sort_by_key(|(_, unit)| &unit.positions);
        ordered
    }

    async fn begin_faithfulness(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
        let units = self.ordered_units();
        let n_units = units.len();
        let of_unit = |(index, unit): &(usize, &Unit)| {
            let job = self.unit_jobs.get(*index).copied().flatten();
            Element { positions: unit.positions.clone(), job }
        };
        let elements: Vec<Element> = units.iter().map(of_unit).collect();
        // What is measured is the order that is shown.
        let mut scores: Vec<Option<f32>> = units.iter().map(|(index, _)| self.score(*index, self.measured_span)).collect();
        self.settings.postprocessing.apply(&mut scores);
        let Some(settings) = self.settings.faithfulness.filter(|_| n_units > 1) else {
            self.stage = Stage::Done;
            self.runs.end();
            return Ok(());
        };
        if !self.runs.is_begun() {
            self.runs.begin(model, executor).await?;
        }
        let (first_wanted, n_layers) = (self.question.row_of(0), self.n_layers);
        let measuring = self.measuring.get_or_insert_with(|| Measuring::new(elements, first_wanted, n_layers));
        let jobs = measuring.begin(settings, self.measured_span, scores, self.runs.n_jobs());
        self.runs.add(model, jobs)?;
        self.stage = Stage::Singles;
        Ok(())
    }
}
