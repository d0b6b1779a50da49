//! Moving within a text with the arrow keys: one of its pieces is in the order of tabs, the others are reached from it.

use leptos::html::Div;
use leptos::prelude::*;
use std::str::FromStr;
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, HtmlElement};

/// The number in an attribute of what an event hit, or of what that is within.
pub(super) fn number_of<T: FromStr>(target: Option<EventTarget>, attribute: &str) -> Option<T> {
    let element: Element = target?.dyn_into().ok()?;
    element.closest(&format!("[{attribute}]")).ok()??.get_attribute(attribute)?.parse().ok()
}

/// The piece that a key leads to; `None` for keys that lead nowhere.
pub(super) fn next(key: &str, at: usize, last: usize) -> Option<usize> {
    match key {
        "ArrowRight" | "ArrowDown" => Some((at + 1).min(last)),
        "ArrowLeft" | "ArrowUp" => Some(at.saturating_sub(1)),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

/// Puts the focus on the piece of that `data-index`.
pub(super) fn focus(root: NodeRef<Div>, index: usize) {
    let found = root.get_untracked().and_then(|root| root.query_selector(&format!("[data-index=\"{index}\"]")).ok().flatten());
    if let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
