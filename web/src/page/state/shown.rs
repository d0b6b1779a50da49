//! The explanation that is there, and what of it is looked at.

use super::{Picture, Region, Tint};
use crate::messages::{Ask, Rows, Started};
use crate::selected::Selected;
use atman::sum;
use leptos::prelude::*;
use report::pieces::{self, Piece};
use report::{Document, ModelInfo, PictureFile, Scale};
use std::ops::Range;
use std::sync::Arc;

/// An explanation on show.
#[derive(Clone, Copy)]
pub(in crate::page) struct Shown {
    /// Grows while it is made.
    pub(in crate::page) document: RwSignal<Option<Document>>,
    /// The number of the request that began it, by which the worker knows it.
    pub(in crate::page) of: StoredValue<Option<u32>>,
    /// What it answers.
    pub(in crate::page) ask: RwSignal<Option<Ask>>,
    /// The pictures of that question.
    pub(in crate::page) pictures: RwSignal<Vec<Picture>>,
    /// Which model it is of.
    pub(in crate::page) of_model: RwSignal<Selected>,
    /// Whether it was just asked for, and so is to be brought into view when it begins.
    pub(in crate::page) is_awaited: StoredValue<bool>,
    /// The prompt in pieces, one for each stretch of a unit.
    pub(in crate::page) prompt: RwSignal<Arc<Vec<Piece>>>,
    /// The answer in pieces, one for each token.
    pub(in crate::page) answer: RwSignal<Arc<Vec<Piece>>>,
    /// Tokens of the answer that were chosen; all if none were.
    pub(in crate::page) span: RwSignal<Option<Range<usize>>>,
    /// Tokens of the answer that are pointed at.
    pub(in crate::page) hovered_tokens: RwSignal<Option<Range<usize>>>,
    /// The unit that is pointed at.
    pub(in crate::page) hovered_unit: RwSignal<Option<usize>>,
    /// The region of a picture that was chosen.
    pub(in crate::page) region: RwSignal<Option<Region>>,
    /// Whether the maps over pictures show each part as it is, rather than smoothed.
    pub(in crate::page) exact: RwSignal<bool>,
    /// Whether the strongest part of each picture is in full colour, rather than what is as strong in the text.
    pub(in crate::page) own_scale: RwSignal<bool>,
    /// The contrast that is looked at, rather than the answer alone.
    pub(in crate::page) contrast: RwSignal<Option<usize>>,
    /// Whether sinks and the template are shown like the rest.
    pub(in crate::page) sinks: RwSignal<bool>,
    pub(in crate::page) view: RwSignal<View>,
    /// Each unit's relevance for these.
    pub(in crate::page) scores: Memo<Vec<Option<f32>>>,
    pub(in crate::page) scale: Memo<Option<Scale>>,
    /// One for all single tokens, so that they can be compared. It goes through the whole matrix, and so is kept while one
    /// points about.
    pub(in crate::page) token_scale: Memo<Option<Scale>>,
    /// How each unit is drawn.
    pub(in crate::page) tints: Memo<Vec<Tint>>,
    /// How each token of the answer is drawn: by what the unit that is pointed at does to it, or as a unit itself.
    pub(in crate::page) answer_tints: Memo<Vec<Tint>>,
}

/// Ways of looking at an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::page) enum View {
    #[default]
    Ranking,
    Matrix,
    Table,
    Contrast,
    Steer,
    Trust,
}

impl Shown {
    pub(super) fn new() -> Self {
        let document: RwSignal<Option<Document>> = RwSignal::new(None);
        let span: RwSignal<Option<Range<usize>>> = RwSignal::new(None);
        let hovered_tokens: RwSignal<Option<Range<usize>>> = RwSignal::new(None);
        let hovered_unit: RwSignal<Option<usize>> = RwSignal::new(None);
        let contrast: RwSignal<Option<usize>> = RwSignal::new(None);
        let answer: RwSignal<Arc<Vec<Piece>>> = RwSignal::new(Arc::default());
        let tokens = Memo::new(move |_| {
            let whole = document.with(|document| document.as_ref().map_or(0..0, |d| d.explanation.whole_target()));
            looked_at(hovered_tokens.get(), span.get()).filter(|chosen| chosen.end <= whole.end).unwrap_or(whole)
        });
        let scores = Memo::new(move |_| {
            let tokens = tokens.get();
            document.with(|document| {
                let Some(Document { explanation, .. }) = document else { return Vec::new() };
                match contrast.get().and_then(|number| explanation.contrasts.get(number)) {
                    Some(contrast) => contrast.relevance.clone(),
                    None => explanation.scores(tokens),
                }
            })
        });
        let token_scale = Memo::new(move |_| document.with(|document| document.as_ref().map(Scale::of_tokens)));
        let scale = Memo::new(move |_| {
            document.with(|document| {
                let document = document.as_ref()?;
                match contrast.get().and_then(|number| document.explanation.contrasts.get(number)) {
                    Some(contrast) => Some(Scale::of_contrast(document, contrast)),
                    None if tokens.with(ExactSizeIterator::len) == 1 && document.explanation.target.tokens.len() > 1 => {
                        token_scale.get()
                    }
                    None => Some(Scale::of_span(document, tokens.get())),
                }
            })
        });
        let tints = Memo::new(move |_| {
            let Some(scale) = scale.get() else { return Vec::new() };
            scores.with(|scores| scores.iter().map(|score| Tint::of(*score, &scale)).collect())
        });
        let answer_tints = Memo::new(move |_| {
            let pointed = hovered_unit.get();
            let row = document.with(|document| document.as_ref()?.explanation.relevance.get(pointed?)?.clone());
            let of_tokens = row.and_then(|row| Some((row, token_scale.get()?)));
            answer.with(|pieces| {
                let tint = |piece: &Piece| match (&of_tokens, piece.unit) {
                    (Some((row, scale)), _) => Tint::of(sum(row, piece.tokens.clone()), scale),
                    (None, Some(unit)) => tints.with(|tints| tints.get(unit).copied().unwrap_or_default()),
                    (None, None) => Tint::default(),
                };
                pieces.iter().map(tint).collect()
            })
        });
        Self {
            document,
            of: StoredValue::new(None),
            ask: RwSignal::new(None),
            pictures: RwSignal::new(Vec::new()),
            of_model: RwSignal::new(Selected::Nothing),
            is_awaited: StoredValue::new(false),
            prompt: RwSignal::new(Arc::default()),
            answer,
            span,
            hovered_tokens,
            hovered_unit,
            region: RwSignal::new(None),
            exact: RwSignal::new(false),
            own_scale: RwSignal::new(false),
            contrast,
            sinks: RwSignal::new(false),
            view: RwSignal::new(View::Ranking),
            scores,
            scale,
            token_scale,
            tints,
            answer_tints,
        }
    }

