//! An explanation with all that it is of.

use super::Picture;
use crate::messages::{Ask, Rows, Started};
use crate::selected::Selected;
use atman::Token;
use model::Sampling;
use report::pieces::{self, Piece};
use report::{Document, ModelInfo};
use std::sync::Arc;

/// What an explanation is of: the question as it was asked, and all that it takes to ask on about it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Origin {
    pub(in crate::page) ask: Ask,
    /// The pictures of that question.
    pub(in crate::page) pictures: Vec<Picture>,
    /// The model that was asked.
    pub(in crate::page) model: Selected,
    /// How its answer was written, and is to be written again.
    pub(in crate::page) writing: Writing,
    /// Whether the answer ends before the model had ended it.
    pub(in crate::page) target_cut: bool,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::page) struct Writing {
    pub(in crate::page) sampling: Sampling,
    /// The most tokens to write.
    pub(in crate::page) max_tokens: usize,
}

/// An explanation and what it is of, as one value: replaced whole or not at all. Only its scores grow while it is made.
#[derive(Clone, Debug)]
pub(in crate::page) struct Finding {
    pub(in crate::page) origin: Origin,
    /// The number of the request that began it, by which the worker knows it.
    pub(in crate::page) begun_by: u32,
    pub(in crate::page) document: Document,
    /// The prompt in pieces, one for each stretch of a unit.
    pub(in crate::page) prompt: Arc<Vec<Piece>>,
    /// The answer in pieces, one for each token.
    pub(in crate::page) answer: Arc<Vec<Piece>>,
}

impl Finding {
    /// One that has just begun, or goes on: what was known of `old` then stays known.
    pub(super) fn begun(origin: Origin, started: Started, old: Option<&Self>) -> Self {
        if let Some(old) = old.filter(|old| old.begun_by == started.of) {
            let (info, device) = (old.document.model.clone(), old.document.device.clone());
            return Self::new(origin, started.of, Document::new(*started.explanation, info, device, None));
        }
        let info = ModelInfo { name: started.model, ..ModelInfo::default() };
        Self::new(origin, started.of, Document::new(*started.explanation, info, String::new(), None))
    }

    pub(super) fn new(origin: Origin, begun_by: u32, document: Document) -> Self {
        let document = document.with_target_cut(origin.target_cut);
        let (prompt, answer) = divided(&document);
        Self { origin, begun_by, document, prompt, answer }
    }

    /// Takes in units that are done.
    pub(super) fn grow(&mut self, rows: Rows) {
        let explanation = &mut self.document.explanation;
        let has_more_units = rows.units.is_some();
        if let Some(units) = rows.units {
            explanation.relevance.resize(units.len(), None);
            explanation.units = units;
        }
        for (unit, row) in rows.rows {
            if let Some(slot) = explanation.relevance.get_mut(unit) {
                *slot = Some(row);
            }
        }
        explanation.noise_floor = rows.noise_floor.or(explanation.noise_floor);
        if has_more_units {
            (self.prompt, self.answer) = divided(&self.document);
        }
    }

    /// Whether another has the same answer, token by token.
    pub(super) fn has_target_of(&self, other: &Self) -> bool {
        texts(&self.document.explanation.target.tokens).eq(texts(&other.document.explanation.target.tokens))
    }

    /// Whether another has the same units: the same parts of the same text.
    pub(super) fn has_units_of(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.document.explanation, &other.document.explanation);
        let places =
            |explanation: &atman::Explanation| explanation.units.iter().map(|unit| unit.positions.clone()).collect::<Vec<_>>();
        texts(&ours.prompt.tokens).eq(texts(&theirs.prompt.tokens)) && places(ours) == places(theirs)
    }

    /// What else might have been said, in the contrasts that are there.
    pub(super) fn alternatives(&self) -> Vec<&str> {
        self.document.explanation.contrasts.iter().map(|contrast| contrast.alternative.text.as_str()).collect()
    }
}

fn texts(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().map(|token| token.text.as_str())
}

fn divided(document: &Document) -> (Arc<Vec<Piece>>, Arc<Vec<Piece>>) {
    (Arc::new(pieces::of_prompt(&document.explanation)), Arc::new(pieces::of_target(&document.explanation)))
}
