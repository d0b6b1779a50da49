//! What the browser does for us.

use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Response, Url};

/// What JavaScript says went wrong.
pub(super) fn message(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}

/// A file's content for the browser.
pub(super) fn blob(content: &str, mime: &str) -> Result<Blob, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&content.into()), &options)
}

/// The same of bytes.
pub(super) fn blob_of_bytes(content: &[u8], mime: &str) -> Result<Blob, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    Blob::new_with_u8_array_sequence_and_options(&js_sys::Array::of1(&Uint8Array::from(content).into()), &options)
}

/// All bytes of a file.
pub(super) async fn bytes(file: &Blob) -> Result<Vec<u8>, JsValue> {
    Ok(Uint8Array::new(&JsFuture::from(file.array_buffer()).await?).to_vec())
}

/// Has the browser save a file.
pub(super) fn save(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(blob)?;
    let anchor: HtmlAnchorElement = leptos::prelude::document().create_element("a")?.unchecked_into();
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    Url::revoke_object_url(&url)
}

/// The text at an address of the page's own origin; `None` if there is none.
pub(super) async fn text(url: &str) -> Option<String> {
    JsFuture::from(answer(url).await?.text().ok()?).await.ok()?.as_string()
}

/// The bytes at an address of the page's own origin; `None` if there are none.
pub(super) async fn fetched(url: &str) -> Option<Vec<u8>> {
    Some(Uint8Array::new(&JsFuture::from(answer(url).await?.array_buffer().ok()?).await.ok()?).to_vec())
}

async fn answer(url: &str) -> Option<Response> {
    let response = JsFuture::from(leptos::prelude::window().fetch_with_str(url)).await.ok()?;
    let response: Response = response.unchecked_into();
    response.ok().then_some(response)
}

/// Leaves a text for `start.js`, as a property of the window.
pub(super) fn leave(name: &str, text: &str) {
    // A window takes any property.
    let _ = js_sys::Reflect::set(&leptos::prelude::window(), &name.into(), &text.into());
}

/// Scrolls to an element unless it is in view.
pub(super) fn bring_into_view(id: &str) {
    let Some(element) = leptos::prelude::document().get_element_by_id(id) else { return };
    let height = leptos::prelude::window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(f64::MAX);
    let top = element.get_bounding_client_rect().top();
    if !(0.0..height).contains(&top) {
        element.scroll_into_view();
    }
}
