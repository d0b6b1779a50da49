//! That texts or settings have changed since.

use crate::page::actions::page;
use leptos::prelude::*;

/// Says so, and offers to explain again.
#[component]
pub(super) fn Stale() -> impl IntoView {
    let page = page();
    let is_stale = Memo::new(move |_| page.state.is_stale());
    view! {
        <Show when=move || is_stale.get()>
            <p class="note" role="status">
                "This is about the question as it was: something has changed since. "
                <button type="button" disabled=move || page.state.engine.is_busy() on:click=move |_| page.explain()>
                    "Do it again"
                </button>
            </p>
        </Show>
    }
}
