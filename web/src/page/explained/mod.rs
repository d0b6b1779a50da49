//! The explanation: what the model read, what it said, why.

mod answer;
mod detail;
mod intro;
mod legend;
mod pictures;
mod prompt;
mod roving;
mod stale;

use super::share::export::Exports;
use super::views::Views;
use crate::page::actions::page;
use crate::page::state::{Activity, State};
use leptos::prelude::*;
use report::{Document, words};

/// The explanation, or what to expect of it.
#[component]
pub(super) fn WhyPanel() -> impl IntoView {
    let shown = page().state.shown;
    let is_there = Memo::new(move |_| shown.with_document(|document| document.is_some()));
    view! {
        <section class="why" aria-labelledby="why-title">
            <Show when=move || is_there.get() fallback=|| view! { <intro::Intro/> }>
                <Explained/>
            </Show>
        </section>
    }
}

#[component]
fn Explained() -> impl IntoView {
    let State { engine, shown, .. } = page().state;
    // The words change with the explanation's texts, not with each of its rows.
    let title = Memo::new(move |_| {
        let number = shown.contrast.get();
        shown.with_document(|document| {
            let Some(Document { explanation, .. }) = document else { return String::new() };
            match number.and_then(|number| explanation.contrasts.get(number)) {
                Some(contrast) => words::contrast(explanation, contrast),
                None => format!("Why did the model say “{}”?", words::answer(explanation)),
            }
        })
    });
    let partial = Memo::new(move |_| {
        // While it is being made it is no news that it is not whole.
        let is_growing = matches!(engine.activity.get(), Activity::Explaining { .. });
        shown
            .with_document(|document| document.filter(|_| !is_growing).and_then(|document| words::partial(&document.explanation)))
    });
    let notices = Memo::new(move |_| {
        shown.with_document(|document| document.map(|d| words::notices(&d.explanation).collect::<Vec<_>>()).unwrap_or_default())
    });
    let likelihood = Memo::new(move |_| shown.with_document(|document| document.and_then(words::likelihood)));
    let cut = Memo::new(move |_| shown.with_document(|document| document.and_then(words::target_cut)));
    view! {
        <h2 id="why-title" class="title">{move || title.get()}</h2>
        <stale::Stale/>
        {move || partial.get().map(|partial| view! { <PartialNote text=partial/> })}
        {move || notices.get().into_iter().map(|notice| view! { <p class="note notice">{notice}</p> }).collect_view()}
        <div class="reading">
            <h3 id="read-title">"What it read"</h3>
            <pictures::Pictures/>
            <prompt::TintedPrompt/>
            <h3 id="said-title">"What it said " <small>{move || likelihood.get()}</small></h3>
            <answer::SelectableAnswer/>
            {move || cut.get().map(|cut| view! { <p class="help cut">{cut}</p> })}
            <detail::Detail/>
            <legend::Legend/>
        </div>
        <Views/>
        <Exports/>
    }
}

#[component]
fn PartialNote(text: String) -> impl IntoView {
    let page = page();
    view! {
        <p class="note">
            {text}" "
            <button type="button" disabled=move || page.state.engine.is_busy() || page.state.is_of_another_model() on:click=move |_| page.go_on()>"Go on"</button>
        </p>
    }
}