    /// An explanation has begun, or goes on.
    pub(in crate::page) fn start(&self, started: Started) {
        let info = ModelInfo { name: started.model, ..ModelInfo::default() };
        self.show(Document::new(*started.explanation, info, String::new(), None));
    }

    /// Some of its units are done.
    pub(in crate::page) fn grow(&self, rows: Rows) {
        let has_units = rows.units.is_some();
        self.document.update(|document| {
            let Some(Document { explanation, .. }) = document else { return };
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
        });
        if has_units {
            self.divide();
        }
    }

    /// Shows a whole explanation; what was chosen in one of the same texts stays chosen.
    pub(in crate::page) fn show(&self, document: Document) {
        let is_same = self.document.with_untracked(|shown| {
            shown.as_ref().is_some_and(|shown| {
                shown.explanation.target.text == document.explanation.target.text
                    && shown.explanation.units.len() == document.explanation.units.len()
            })
        });
        if !is_same {
            self.span.set(None);
            self.hovered_tokens.set(None);
            self.hovered_unit.set(None);
            self.region.set(None);
        }
        let n_before = self.document.with_untracked(|shown| shown.as_ref().map_or(0, |shown| shown.explanation.contrasts.len()));
        let n_contrasts = document.explanation.contrasts.len();
        if n_contrasts > n_before {
            // It was asked for, and is looked at as soon as it is there.
            self.contrast.set(Some(0));
        } else if self.contrast.get_untracked().is_some_and(|number| number >= n_contrasts) {
            self.contrast.set(None);
        }
        self.document.set(Some(document));
        if !is_same {
            self.divide();
        }
    }

    fn divide(&self) {
        let pieces = self.document.with_untracked(|document| {
            document.as_ref().map(|d| (pieces::of_prompt(&d.explanation), pieces::of_target(&d.explanation)))
        });
        let (prompt, answer) = pieces.unwrap_or_default();
        self.prompt.set(Arc::new(prompt));
        self.answer.set(Arc::new(answer));
    }

    /// Tokens of the answer that are looked at, where it is not the whole.
    pub(in crate::page) fn looked_at(&self) -> Option<Range<usize>> {
        looked_at(self.hovered_tokens.get(), self.span.get())
    }

    /// The relevance of some units together for what is looked at; `None` where none of them has any.
    pub(in crate::page) fn sum(&self, units: &[usize]) -> Option<f32> {
        self.scores.with(|scores| {
            let known = units.iter().filter_map(|unit| scores.get(*unit).copied().flatten());
            known.fold(None, |sum: Option<f32>, score| Some(sum.unwrap_or(0.0) + score))
        })
    }

    /// What a unit is called.
    pub(in crate::page) fn name(&self, unit: usize) -> String {
        self.document.with(|document| {
            let Some(Document { explanation, .. }) = document else { return String::new() };
            explanation.units.get(unit).map_or_else(String::new, |of| report::label(&pieces::name(explanation, of)))
        })
    }

    /// The document with its scores for the tokens that were chosen, as it is exported.
    pub(in crate::page) fn exported(&self) -> Option<Document> {
        let document = self.document.get_untracked()?;
        let span = self.span.get_untracked().map(|tokens| {
            let of = document.explanation.target.tokens.get(tokens.clone()).unwrap_or_default();
            let bytes = of.first().map_or(0, |t| t.start_byte)..of.last().map_or(0, |t| t.end_byte);
            let text = document.explanation.target.text.get(bytes).unwrap_or_default().to_owned();
            report::Span { text, start_token: tokens.start, end_token: tokens.end }
        });
        let pictures = self.pictures.get_untracked().into_iter();
        let files = pictures.map(|of| PictureFile { bytes: of.bytes.to_vec() }).collect();
        Some(Document::new(document.explanation, document.model, document.device, span).with_pictures(files))
    }
}

/// What is pointed at, else what was chosen. To point into what was chosen is to look at all of it: whoever chooses by mouse
/// or keyboard still points there.
fn looked_at(hovered: Option<Range<usize>>, chosen: Option<Range<usize>>) -> Option<Range<usize>> {
    match (hovered, chosen) {
        (Some(hovered), Some(chosen)) if chosen.start <= hovered.start && hovered.end <= chosen.end => Some(chosen),
        (hovered, chosen) => hovered.or(chosen),
    }
}
