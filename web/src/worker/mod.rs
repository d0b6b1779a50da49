//! The engine's side: takes requests one after the other and answers with events.

mod device;
mod engine;
mod explain;
mod failure;
mod generate;
mod heap;
mod library;
#[cfg(feature = "parity")]
mod parity;
mod pictures;
mod question;
mod speed;
mod turn;

use crate::messages::{Event, FailureKind, Request};
use engine::Engine;
use js_sys::{ArrayBuffer, Uint8Array};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};

/// Listens to the page. Called once, when the worker's script has been loaded.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        post(&Event::Failed { message: format!("AtMan itself failed: {info}"), kind: FailureKind::Fatal });
    }));
    let inbox = Rc::new(Inbox::default());
    let listener = Rc::clone(&inbox);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| match read(&message) {
        Ok((Request::Cancel, _)) => listener.cancel(),
        Ok(asked) => {
            listener.waiting.borrow_mut().push_back(asked);
            if !listener.is_busy.replace(true) {
                wasm_bindgen_futures::spawn_local(serve(Rc::clone(&listener)));
            }
        }
        Err(message) => post(&Event::Failed { message, kind: FailureKind::Other }),
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // It listens for as long as the worker lives.
    on_message.forget();
    post(&Event::Ready);
}

/// Requests not yet carried out, and the engine between two of them.
#[derive(Default)]
struct Inbox {
    waiting: RefCell<VecDeque<(Request, Beside)>>,
    engine: RefCell<Engine>,
    is_busy: Cell<bool>,
    is_cancelled: Cell<bool>,
}

impl Inbox {
    /// Drops what waits, and has what is under way stop at its next step. Pictures are no work, and stay.
    fn cancel(&self) {
        let is_picture = |request: &Request| matches!(request, Request::TakePicture { .. } | Request::DropPicture { .. });
        self.waiting.borrow_mut().retain(|(request, _)| is_picture(request));
        if self.is_busy.get() {
            self.is_cancelled.set(true);
        } else {
            post(&Event::Cancelled);
        }
    }
}

/// Carries requests out until none waits.
async fn serve(inbox: Rc<Inbox>) {
    // In a statement of its own: the list must not stay borrowed while a request is carried out. A request that was
    // stopped is dropped where it waits; the engine says what there is of it.
    while let Some((request, beside)) = next(&inbox) {
        inbox.is_cancelled.set(false);
        let mut engine = inbox.engine.take();
        let event = {
            let mut work = pin!(engine.carry_out(request, beside, &post));
            poll_fn(|context| match (inbox.is_cancelled.get(), work.as_mut().poll(context)) {
                (_, Poll::Ready(event)) => Poll::Ready(Some(event)),
                (true, Poll::Pending) => Poll::Ready(None),
                (false, Poll::Pending) => Poll::Pending,
            })
            .await
        };
        let event = event.unwrap_or_else(|| Ok(engine.stopped()));
        inbox.engine.replace(engine);
        post(&event.unwrap_or_else(|error| failure::event(&error)));
    }
    inbox.is_busy.set(false);
}

/// What came beside a request.
#[derive(Default)]
struct Beside {
    /// Files that the person picked.
    files: Vec<File>,
    /// The bytes of a picture.
    bytes: Vec<u8>,
}

fn next(inbox: &Inbox) -> Option<(Request, Beside)> {
    inbox.waiting.borrow_mut().pop_front()
}

/// A message is `[json, file, file, ...]` or `[json, bytes]`.
fn read(message: &MessageEvent) -> Result<(Request, Beside), String> {
    let parts: js_sys::Array = message.data().dyn_into().map_err(|_| "a message that is no list".to_owned())?;
    let text = parts.shift().as_string().ok_or("a message without text")?;
    let request = serde_json::from_str(&text).map_err(|error| format!("a request that means nothing: {error}"))?;
    let mut beside = Beside::default();
    for part in parts.iter() {
        match part.dyn_into::<File>() {
            Ok(file) => beside.files.push(file),
            Err(part) if part.is_instance_of::<ArrayBuffer>() => beside.bytes = Uint8Array::new(&part).to_vec(),
            Err(_) => {}
        }
    }
    Ok((request, beside))
}

fn post(event: &Event) {
    // Neither can fail: events are plain data, and the page is there as long as its worker.
    let text = serde_json::to_string(event).unwrap_or_default();
    let _ = scope().post_message(&JsValue::from(text));
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
