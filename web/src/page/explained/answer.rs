//! The answer, as text to select in: by pointing, clicking, dragging, or with the keyboard.

use super::detail::NOTE_ID;
use super::roving;
use crate::page::actions::page;
use crate::page::state::Shown;
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Div;
use leptos::prelude::*;
use report::pieces::Piece;
use std::ops::Range;
use web_sys::EventTarget;

/// The answer's tokens.
#[component]
pub(super) fn SelectableAnswer() -> impl IntoView {
    let shown = page().state.shown;
    let root = NodeRef::<Div>::new();
    // Pieces between which a choice is made: where it began, and where it is now.
    let (anchor, current) = (RwSignal::new(0_usize), RwSignal::new(0_usize));
    let is_dragging = RwSignal::new(false);
    let choose = move |from: usize, to: usize| {
        let range = shown.answer.with_untracked(|pieces| {
            let (first, last) = (pieces.get(from.min(to))?, pieces.get(from.max(to))?);
            Some(first.tokens.start..last.tokens.end)
        });
        shown.span.set(range);
    };
    let press = move |event: MouseEvent| {
        let Some(index) = index_of(event.target()) else { return };
        if event.button() != 0 {
            return;
        }
        let from = if event.shift_key() { anchor.get_untracked() } else { index };
        // A click on what alone was chosen lets it go.
        let is_alone = shown.span.get_untracked() == tokens_of(shown, index) && !event.shift_key();
        anchor.set(from);
        current.set(index);
        is_dragging.set(true);
        if is_alone { shown.span.set(None) } else { choose(from, index) }
    };
    let move_over = move |event: MouseEvent| {
        let index = index_of(event.target());
        if is_dragging.get_untracked() && event.buttons() & 1 == 1 {
            shown.hovered_tokens.set(None);
            if let Some(index) = index.filter(|index| *index != current.get_untracked()) {
                current.set(index);
                choose(anchor.get_untracked(), index);
            }
            return;
        }
        is_dragging.set(false);
        shown.hovered_tokens.set(index.and_then(|index| tokens_of(shown, index)));
    };
    let on_key = move |event: KeyboardEvent| {
        let last = shown.answer.with_untracked(|pieces| pieces.len().saturating_sub(1));
        let at = current.get_untracked();
        let next = match event.key().as_str() {
            "Enter" | " " => at,
            "a" if event.ctrl_key() || event.meta_key() => {
                event.prevent_default();
                anchor.set(0);
                choose(0, last);
                return;
            }
            "Escape" => {
                shown.span.set(None);
                shown.hovered_tokens.set(None);
                return;
            }
            key => match roving::next(key, at, last) {
                Some(next) => next,
                None => return,
            },
        };
        event.prevent_default();
        current.set(next);
        let chooses = event.shift_key() || matches!(event.key().as_str(), "Enter" | " ");
        if event.shift_key() {
            choose(anchor.get_untracked(), next);
        } else {
            anchor.set(next);
            if chooses {
                choose(next, next);
            }
        }
        roving::focus(root, next);
    };
    let pieces = move || {
        let pieces = shown.answer.get();
        anchor.set(0);
        current.set(0);
        pieces.iter().enumerate().map(|(index, piece)| token_view(shown, index, piece, current)).collect_view()
    };
    view! {
        <div
            class="text answer"
            dir="auto"
            role="listbox"
            aria-multiselectable="true"
            aria-labelledby="said-title"
            aria-describedby="how-to-look"
            node_ref=root
            on:mousedown=press
            on:mouseover=move_over
            on:mouseup=move |_| is_dragging.set(false)
            on:mouseleave=move |_| shown.hovered_tokens.set(None)
            on:focusin=move |event| shown.hovered_tokens.set(index_of(event.target()).and_then(|index| tokens_of(shown, index)))
            on:focusout=move |_| shown.hovered_tokens.set(None)
            on:keydown=on_key
        >
            {pieces}
        </div>
    }
}

fn token_view(shown: Shown, index: usize, piece: &Piece, current: RwSignal<usize>) -> impl IntoView + use<> {
    let text = report::clean(&piece.text).into_owned();
    let tokens = piece.tokens.clone();
    let is_in = move |chosen: Option<Range<usize>>| chosen.is_some_and(|chosen| chosen.contains(&tokens.start));
    let (is_chosen, is_pointed) = (is_in, is_in);
    let tint = Memo::new(move |_| shown.answer_tints.with(|tints| tints.get(index).copied().unwrap_or_default()));
    let chosen = Memo::new(move |_| is_chosen(shown.span.get()));
    view! {
        <span
            class="token"
            class:for=move || tint.get().is_for()
            class:against=move || tint.get().is_against()
            class:noise=move || tint.get().noise
            class:chosen=move || chosen.get()
            class:previewed=move || is_pointed(shown.hovered_tokens.get())
            style=("--strength", move || tint.get().percent())
            data-unit=piece.unit.map(|unit| unit.to_string())
            data-relevance=move || tint.get().score.map(|score| score.to_string())
            data-index=index.to_string()
            role="option"
            aria-selected=move || chosen.get().to_string()
            aria-describedby=NOTE_ID
            tabindex=move || if current.get() == index { "0" } else { "-1" }
        >
            {text}
        </span>
    }
}

fn tokens_of(shown: Shown, index: usize) -> Option<Range<usize>> {
    shown.answer.with_untracked(|pieces| pieces.get(index).map(|piece| piece.tokens.clone()))
}

fn index_of(target: Option<EventTarget>) -> Option<usize> {
    roving::number_of(target, "data-index")
}
