//! Choosing and loading a model.

mod device;
mod facts;
mod kept;
mod picker;
mod progress;

use crate::page::actions::page;
use crate::page::state::Place;
use crate::page::trouble::Trouble;
use leptos::prelude::*;

/// Which model, what it takes, how far loading is, and what it runs on.
#[component]
pub(super) fn ModelPanel() -> impl IntoView {
    let state = page().state;
    let library = state.library;
    view! {
        <div class="model">
            <div class="bar">
                <picker::Picker/>
                <facts::Facts/>
            </div>
            <picker::Named/>
            <crate::page::share::expected::Expected/>
            <progress::Loading/>
            <Trouble at=Place::Model/>
            {move || {
                library.loaded.with(|loaded| {
                    loaded.as_ref().and_then(|(_, report)| report.not_kept.clone()).map(|why| view! { <p class="note">{why}</p> })
                })
            }}
            <div class="more">
                <facts::Notices/>
                <device::Device/>
                <kept::KeptModels/>
            </div>
        </div>
    }
}
