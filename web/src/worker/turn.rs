//! Letting the browser have a turn.

use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessagePort};

thread_local! {
    static CHANNEL: RefCell<Option<(MessagePort, MessagePort)>> = const { RefCell::new(None) };
}

/// Resolves once messages that wait have been seen. Not by a timer: browsers slow those of hidden pages down.
pub(super) async fn turn() {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let resolve = Closure::once_into_js(move |_: JsValue| {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        });
        CHANNEL.with_borrow_mut(|channel| {
            if channel.is_none() {
                *channel = MessageChannel::new().ok().map(|channel| (channel.port1(), channel.port2()));
            }
            if let Some((here, there)) = channel {
                here.set_onmessage(Some(resolve.unchecked_ref()));
                let _ = there.post_message(&JsValue::UNDEFINED);
            }
        });
    });
    let _ = JsFuture::from(promise).await;
}
