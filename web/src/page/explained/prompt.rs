//! The prompt, tinted unit by unit.

use super::detail::NOTE_ID;
use super::roving;
use crate::page::actions::page;
use crate::page::state::Shown;
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use report::pieces::Piece;
use web_sys::EventTarget;

/// The prompt. Pointing at a unit shows what it supports; a click takes it up for steering.
#[component]
pub(super) fn TintedPrompt() -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let root = NodeRef::<Div>::new();
    // One place in the order of tabs; arrow keys move within.
    let current = RwSignal::new(0_usize);
    let has_template = Memo::new(move |_| shown.prompt.with(|pieces| pieces.iter().any(|piece| piece.template || piece.sink)));
    let point = move |event: leptos::ev::MouseEvent| shown.hovered_unit.set(unit_of(event.target()));
    let on_key = move |event: KeyboardEvent| {
        let key = event.key();
        if key == "Escape" {
            return shown.hovered_unit.set(None);
        }
        if matches!(key.as_str(), "Enter" | " ") {
            event.prevent_default();
            if let Some(unit) = unit_of(event.target()) {
                page.add_steered(unit);
            }
            return;
        }
        let reachable = reachable(shown);
        let at = reachable.iter().position(|index| *index == current.get_untracked()).unwrap_or(0);
        let next = roving::next(&key, at, reachable.len().saturating_sub(1));
        if let Some(next) = next.and_then(|next| reachable.get(next).copied()) {
            event.prevent_default();
            current.set(next);
            roving::focus(root, next);
        }
    };
    let pieces = move || {
        let pieces = shown.prompt.get();
        let all_template = pieces.iter().all(|piece| piece.template);
        current.set(reachable(shown).first().copied().unwrap_or(0));
        let views = pieces.iter().enumerate().map(|(index, piece)| unit_view(page, index, piece, current, all_template));
        views.collect_view()
    };
    view! {
        <div
            class="text prompt"
            class:sinks=move || shown.sinks.get()
            dir="auto"
            role="group"
            aria-labelledby="read-title"
            node_ref=root
            on:mouseover=point
            on:mouseleave=move |_| shown.hovered_unit.set(None)
            on:focusin=move |event| shown.hovered_unit.set(unit_of(event.target()))
            on:focusout=move |_| shown.hovered_unit.set(None)
            on:click=move |event| if let Some(unit) = unit_of(event.target()) { page.add_steered(unit) }
            on:keydown=on_key
        >
            {pieces}
        </div>
        <Show when=move || has_template.get()>
            <label class="check small" title="Models park attention there, whatever it says.">
                <input type="checkbox" prop:checked=move || shown.sinks.get() on:change=move |event| shown.sinks.set(event_target_checked(&event))/>
                "Show the first position and the chat template too"
            </label>
        </Show>
    }
}

fn unit_view(
    page: crate::page::actions::Page,
    index: usize,
    piece: &Piece,
    current: RwSignal<usize>,
    all_template: bool,
) -> impl IntoView + use<> {
    let shown = page.state.shown;
    let text = report::clean(&piece.text).into_owned();
    let (sink, template) = (piece.sink, piece.template && !all_template);
    if piece.picture {
        return view! { <span class="marker">{text}</span> }.into_any();
    }
    let Some(unit) = piece.unit else {
        return view! { <span class:template=template>{text}</span> }.into_any();
    };
    let tint = Memo::new(move |_| shown.tints.with(|tints| tints.get(unit).copied().unwrap_or_default()));
    let is_steered = move || page.state.steering.holds(unit);
    view! {
        <span
            class="unit"
            class:for=move || tint.get().is_for()
            class:against=move || tint.get().is_against()
            class:noise=move || tint.get().noise
            class:unknown=move || tint.get().score.is_none()
            class:sink=sink
            class:template=template
            class:control=piece.control
            class:active=move || shown.hovered_unit.get() == Some(unit)
            class:steered=is_steered
            style=("--strength", move || tint.get().percent())
            data-unit=unit.to_string()
            data-relevance=move || tint.get().score.map(|score| score.to_string())
            data-index=index.to_string()
            role="button"
            aria-describedby=NOTE_ID
            tabindex=move || if current.get() == index { "0" } else { "-1" }
        >
            {text}
        </span>
    }
    .into_any()
}

/// Pieces that can be seen and belong to a unit.
fn reachable(shown: Shown) -> Vec<usize> {
    let sinks = shown.sinks.get_untracked();
    shown.prompt.with_untracked(|pieces| {
        let all_template = pieces.iter().all(|piece| piece.template);
        let is_reachable = |piece: &Piece| piece.unit.is_some() && (sinks || all_template || !piece.template);
        pieces.iter().enumerate().filter(|(_, piece)| is_reachable(piece)).map(|(index, _)| index).collect()
    })
}

fn unit_of(target: Option<EventTarget>) -> Option<usize> {
    roving::number_of(target, "data-unit")
}
