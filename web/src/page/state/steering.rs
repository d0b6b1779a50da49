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
    /// The answer before, once there is one to compare with.
    pub(in crate::page) old: RwSignal<String>,
    /// The answer under steering.
    pub(in crate::page) new: RwSignal<String>,
    /// What the new answer was written with; nothing before there is one.
    pub(in crate::page) used: RwSignal<Vec<Steered>>,
}

impl SteeringState {
    pub(super) fn new() -> Self {
        Self {
            units: RwSignal::new(Vec::new()),
            old: RwSignal::new(String::new()),
            new: RwSignal::new(String::new()),
            used: RwSignal::new(Vec::new()),
        }
    }

    /// Whether a unit is among those that are steered.
    pub(in crate::page) fn holds(&self, unit: usize) -> bool {
        self.units.with(|units| units.iter().any(|steered| steered.units.contains(&unit)))
    }

    /// Forgets everything: positions are those of one prompt.
    pub(in crate::page) fn clear(&self) {
        self.units.set(Vec::new());
        self.used.set(Vec::new());
        self.new.set(String::new());
    }
}
