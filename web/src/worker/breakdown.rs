//! Breaking down without a last word: what is no panic, such as memory that runs out, ends a task by an exception that nobody
//! catches, and the page would wait for it forever.

use super::{post, scope};
use crate::messages::{Event, FailureKind};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};

/// What WebAssembly that cannot go on throws, by its name: a trap, and a stack that is full in either kind of browser.
const KINDS: [&str; 3] = ["RuntimeError", "RangeError", "InternalError"];

/// Tells the page of it from now on. An exception outside of tasks reaches the page by itself.
pub(super) fn tell() {
    let listener = Closure::<dyn FnMut(JsValue)>::new(|event: JsValue| {
        let reason = js_sys::Reflect::get(&event, &"reason".into()).unwrap_or_default();
        let Some(error) = reason.dyn_ref::<js_sys::Error>() else { return };
        if KINDS.iter().any(|kind| error.name() == *kind) {
            let message = format!("The engine broke down: {}", String::from(error.message()));
            post(None, Event::Failed { message, kind: FailureKind::Fatal });
        }
    });
    // It fails for no event of that name.
    let _ = scope().add_event_listener_with_callback("unhandledrejection", listener.as_ref().unchecked_ref());
    // It listens for as long as the worker lives.
    listener.forget();
}
