//! The engine's side: takes requests and answers with events. What the engine itself does is done one after the other; models
//! are looked up and brought here beside it.

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
mod stop;
mod turn;

use crate::messages::{Asked, Event, FailureKind, Request, Said};
use anyhow::Result;
use engine::Engine;
use js_sys::{ArrayBuffer, Uint8Array};
use library::{Library, OpenedModel};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use stop::Stop;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};

/// Listens to the page. Called once, when the worker's script has been loaded.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        post(None, Event::Failed { message: format!("AtMan itself failed: {info}"), kind: FailureKind::Fatal });
    }));
    let inbox = Rc::new(Inbox::default());
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| match read(&message) {
        Ok((Asked { request: Request::Cancel { asked }, .. }, _)) => inbox.cancel(asked),
        Ok((Asked { id, request }, beside)) => Inbox::take(&inbox, id, request, beside),
        Err(message) => post(None, Event::Failed { message, kind: FailureKind::Other }),
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // It listens for as long as the worker lives.
    on_message.forget();
    post(None, Event::Ready);
}

/// Requests that are not done, and the engine between two of them.
#[derive(Default)]
struct Inbox {
    /// What a model or a device is needed for, in its order.
    waiting: RefCell<VecDeque<Task>>,
    /// Models to be brought here, in their order.
    to_bring: RefCell<VecDeque<(u32, Request, Beside)>>,
    /// Every request that is not done, with how it is stopped.
    open: RefCell<Vec<(u32, Stop)>>,
    engine: RefCell<Engine>,
    is_busy: Cell<bool>,
    is_bringing: Cell<bool>,
}

/// What the engine is to do.
struct Task {
    id: u32,
    what: What,
}

enum What {
    Request(Request, Beside),
    /// Place a model whose files are all here: the second half of [`Request::Load`].
    Place(Box<OpenedModel>),
}

impl Inbox {
    /// Takes a request in: what asks for a model's files goes on beside the engine, so that nobody waits for a server.
    fn take(inbox: &Rc<Self>, id: u32, request: Request, beside: Beside) {
        inbox.open.borrow_mut().push((id, Stop::default()));
        match request {
            Request::Describe { .. } | Request::ListKept | Request::Forget { .. } => {
                let inbox = Rc::clone(inbox);
                wasm_bindgen_futures::spawn_local(async move { inbox.look_up(id, request, beside).await });
            }
            Request::Load { .. } => {
                inbox.to_bring.borrow_mut().push_back((id, request, beside));
                if !inbox.is_bringing.replace(true) {
                    wasm_bindgen_futures::spawn_local(bring(Rc::clone(inbox)));
                }
            }
            _ => Self::queue(inbox, Task { id, what: What::Request(request, beside) }),
        }
    }

    fn queue(inbox: &Rc<Self>, task: Task) {
        inbox.waiting.borrow_mut().push_back(task);
        if !inbox.is_busy.replace(true) {
            wasm_bindgen_futures::spawn_local(serve(Rc::clone(inbox)));
        }
    }

    /// Stops a request wherever it is. One that is done needs no stopping.
    fn cancel(&self, id: u32) {
        let stop = self.open.borrow().iter().find(|(open, _)| *open == id).map(|(_, stop)| stop.clone());
        let Some(stop) = stop else { return };
        let is_waiting = {
            let (mut waiting, mut to_bring) = (self.waiting.borrow_mut(), self.to_bring.borrow_mut());
            let before = waiting.len() + to_bring.len();
            waiting.retain(|task| task.id != id);
            to_bring.retain(|(other, ..)| *other != id);
            waiting.len() + to_bring.len() < before
        };
        if is_waiting {
            self.answer(id, Ok(Event::Cancelled));
        } else {
            stop.ask();
        }
    }

    // In functions of their own: the lists must not stay borrowed while something is carried out.
    fn next_to_bring(&self) -> Option<(u32, Request, Beside)> {
        self.to_bring.borrow_mut().pop_front()
    }

