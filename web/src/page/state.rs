//! What the page knows, as told by the worker.

use crate::messages::{DeviceReport, Event, ModelReport};
use leptos::prelude::*;

/// Everything shown that can change. Copies are handles of the same values.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// The device in use, once chosen.
    pub(super) device: RwSignal<Option<DeviceReport>>,
    /// Bytes loaded and bytes in all, while loading.
    pub(super) progress: RwSignal<Option<(u64, u64)>>,
    /// The model, once loaded.
    pub(super) model: RwSignal<Option<ModelReport>>,
    /// What went wrong last; empty if nothing did.
    pub(super) error: RwSignal<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            device: RwSignal::new(None),
            progress: RwSignal::new(None),
            model: RwSignal::new(None),
            error: RwSignal::new(String::new()),
        }
    }
}

impl State {
    /// Takes in what the worker says.
    pub(super) fn apply(&self, event: Event) {
        match event {
            Event::Ready => {}
            Event::Device(report) => self.device.set(Some(report)),
            Event::Progress { loaded_bytes, total_bytes } => self.progress.set(Some((loaded_bytes, total_bytes))),
            Event::Loaded(report) => {
                self.progress.set(None);
                self.model.set(Some(report));
            }
            Event::Cancelled => self.progress.set(None),
            #[cfg(feature = "parity")]
            Event::Parity(_) => {}
            Event::Failed { message } => {
                self.progress.set(None);
                self.error.set(message);
            }
        }
    }
}

/// A number of bytes for people: megabytes of a million bytes, as file sizes are given.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}
