//! What happens when the page opens.

use super::actions::Page;
use super::ask;
use super::browser;
use super::share::link;
use super::state::Activity;
use super::worker_link::base;
use crate::selected::Selected;
use leptos::prelude::*;
use serde::Deserialize;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;
use weights::catalogue::DEFAULT;

/// How long the question must stand still before it is asked what explaining it would take.
const STILL: Duration = Duration::from_millis(400);

/// Finds the models that this site carries, takes up what a link asks, and keeps the plan up to date.
pub(super) fn begin(page: Page) {
    let linked = link::take(page);
    if page.state.library.selected.get_untracked() == Selected::Nothing {
        // Nobody asked for it: what there is to say of a broken link stays.
        page.take_up(Selected::Catalogue(DEFAULT.name.to_owned()));
    }
    if linked == link::Taken::Nothing {
        ask::take_first_example(page);
    }
    if linked != link::Taken::Broken && untrack(|| page.state.library.is_built_in()) {
        page.explain_once_loaded();
    }
    spawn_local(async move { page.state.library.carried.set(carried().await) });
    let on_link = window_event_listener(leptos::ev::hashchange, move |_| {
        link::take(page);
    });
    on_cleanup(move || on_link.remove());
    keep_planned(page);
    // Should the page break down, it can be opened again with what was asked.
    Effect::new(move |_| browser::leave("question", &link::fragment(page)));
    #[cfg(feature = "parity")]
    break_down_when_told();
}

/// A test has the page break down.
#[cfg(feature = "parity")]
#[expect(clippy::panic, reason = "that is what it is for")]
fn break_down_when_told() {
    let on_panic = window_event_listener_untyped("panic", |_| panic!("a test asked for it"));
    on_cleanup(move || on_panic.remove());
}

/// The file names in `models/index.json`; none where there is no such file.
async fn carried() -> Vec<String> {
    #[derive(Deserialize)]
    struct Index {
        files: Vec<String>,
    }
    let text = browser::text(&format!("{}models/index.json", base())).await;
    text.and_then(|text| serde_json::from_str::<Index>(&text).ok()).map_or_else(Vec::new, |index| index.files)
}

/// Asks what explaining the question would take, whenever it has changed and stands still.
fn keep_planned(page: Page) {
    let state = page.state;
    let waiting: StoredValue<Option<TimeoutHandle>> = StoredValue::new(None);
    Effect::new(move |_| {
        let ask = state.ask();
        let is_ready = state.library.is_ready() && state.engine.activity.get() == Activity::Idle;
        if let Some(handle) = waiting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
        if !is_ready || ask.prompt.text.is_empty() || ask.target.text.is_empty() {
            state.planned.set(None);
            return;
        }
        waiting.set_value(set_timeout_with_handle(move || page.plan(), STILL).ok());
    });
}
