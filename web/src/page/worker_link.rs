//! The page's end of the line to the worker.

use super::state::State;
use crate::messages::{DeviceChoice, Event, Request};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A handle of the worker, to be copied to wherever something is asked of it.
#[derive(Clone, Copy)]
pub(super) struct WorkerLink(StoredValue<Option<Worker>, LocalStorage>);

impl WorkerLink {
    /// Starts the worker, and has it choose a device as soon as it listens. What it says goes to `state`.
    pub(super) fn start(state: State) -> Self {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // Relative to the page, wherever the page lies.
        let url = format!("{}worker_loader.js", base());
        let worker = Worker::new_with_options(&url, &options).ok();
        let link = Self(StoredValue::new_local(worker.clone()));
        let Some(worker) = worker else {
            state.error.set("This browser runs no module workers, which AtMan needs.".to_owned());
            return link;
        };
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let text = message.data().as_string().unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(Event::Ready) => link.ask(&Request::Start { device: DeviceChoice::Auto }),
                Ok(event) => state.apply(event),
                Err(error) => state.error.set(format!("the worker said something that means nothing: {error}")),
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn FnMut(web_sys::ErrorEvent)>::new(move |error: web_sys::ErrorEvent| {
            state.error.set(format!("the worker could not run: {}", error.message()));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // Both listen for as long as the page is there.
        on_message.forget();
        on_error.forget();
        link
    }

    /// Sends a request.
    pub(super) fn ask(&self, request: &Request) {
        self.ask_with(request, &[]);
    }

    /// Sends a request, and picked files with it.
    pub(super) fn ask_with(&self, request: &Request, files: &[File]) {
        let message = js_sys::Array::of1(&JsValue::from(serde_json::to_string(request).unwrap_or_default()));
        for file in files {
            message.push(file);
        }
        self.0.with_value(|worker| {
            if let Some(worker) = worker {
                // It fails only for what cannot be copied; text and files can.
                let _ = worker.post_message(&message);
            }
        });
    }
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
