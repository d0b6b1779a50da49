//! Ways of looking at an explanation, one at a time.

mod contrast;
mod matrix;
mod ranking;
mod steer;
mod table;
mod trust;

use crate::page::actions::page;
use crate::page::state::View;
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

const VIEWS: [(View, &str, &str); 6] = [
    (View::Ranking, "ranking", "Ranking"),
    (View::Matrix, "matrix", "Matrix"),
    (View::Table, "table", "Table"),
    (View::Contrast, "contrast", "Rather than …"),
    (View::Steer, "steer", "Suppress or amplify"),
    (View::Trust, "trust", "How far can I trust this?"),
];

/// Tabs, and what the chosen one shows.
#[component]
pub(super) fn Views() -> impl IntoView {
    let view = page().state.shown.view;
    let tabs = NodeRef::<Div>::new();
    let on_key = move |event: KeyboardEvent| {
        let at = VIEWS.iter().position(|(of, ..)| *of == view.get_untracked()).unwrap_or(0);
        let next = match event.key().as_str() {
            "ArrowRight" => (at + 1) % VIEWS.len(),
            "ArrowLeft" => (at + VIEWS.len() - 1) % VIEWS.len(),
            "Home" => 0,
            "End" => VIEWS.len() - 1,
            _ => return,
        };
        event.prevent_default();
        if let Some((of, id, _)) = VIEWS.get(next) {
            view.set(*of);
            let found = tabs.get_untracked().and_then(|tabs| tabs.query_selector(&format!("#tab-{id}")).ok().flatten());
            if let Some(tab) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
                let _ = tab.focus();
            }
        }
    };
    let tab = |(of, id, name): (View, &'static str, &'static str)| {
        view! {
            <button
                type="button"
                role="tab"
                id=format!("tab-{id}")
                aria-controls="view"
                aria-selected=move || (view.get() == of).to_string()
                tabindex=move || if view.get() == of { "0" } else { "-1" }
                on:click=move |_| view.set(of)
            >
                {name}
            </button>
        }
    };
    let labelled = move || VIEWS.iter().find(|(of, ..)| *of == view.get()).map(|(_, id, _)| format!("tab-{id}"));
    view! {
        <div class="tabs" role="tablist" aria-label="Ways of looking" node_ref=tabs on:keydown=on_key>
            {VIEWS.into_iter().map(tab).collect_view()}
        </div>
        <div class="view" role="tabpanel" id="view" aria-labelledby=labelled>
            {move || match view.get() {
                View::Ranking => view! { <ranking::Ranking/> }.into_any(),
                View::Matrix => view! { <matrix::Matrix/> }.into_any(),
                View::Table => view! { <table::Table/> }.into_any(),
                View::Contrast => view! { <contrast::Contrasts/> }.into_any(),
                View::Steer => view! { <steer::Steer/> }.into_any(),
                View::Trust => view! { <trust::Trust/> }.into_any(),
            }}
        </div>
    }
}
