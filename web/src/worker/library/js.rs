//! Errors, promises and time, as JavaScript has them.

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::WorkerGlobalScope;

/// What JavaScript says went wrong.
pub(super) fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => format!("{error:?}"),
    }
}

/// An error for people.
pub(super) fn failure(error: &JsValue) -> anyhow::Error {
    anyhow::anyhow!(message(error))
}

/// The kind of an error, such as `QuotaExceededError`.
pub(super) fn kind(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| error.name().into()).unwrap_or_default()
}

/// A property that some browsers lack.
pub(super) fn property(of: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// The worker's global object.
pub(super) fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// A promise's outcome; `None` if it is not there after so many milliseconds.
pub(super) async fn within(promise: Promise, ms: i32) -> Option<Result<JsValue, JsValue>> {
    let timer = Timer::start(ms);
    let outcome = JsFuture::from(Promise::race(&Array::of2(&promise, &timer.promise))).await;
    // Nothing else settles to this very object.
    let is_late = outcome.as_ref().is_ok_and(|value| *value == timer.mark);
    (!is_late).then_some(outcome)
}

/// Waits.
pub(super) async fn sleep(ms: i32) {
    let timer = Timer::start(ms);
    // It is never rejected.
    let _ = JsFuture::from(timer.promise.clone()).await;
}

/// Settles after a while, to an object of its own, unless it is let go before.
struct Timer {
    promise: Promise,
    mark: JsValue,
    number: Option<i32>,
}

impl Timer {
    fn start(ms: i32) -> Self {
        let mark: JsValue = js_sys::Object::new().into();
        let mut number = None;
        let promise = Promise::new(&mut |resolve, _| {
            number = scope().set_timeout_with_callback_and_timeout_and_arguments_1(&resolve, ms, &mark).ok();
        });
        Self { promise, mark, number }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            scope().clear_timeout_with_handle(number);
        }
    }
}
