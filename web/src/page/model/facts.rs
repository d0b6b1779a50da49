//! What the chosen model takes, before anything is loaded.

use crate::page::actions::page;
use crate::selected::Selected;
use leptos::prelude::*;
use report::amount;

/// Size, memory, licence, and the button that loads it.
#[component]
pub(super) fn Facts() -> impl IntoView {
    let page = page();
    let (engine, library) = (page.state.engine, page.state.library);
    let is_here = move || {
        let selected = library.selected.get();
        match &selected {
            Selected::Files(_) | Selected::Kept(_) => true,
            Selected::Catalogue(name) => weights::catalogue::find(name).is_some_and(|entry| library.is_here(entry)),
            _ => false,
        }
    };
    let facts = move || {
        library.facts.with(|facts| {
            // Which of several files it is decides what it takes.
            let facts = facts.as_ref().filter(|facts| facts.choices.is_empty())?;
            let size = match (is_here(), facts.download_bytes) {
                _ if library.is_built_in() => format!("{}, part of this page", amount::bytes(facts.file_bytes)),
                (true, _) | (_, 0) => format!("{}, already here", amount::bytes(facts.file_bytes)),
                (false, bytes) => format!("{} to fetch", amount::bytes(bytes)),
            };
            let memory = facts.memory_bytes.map(|bytes| format!("about {} of memory", amount::bytes(bytes)));
            let licence = match &facts.licence {
                Some(licence) => format!("licence {licence}"),
                None => "licence not stated".to_owned(),
            };
            let parts: Vec<String> = [Some(size), memory, Some(licence)].into_iter().flatten().collect();
            Some(parts.join(" · "))
        })
    };
    let is_known = move || library.facts.with(|facts| facts.as_ref().is_some_and(|facts| facts.choices.is_empty()));
    let can_load = move || !library.is_ready() && !engine.is_busy() && !engine.is_starting() && is_known();
    let about = move || {
        library.loaded.with(|loaded| loaded.as_ref().filter(|_| library.is_ready()).map(|(_, report)| report.description.clone()))
    };
    view! {
        <p class="facts" id="facts">{facts}</p>
        <Show
            when=move || library.is_ready()
            fallback=move || {
                view! {
                    <button type="button" disabled=move || !can_load() on:click=move |_| page.load() aria-describedby="facts">
                        "Load"
                    </button>
                }
            }
        >
            <p class="ready" title=about>"Ready"</p>
        </Show>
    }
}
