//! The explanation that is there, and what of it is looked at.

use super::{Finding, Origin, Picture, Region, Tint};
use crate::messages::{Rows, Started};
use atman::sum;
use leptos::prelude::*;
use report::pieces::Piece;
use report::{Document, PictureFile, Scale, Side};
use std::ops::Range;
use std::sync::Arc;

/// An explanation on show.
#[derive(Clone, Copy)]
pub(in crate::page) struct Shown {
    /// What is there, with what it is of.
    pub(in crate::page) finding: RwSignal<Option<Finding>>,
    /// What has been asked for and has not begun yet. It takes the place of what is there when it begins, and never if it fails.
    awaited: StoredValue<Option<Awaited>>,
    /// The prompt in pieces, one for each stretch of a unit.
    pub(in crate::page) prompt: Memo<Arc<Vec<Piece>>>,
    /// The answer in pieces, one for each token.
    pub(in crate::page) answer: Memo<Arc<Vec<Piece>>>,
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

/// An explanation that was asked for.
#[derive(Clone, Debug)]
struct Awaited {
    origin: Origin,
    /// Whether it is to be brought into view when it begins.
    is_looked_for: bool,
}

/// An explanation that has begun.
#[derive(Clone, Copy, Debug)]
pub(in crate::page) struct Begun {
    /// Whether it is to be brought into view.
    pub(in crate::page) is_looked_for: bool,
    /// Whether its units are those of the one that was there.
    pub(in crate::page) has_same_units: bool,
    /// Whether its answer is that of the one that was there.
    pub(in crate::page) has_same_target: bool,
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
        let finding: RwSignal<Option<Finding>> = RwSignal::new(None);
        let span: RwSignal<Option<Range<usize>>> = RwSignal::new(None);
        let hovered_tokens: RwSignal<Option<Range<usize>>> = RwSignal::new(None);
        let hovered_unit: RwSignal<Option<usize>> = RwSignal::new(None);
        let contrast: RwSignal<Option<usize>> = RwSignal::new(None);
        // Divided anew with every explanation, and drawn anew only where that makes a difference.
        let prompt = pieces(finding, |finding| &finding.prompt);
        let answer = pieces(finding, |finding| &finding.answer);
        let tokens = Memo::new(move |_| {
            let whole = with_document(finding, |document| document.map_or(0..0, |d| d.explanation.whole_target()));
            looked_at(hovered_tokens.get(), span.get()).filter(|chosen| chosen.end <= whole.end).unwrap_or(whole)
        });
        let scores = Memo::new(move |_| {
            let tokens = tokens.get();
            with_document(finding, |document| {
                let Some(Document { explanation, .. }) = document else { return Vec::new() };
                match contrast.get().and_then(|number| explanation.contrasts.get(number)) {
                    Some(contrast) => contrast.relevance.clone(),
                    None => explanation.scores(tokens),
                }
            })
        });
        let token_scale = Memo::new(move |_| with_document(finding, |document| document.map(Scale::of_tokens)));
        let scale = Memo::new(move |_| {
            with_document(finding, |document| {
                let document = document?;
                match contrast.get().and_then(|number| document.explanation.contrasts.get(number)) {
                    Some(contrast) => Some(Scale::of_contrast(document, contrast)),
                    // That of single tokens, which is at hand.
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
            let row = with_document(finding, |document| document?.explanation.relevance.get(pointed?)?.clone());
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
            finding,
            awaited: StoredValue::new(None),
            prompt,
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

    /// What is there, as a document.
    pub(in crate::page) fn with_document<T>(&self, read: impl FnOnce(Option<&Document>) -> T) -> T {
        with_document(self.finding, read)
    }

    /// What it is of.
    pub(in crate::page) fn origin(&self) -> Option<Origin> {
        self.finding.with(|finding| finding.as_ref().map(|finding| finding.origin.clone()))
    }

    /// The same, with the number of the request that began it.
    pub(in crate::page) fn begun(&self) -> Option<(Origin, u32)> {
        self.finding.with(|finding| finding.as_ref().map(|finding| (finding.origin.clone(), finding.begun_by)))
    }

    /// An explanation was asked for. What is there stays until it begins.
    pub(in crate::page) fn await_one(&self, origin: Origin, is_looked_for: bool) {
        self.awaited.set_value(Some(Awaited { origin, is_looked_for }));
    }

    /// What was asked for failed or was stopped before it began.
    pub(in crate::page) fn give_up(&self) {
        self.awaited.set_value(None);
    }

    /// The pictures of what is there, and of what was asked for.
    pub(in crate::page) fn pictures(&self) -> Vec<Picture> {
        let there = self.finding.with(|finding| finding.as_ref().map(|finding| finding.origin.pictures.clone()));
        let awaited = self.awaited.with_value(|awaited| awaited.as_ref().map(|awaited| awaited.origin.pictures.clone()));
        there.into_iter().chain(awaited).flatten().collect()
    }

    /// What was asked for has begun, or goes on.
    pub(in crate::page) fn begin(&self, started: Started) -> Begun {
        match self.awaited.try_update_value(Option::take).flatten() {
            Some(Awaited { origin, is_looked_for }) => {
                let new = self.finding.with_untracked(|old| Finding::begun(origin, started, old.as_ref()));
                let kept = self.replace(new);
                Begun { is_looked_for, ..kept }
            }
            None => Begun { is_looked_for: false, has_same_units: true, has_same_target: true },
        }
    }

    /// Some of its units are done.
    pub(in crate::page) fn grow(&self, rows: Rows) {
        // What has not begun is not there to grow.
        if self.awaited.with_value(Option::is_none) {
            self.finding.update(|finding| {
                if let Some(finding) = finding {
                    finding.grow(rows);
                }
            });
        }
    }

    /// It is done, or was stopped. What was stopped before it began leaves what was there.
    pub(in crate::page) fn end(&self, document: Document) {
        if self.awaited.try_update_value(Option::take).flatten().is_some() {
            return;
        }
        if let Some((origin, begun_by)) = untrack(|| self.begun()) {
            self.replace(Finding::new(origin, begun_by, document));
        }
    }

    /// Shows another explanation. What was chosen stays chosen where it is still there.
    fn replace(&self, new: Finding) -> Begun {
        let (same_target, same_units, same_alternatives) = self.finding.with_untracked(|old| {
            let old = old.as_ref();
            let is = |same: fn(&Finding, &Finding) -> bool| old.is_some_and(|old| same(old, &new));
            (is(Finding::has_target_of), is(Finding::has_units_of), is(|old, new| old.alternatives() == new.alternatives()))
        });
        if !same_target {
            self.span.set(None);
            self.hovered_tokens.set(None);
        }
        if !same_units {
            self.hovered_unit.set(None);
            self.region.set(None);
        }
        if !same_alternatives {
            // It was asked for, and is looked at as soon as it is there.
            self.contrast.set((!new.alternatives().is_empty()).then_some(0));
        }
        self.finding.set(Some(new));
        Begun { is_looked_for: false, has_same_units: same_units, has_same_target: same_target }
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
        self.with_document(|document| {
            let Some(Document { explanation, .. }) = document else { return String::new() };
            explanation.units.get(unit).map_or_else(String::new, |of| report::label(&report::pieces::name(explanation, of)))
        })
    }

    /// On which side of the answer some units stand together.
    pub(in crate::page) fn side_of(&self, sum: f32, n_units: usize) -> Option<Side> {
        // The noise of a sum is at most that of its parts together.
        self.scale.get().map(|scale| Scale { noise: scale.noise.map(|noise| noise * n_units as f32), ..scale }.side(sum))
    }

    /// The document with its scores for what was chosen, as it is exported: the same that is on show.
    pub(in crate::page) fn exported(&self) -> Option<Document> {
        let Finding { origin, document, .. } = self.finding.get_untracked()?;
        let span = self.span.get_untracked().map(|tokens| {
            let of = document.explanation.target.tokens.get(tokens.clone()).unwrap_or_default();
            let bytes = of.first().map_or(0, |t| t.start_byte)..of.last().map_or(0, |t| t.end_byte);
            let text = document.explanation.target.text.get(bytes).unwrap_or_default().to_owned();
            report::Span { text, start_token: tokens.start, end_token: tokens.end }
        });
        let files = origin.pictures.into_iter().map(|of| PictureFile { bytes: of.bytes.to_vec() }).collect();
        let exported = Document::new(document.explanation, document.model, document.device, span)
            .with_target_cut(origin.target_cut)
            .with_pictures(files);
        Some(match self.contrast.get_untracked() {
            Some(number) => exported.with_contrast(number),
            None => exported,
        })
    }
}

fn with_document<T>(finding: RwSignal<Option<Finding>>, read: impl FnOnce(Option<&Document>) -> T) -> T {
    finding.with(|finding| read(finding.as_ref().map(|finding| &finding.document)))
}

/// A text of what is there, in pieces.
fn pieces(finding: RwSignal<Option<Finding>>, of: fn(&Finding) -> &Arc<Vec<Piece>>) -> Memo<Arc<Vec<Piece>>> {
    let get =
        move |_: Option<&_>| finding.with(|finding| finding.as_ref().map(|finding| Arc::clone(of(finding))).unwrap_or_default());
    Memo::new_with_compare(get, |old, new| match (old, new) {
        (Some(old), Some(new)) => !Arc::ptr_eq(old, new) && old != new,
        _ => true,
    })
}

/// What is pointed at, else what was chosen. To point into what was chosen is to look at all of it: whoever chooses by mouse
/// or keyboard still points there.
fn looked_at(hovered: Option<Range<usize>>, chosen: Option<Range<usize>>) -> Option<Range<usize>> {
    match (hovered, chosen) {
        (Some(hovered), Some(chosen)) if chosen.start <= hovered.start && hovered.end <= chosen.end => Some(chosen),
        (hovered, chosen) => hovered.or(chosen),
    }
}
