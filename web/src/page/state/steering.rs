//! Words that are damped or amplified, and what the model writes then.

use leptos::prelude::*;

/// Units of the prompt, a word or a region of a picture, with the factor that attention to it is scaled by.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Steered {
    pub(in crate::page) units: Vec<usize>,
    pub(in crate::page) name: String,
    pub(in crate::page) positions: Vec<usize>,
    pub(in crate::page) factor: f32,
}

/// What is steered, and what came of it.
#[derive(Clone, Copy)]
pub(in crate::page) struct SteeringState {
    pub(in crate::page) units: RwSignal<Vec<Steered>>,
    /// What came of it last.
    pub(in crate::page) rewritten: RwSignal<Option<Rewritten>>,
    /// What had come of it before what is being written now.
    before: StoredValue<Option<Rewritten>>,
}

/// An answer under steering, with what it is of, as one value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::page) struct Rewritten {
    /// The answer before.
    pub(in crate::page) old: String,
    /// The answer under steering, as far as it is written.
    pub(in crate::page) new: String,
    /// What it was written with.
    pub(in crate::page) used: Vec<Steered>,
}

impl SteeringState {
    pub(super) fn new() -> Self {
        Self { units: RwSignal::new(Vec::new()), rewritten: RwSignal::new(None), before: StoredValue::new(None) }
    }

    /// Whether a unit is among those that are steered.
    pub(in crate::page) fn holds(&self, unit: usize) -> bool {
        self.units.with(|units| units.iter().any(|steered| steered.units.contains(&unit)))
    }

    /// An answer is to be written anew.
    pub(in crate::page) fn begin(&self, old: String, used: Vec<Steered>) {
        self.before.set_value(self.rewritten.get_untracked());
        self.rewritten.set(Some(Rewritten { old, new: String::new(), used }));
    }

    /// Some of it is written.
    pub(in crate::page) fn grow(&self, text: &str) {
        self.rewritten.update(|rewritten| {
            if let Some(rewritten) = rewritten {
                rewritten.new.push_str(text);
            }
        });
    }

    /// All of it is written.
    pub(in crate::page) fn end(&self, text: String) {
        self.rewritten.update(|rewritten| {
            if let Some(rewritten) = rewritten {
                rewritten.new = text;
            }
        });
    }

    /// Nothing came of it: what was there before is there again.
    pub(in crate::page) fn give_up(&self) {
        self.rewritten.set(self.before.try_update_value(Option::take).flatten());
    }

    /// Forgets what came of it: that was of another answer.
    pub(in crate::page) fn forget_rewritten(&self) {
        self.rewritten.set(None);
    }

    /// Forgets everything: positions are those of one prompt.
    pub(in crate::page) fn clear(&self) {
        self.units.set(Vec::new());
        self.rewritten.set(None);
    }
}
