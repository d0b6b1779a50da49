//! The page's end of the line to the worker.

use super::apply::apply;
use super::state::{Activity, State};
use crate::messages::{Asked, DeviceChoice, Event, FailureKind, Request, Said};
use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// How often a worker that cannot go on is started again before giving up.
const RESTARTS: u32 = 2;

/// A handle of the worker, to be copied to wherever something is asked of it.
#[derive(Clone, Copy)]
pub(super) struct WorkerLink {
    worker: StoredValue<Option<Worker>, LocalStorage>,
    /// What it is to run on, also after it had to be started again.
    device: RwSignal<DeviceChoice>,
    /// How often it had to be started again since it last did something.
    restarts: RwSignal<u32>,
}

impl WorkerLink {
    /// Not yet started.
    pub(super) fn new(device: DeviceChoice) -> Self {
        Self { worker: StoredValue::new_local(None), device: RwSignal::new(device), restarts: RwSignal::new(0) }
    }

    /// Starts another worker in place of one that cannot go on, unless that has been of no use.
    pub(super) fn restart(&self, state: State) {
        let restarts = self.restarts.get_untracked() + 1;
        self.restarts.set(restarts);
        if restarts <= RESTARTS {
            self.start_anew(state);
        }
    }

    /// Whether starting it again has been of no use, and nobody does so any more unless a person wants it.
    pub(super) fn has_given_up(&self) -> bool {
        self.restarts.get() > RESTARTS
    }

    /// Starts it again since a person wants it.
    pub(super) fn start_again(&self, state: State) {
        self.works();
        state.engine.problem.set(None);
        self.start_anew(state);
    }

    fn start_anew(&self, state: State) {
        state.engine.await_nothing();
        state.engine.activity.set(Activity::Starting);
        self.start(state);
    }

    /// The worker has done something.
    pub(super) fn works(&self) {
        self.restarts.set(0);
    }

    /// What the model is to run on, for what shows it.
    pub(super) fn device(&self) -> DeviceChoice {
        self.device.get()
    }

    /// Starts the worker, in place of one that is there, and has it choose a device as soon as it listens. What it says goes
    /// to `state`.
    pub(super) fn start(&self, state: State) {
        let (worker, said) = match started_with_the_page() {
            Some((worker, said)) => (Some(worker), said),
            None => (new_worker(), Vec::new()),
        };
        if let Some(old) = self.worker.try_update_value(|slot| std::mem::replace(slot, worker.clone())).flatten() {
            old.terminate();
        }
        let Some(worker) = worker else {
            state.engine.fail("This browser runs no module workers, which AtMan needs.");
            return;
        };
        let link = *self;
        // A program that fails says why before it ends; that it ended is then no news.
        let has_failed = Rc::new(Cell::new(false));
        let said_so = Rc::clone(&has_failed);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let text = message.data().as_string().unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(Said { id, event }) => {
                    if matches!(event, Event::Failed { kind: FailureKind::Fatal, .. }) {
                        said_so.set(true);
                    }
                    apply(id, event, state, link);
                }
                Err(error) => state.engine.fail(format!("the worker said something that means nothing: {error}")),
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |error: web_sys::Event| {
            error.prevent_default();
            if has_failed.replace(true) {
                return;
            }
            // An event that says nothing tells of a script that is not there.
            let said = js_sys::Reflect::get(&error, &"message".into()).ok().and_then(|message| message.as_string());
            let message = format!("The engine could not go on: {}", said.as_deref().unwrap_or("its program could not be loaded"));
            apply(None, Event::Failed { message, kind: FailureKind::Fatal }, state, link);
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // What it said before. Not within this call, which may be one of the worker's being started again.
        let (heard, failed): (Function, Function) =
            (on_message.as_ref().unchecked_ref::<Function>().clone(), on_error.as_ref().unchecked_ref::<Function>().clone());
        spawn_local(async move {
            for event in said {
                let listener = if event.is_instance_of::<MessageEvent>() { &heard } else { &failed };
                // What listens does not fail.
                let _ = listener.call1(&JsValue::UNDEFINED, &event);
            }
        });
        // Both listen for as long as the worker is there.
        on_message.forget();
        on_error.forget();
    }

    /// Has the worker choose the device, anew if there is one; a model that is loaded is let go, as the worker then says.
    pub(super) fn choose(&self, device: DeviceChoice, state: State) {
        self.device.set(device);
        state.engine.device.set(None);
        let id = self.ask(Request::Start { device });
        state.engine.begin(id, Activity::Starting);
    }

    /// Sends a request. Gives the number by which its answers are known.
    pub(super) fn ask(&self, request: Request) -> u32 {
        self.ask_with(request, &[])
    }

    /// Sends a request, and picked files with it.
    pub(super) fn ask_with(&self, request: Request, files: &[File]) -> u32 {
        let (id, text) = numbered(request);
        let message = Array::of1(&text);
        for file in files {
            message.push(file);
        }
        self.worker.with_value(|worker| {
            if let Some(worker) = worker {
                // It fails only for what cannot be copied; text and files can.
                let _ = worker.post_message(&message);
            }
        });
        id
    }

    /// Sends a request, and bytes with it, which are handed over and not copied on the way.
    pub(super) fn ask_with_bytes(&self, request: Request, bytes: &[u8]) -> u32 {
        let (id, text) = numbered(request);
        let buffer = js_sys::Uint8Array::from(bytes).buffer();
        let message = Array::of2(&text, &buffer);
        self.worker.with_value(|worker| {
            if let Some(worker) = worker {
                // It fails only for what cannot be copied; text and bytes can.
                let _ = worker.post_message_with_transfer(&message, &Array::of1(&buffer));
            }
        });
        id
    }
}

/// Numbers of requests. Never begun anew: what a worker says that was ended is told from what its successor says.
static IDS: AtomicU32 = AtomicU32::new(1);

/// A request with a number of its own, and its text.
fn numbered(request: Request) -> (u32, JsValue) {
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    // Plain data has no way to fail.
    let text = serde_json::to_string(&Asked { id, request }).unwrap_or_default();
    (id, JsValue::from(text))
}

/// The worker that `start.js` started beside the page, and the events of it so far; the first time only.
fn started_with_the_page() -> Option<(Worker, Vec<JsValue>)> {
    let name = JsValue::from("startedWorker");
    let started = Reflect::get(&window(), &name).ok().filter(JsValue::is_object)?;
    Reflect::set(&window(), &name, &JsValue::UNDEFINED).ok()?;
    let worker = Reflect::get(&started, &"worker".into()).ok()?.dyn_into().ok()?;
    let said = Reflect::get(&started, &"said".into()).ok()?.dyn_into::<Array>().ok()?;
    Some((worker, said.to_vec()))
}

fn new_worker() -> Option<Worker> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    // Relative to the page, wherever the page lies.
    Worker::new_with_options(&format!("{}worker_loader.js", base()), &options).ok()
}

/// The address that the page's relative addresses start from.
pub(super) fn base() -> String {
    document().base_uri().ok().flatten().and_then(|uri| directory(&uri)).unwrap_or_default()
}

/// An address up to its last slash, without question and fragment.
fn directory(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    path.rsplit_once('/').map(|(folder, _)| format!("{folder}/"))
}
