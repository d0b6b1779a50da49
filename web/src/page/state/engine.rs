//! The worker: its device, what it is doing, and what went wrong.

use super::Steered;
use crate::messages::{Ask, DeviceReport, FailureKind, LoadPhase};
use leptos::prelude::*;

/// The worker and what it is doing.
#[derive(Clone, Copy)]
pub(in crate::page) struct EngineState {
    /// The device in use, once chosen.
    pub(in crate::page) device: RwSignal<Option<DeviceReport>>,
    pub(in crate::page) activity: RwSignal<Activity>,
    /// The number of the request that is waited for. What answers another is late, and is dropped.
    awaited: StoredValue<Option<u32>>,
    /// What went wrong last.
    pub(in crate::page) problem: RwSignal<Option<Problem>>,
    /// What has just happened, for those who listen to the page.
    pub(in crate::page) said: RwSignal<String>,
    /// What is to be done once the model is loaded.
    pub(in crate::page) then: RwSignal<Option<Then>>,
}

/// What the worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::page) enum Activity {
    /// Choosing a device.
    #[default]
    Starting,
    Idle,
    Loading {
        phase: LoadPhase,
        done_bytes: u64,
        /// 0 while unknown.
        total_bytes: u64,
    },
    /// The answer.
    Writing,
    /// The answer under steering.
    Steering,
    Explaining {
        done_rows: u64,
        /// 0 while unknown.
        total_rows: u64,
        seconds_left: Option<f64>,
    },
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Problem {
    pub(in crate::page) message: String,
    pub(in crate::page) kind: FailureKind,
    pub(in crate::page) place: Place,
}

/// What a problem is with, and so where it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Place {
    /// Choosing and loading a model.
    Model,
    /// Asking something of it.
    Ask,
}

/// What waits for a model.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) enum Then {
    Generate,
    Explain,
    /// What is on show, with another answer.
    Compare(String),
    /// Nobody asked for it: the question that the page opened with, if it still stands.
    ExplainFirst(Box<Ask>),
    Steer(Vec<Steered>),
}

impl EngineState {
    pub(super) fn new() -> Self {
        Self {
            device: RwSignal::new(None),
            activity: RwSignal::new(Activity::Starting),
            awaited: StoredValue::new(None),
            problem: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            then: RwSignal::new(None),
        }
    }

    /// Whether something is under way that must be stopped before anything else can be asked.
    pub(in crate::page) fn is_busy(&self) -> bool {
        !matches!(self.activity.get(), Activity::Idle | Activity::Starting)
    }

    /// Whether what is under way is the loading of a model, which another choice ends.
    pub(in crate::page) fn is_loading(&self) -> bool {
        matches!(self.activity.get(), Activity::Loading { .. })
    }

    /// Whether there is no device to run on: not yet, or no longer.
    pub(in crate::page) fn is_starting(&self) -> bool {
        self.activity.get() == Activity::Starting || self.device.with(Option::is_none)
    }

    /// The worker has been asked for something that is waited for.
    pub(in crate::page) fn begin(&self, id: u32, activity: Activity) {
        self.awaited.set_value(Some(id));
        self.activity.set(activity);
    }

    /// The number of the request that is waited for.
    pub(in crate::page) fn awaited(&self) -> Option<u32> {
        self.awaited.get_value()
    }

    /// Whether an event answers what is waited for.
    pub(in crate::page) fn awaits(&self, id: Option<u32>) -> bool {
        id.is_some() && self.awaited.get_value() == id
    }

    /// What was waited for is there, or nobody waits any more: all that still answers it is late.
    pub(in crate::page) fn await_nothing(&self) {
        self.awaited.set_value(None);
        self.activity.set(Activity::Idle);
    }

    /// Tells the person of a problem.
    pub(in crate::page) fn fail(&self, message: impl Into<String>) {
        self.fail_at(Place::Ask, message);
    }

    /// The same, of something that is not the question.
    pub(in crate::page) fn fail_at(&self, place: Place, message: impl Into<String>) {
        self.problem.set(Some(Problem { message: message.into(), kind: FailureKind::Other, place }));
    }

    /// Tells those who listen to the page.
    pub(in crate::page) fn say(&self, text: impl Into<String>) {
        self.said.set(text.into());
    }
}
