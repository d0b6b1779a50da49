//! One tab at a time writes a model's files.

use super::js;
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A tab that has just stopped writing takes a moment to let go.
const ATTEMPTS: u32 = 4;
const PAUSE_MS: i32 = 120;

/// Held while this tab writes or deletes a model's files. The browser lets go of it when the tab ends, however it ends.
pub(super) struct Lock {
    release: Option<Function>,
}

impl Lock {
    /// Takes the lock of a model; `None` if another tab holds it. Where a browser has no such locks, the exclusive access to
    /// each file is all the protection there is, and enough.
    pub(super) async fn take(id: &str) -> Option<Lock> {
        let Some(locks) = js::property(&js::scope().navigator(), "locks") else { return Some(Lock { release: None }) };
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                js::sleep(PAUSE_MS).await;
            }
            match ask(&locks, &format!("atman-model-{id}")).await {
                Ok(None) => {}
                Ok(lock) => return lock,
                Err(_) => return Some(Lock { release: None }),
            }
        }
        None
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // Settling a promise cannot fail.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Asks once. A lock lasts until the promise that its callback returns is settled.
async fn ask(locks: &JsValue, name: &str) -> Result<Option<Lock>, JsValue> {
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    // From here on: whoever stops waiting has let go, even if the lock is granted later.
    let lock = Lock { release };
    let mut tell = None;
    let told = Promise::new(&mut |resolve, _| tell = Some(resolve));
    let callback = Closure::once_into_js(move |granted: JsValue| {
        let is_granted = !granted.is_null();
        if let Some(tell) = tell {
            let _ = tell.call1(&JsValue::UNDEFINED, &is_granted.into());
        }
        if is_granted { held.into() } else { JsValue::UNDEFINED }
    });
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &true.into())?;
    let request: Function = Reflect::get(locks, &"request".into())?.dyn_into()?;
    let done = request.call3(locks, &name.into(), &options, &callback)?;
    // The second is rejected where locks are denied, and else comes after the first.
    let is_granted = JsFuture::from(Promise::race(&Array::of2(&told, &done))).await?;
    Ok((is_granted == true).then_some(lock))
}
