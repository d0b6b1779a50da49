//! What the page knows. Each part is a handful of signals: copies are handles of the same values.

mod draft;
mod engine;
mod finding;
mod library;
mod picture;
mod question;
mod region;
mod shown;
mod steering;
mod tint;

pub(super) use draft::Draft;
pub(super) use engine::{Activity, EngineState, Place, Problem, Then};
pub(super) use finding::{Finding, Origin, Writing};
pub(super) use library::{Examined, LibraryState, is_catalogued};
pub(super) use picture::{ObjectUrl, Picture};
pub(super) use question::{QuestionState, Written};
pub(super) use region::Region;
pub(super) use shown::{Shown, View};
pub(super) use steering::{Rewritten, Steered, SteeringState};
pub(super) use tint::Tint;

use crate::messages::{Ask, Planned};
use leptos::prelude::*;

/// Everything shown that can change.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// The worker and what it is doing.
    pub(super) engine: EngineState,
    /// Models: which are there, which is chosen, which is loaded.
    pub(super) library: LibraryState,
    /// What is asked.
    pub(super) question: QuestionState,
    /// How it is to be explained.
    pub(super) settings: RwSignal<atman::Settings>,
    /// What explaining it would take.
    pub(super) planned: RwSignal<Option<Planned>>,
    /// The number of the request that asked for that last.
    pub(super) planned_by: StoredValue<Option<u32>>,
    /// The explanation that is there, and what of it is looked at.
    pub(super) shown: Shown,
    /// Words that are damped or amplified, and what the model writes then.
    pub(super) steering: SteeringState,
}

impl State {
    pub(super) fn new() -> Self {
        let question = QuestionState::new();
        Self {
            engine: EngineState::new(),
            library: LibraryState::new(),
            question,
            settings: RwSignal::new(atman::Settings::default()),
            planned: RwSignal::new(None),
            planned_by: StoredValue::new(None),
            shown: Shown::new(),
            steering: SteeringState::new(),
        }
    }

    /// The question as it now stands.
    pub(super) fn ask(&self) -> Ask {
        Ask {
            prompt: self.question.prompt_text(),
            target: self.question.target(),
            settings: self.settings.get(),
            alternatives: Vec::new(),
        }
    }

    /// The question as it now stands, with all that it takes to ask on about it.
    pub(super) fn origin(&self) -> Origin {
        let written = self.question.written_answer();
        Origin {
            ask: self.ask(),
            pictures: self.question.pictures.get(),
            model: self.library.selected.get(),
            target_cut: written.as_ref().is_some_and(Written::is_cut),
            writing: written.map_or_else(|| self.question.writing(), |written| written.how),
        }
    }

    /// Whether the explanation that is there answers another question than the one that now stands.
    pub(super) fn is_stale(&self) -> bool {
        let now = self.ask();
        let is_other = self.shown.finding.with(|finding| {
            finding.as_ref().is_some_and(|Finding { origin: Origin { ask, .. }, .. }| {
                ask.prompt != now.prompt || ask.target.text != now.target.text || ask.settings != now.settings
            })
        });
        is_other || self.is_of_another_model()
    }

    /// Whether there are pictures, and the chosen model sees none.
    pub(super) fn is_blind(&self) -> bool {
        self.question.pictures.with(|pictures| !pictures.is_empty()) && self.library.sees_pictures() == Some(false)
    }

    /// That the chosen model sees no pictures.
    pub(super) fn blindness(&self) -> String {
        format!("{} reads text only.", self.library.title())
    }

    /// Whether the explanation that is there is of another model than the one that is chosen.
    pub(super) fn is_of_another_model(&self) -> bool {
        let selected = self.library.selected.get();
        self.shown.finding.with(|finding| finding.as_ref().is_some_and(|finding| finding.origin.model != selected))
    }

    /// Why nothing more can be asked about the explanation that is there, if so.
    pub(super) fn cannot_ask_on(&self) -> Option<String> {
        let name = self.shown.with_document(|document| document.map(|document| document.model.name.clone()));
        self.is_of_another_model()
            .then(|| format!("This explanation is of {}: choose that model to ask more about it.", name.unwrap_or_default()))
    }
}