    fn next_task(&self) -> Option<Task> {
        self.waiting.borrow_mut().pop_front()
    }

    /// How a request is stopped.
    fn stop_of(&self, id: u32) -> Stop {
        self.open.borrow().iter().find(|(open, _)| *open == id).map(|(_, stop)| stop.clone()).unwrap_or_default()
    }

    /// Says the last that there is to say to a request.
    fn answer(&self, id: u32, event: Result<Event>) {
        self.open.borrow_mut().retain(|(open, _)| *open != id);
        post(Some(id), event.unwrap_or_else(|error| failure::event(&error)));
    }

    /// Answers what is asked about models.
    async fn look_up(&self, id: u32, request: Request, beside: Beside) {
        let work = async {
            match request {
                Request::Describe { from } => Library.describe(from, beside.files).await.map(Event::Described),
                Request::Forget { id } => Library.forget(&id).await.map(Event::Kept),
                _ => Ok(Event::Kept(Library.kept().await)),
            }
        };
        let done = self.stop_of(id).unless(work).await;
        self.answer(id, done.unwrap_or(Ok(Event::Cancelled)));
    }
}

/// Brings models here until none is wanted. The engine has what it has, and its use, until the files of another are here.
async fn bring(inbox: Rc<Inbox>) {
    while let Some((id, request, beside)) = inbox.next_to_bring() {
        let Request::Load { from } = request else { continue };
        // As many bytes again are to be placed on the device: the bar goes on where fetching ends.
        let mut progress = |phase, done_bytes: u64, total_bytes: u64| {
            post(Some(id), Event::Progress { phase, done_bytes, total_bytes: total_bytes.saturating_mul(2) });
        };
        let opened = inbox.stop_of(id).unless(Library.open(from, beside.files, &mut progress)).await;
        match opened {
            Some(Ok(opened)) => Inbox::queue(&inbox, Task { id, what: What::Place(Box::new(opened)) }),
            Some(Err(error)) => inbox.answer(id, Err(error)),
            None => inbox.answer(id, Ok(Event::Cancelled)),
        }
    }
    inbox.is_bringing.set(false);
}

/// Carries tasks out until none waits.
async fn serve(inbox: Rc<Inbox>) {
    while let Some(Task { id, what }) = inbox.next_task() {
        let stop = inbox.stop_of(id);
        let mut engine = inbox.engine.take();
        let post = |event: Event| post(Some(id), event);
        let done = match what {
            What::Request(request, beside) => stop.unless(engine.carry_out(id, request, beside, &post)).await,
            What::Place(opened) => {
                let done = stop.unless(engine.load(id, *opened, &post)).await;
                if !matches!(done, Some(Ok(_)))
                    && let Some(report) = engine.fall_back()
                {
                    // The one before is at hand still.
                    self::post(None, Event::Loaded(report));
                }
                done
            }
        };
        let done = done.unwrap_or_else(|| Ok(engine.stopped()));
        inbox.engine.replace(engine);
        inbox.answer(id, done);
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

/// A message is `[json, file, file, ...]` or `[json, bytes]`.
fn read(message: &MessageEvent) -> Result<(Asked, Beside), String> {
    let parts: js_sys::Array = message.data().dyn_into().map_err(|_| "a message that is no list".to_owned())?;
    let text = parts.shift().as_string().ok_or("a message without text")?;
    let asked = serde_json::from_str(&text).map_err(|error| format!("a request that means nothing: {error}"))?;
    let mut beside = Beside::default();
    for part in parts.iter() {
        match part.dyn_into::<File>() {
            Ok(file) => beside.files.push(file),
            Err(part) if part.is_instance_of::<ArrayBuffer>() => beside.bytes = Uint8Array::new(&part).to_vec(),
            Err(_) => {}
        }
    }
    Ok((asked, beside))
}

fn post(id: Option<u32>, event: Event) {
    // Neither can fail: events are plain data, and the page is there as long as its worker.
    let text = serde_json::to_string(&Said { id, event }).unwrap_or_default();
    let _ = scope().post_message(&JsValue::from(text));
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
