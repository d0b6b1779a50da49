//! What the chosen model takes, before anything is loaded.

use crate::messages::ModelReport;
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
            let licence = match library.licence().as_ref().or(facts.licence.as_ref()) {
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
    // What answers until then, if anything does.
    let other = move || {
        let other = library.loaded.with(|loaded| loaded.as_ref().map(|(_, report)| report.name.clone()));
        other.filter(|_| !library.is_ready()).map(|name| format!("{name} is loaded until then."))
    };
    let is_looked_up = move || library.described_by.with(Option::is_some);
    view! {
        <p class="facts" id="facts">{facts}</p>
        <Show when=is_looked_up>
            <p class="help">
                "Looking it up "
                <button type="button" class="plain" on:click=move |_| page.stop_looking()>"Cancel"</button>
            </p>
        </Show>
        <Show
            when=move || library.is_ready()
            fallback=move || {
                view! {
                    <button type="button" disabled=move || !can_load() on:click=move |_| page.load() aria-describedby="facts">
                        "Load"
                    </button>
                    <p class="help">{other}</p>
                }
            }
        >
            <p class="ready" title=about>"Ready"</p>
        </Show>
    }
}

/// What there is to know about the files of the model that is loaded.
#[component]
pub(super) fn Notices() -> impl IntoView {
    let library = page().state.library;
    let notices = move || {
        let of_chosen = |loaded: &Option<(Selected, ModelReport)>| loaded.as_ref().map(|(_, report)| report.notices.clone());
        library.loaded.with(of_chosen).filter(|_| library.is_ready()).unwrap_or_default()
    };
    let some = move || {
        let notices = notices();
        (!notices.is_empty()).then(|| {
            let items = notices.into_iter().map(|notice| view! { <li>{notice}</li> }).collect_view();
            view! {
                <details class="notices">
                    <summary>"About this model’s files"</summary>
                    <ul>{items}</ul>
                </details>
            }
        })
    };
    view! { {some} }
}
