//! Units by their strength, as bars.

use crate::page::actions::page;
use crate::page::state::Shown;
use leptos::prelude::*;
use report::{Side, amount, label};

/// Bars shown before one asks for more.
const FIRST: usize = 12;
/// The most that are ever shown: the table has all.
const MOST: usize = 200;

/// A unit with its score, as a bar shows it.
#[derive(Clone, PartialEq)]
struct Bar {
    unit: usize,
    name: String,
    score: f32,
    is_noise: bool,
    is_against: bool,
}

/// Units of the prompt, the strongest first.
#[component]
pub(super) fn Ranking() -> impl IntoView {
    let shown = page().state.shown;
    let all = RwSignal::new(false);
    let bars = Memo::new(move |_| bars(shown));
    let strongest = move || bars.with(|bars| bars.iter().map(|bar| bar.score.abs()).fold(0.0, f32::max));
    let n_shown = move || if all.get() { MOST } else { FIRST };
    let rows = move || {
        let widest = strongest().max(f32::MIN_POSITIVE);
        bars.get().into_iter().take(n_shown()).map(move |bar| row(shown, bar, widest)).collect_view()
    };
    let more = move || bars.with(Vec::len).min(MOST).saturating_sub(FIRST);
    view! {
        <Show
            when=move || bars.with(|bars| !bars.is_empty())
            fallback=|| view! { <p class="help">"The strongest parts come first here, as soon as they are computed."</p> }
        >
            <ol class="bars">{rows}</ol>
            <Show when=move || more() != 0>
                <button type="button" on:click=move |_| all.update(|all| *all = !*all)>
                    {move || if all.get() { "Show fewer".to_owned() } else { format!("Show {} more", more()) }}
                </button>
            </Show>
        </Show>
    }
}

fn bars(shown: Shown) -> Vec<Bar> {
    let scale = shown.scale.get();
    let (scores, sinks) = (shown.scores.get(), shown.sinks.get());
    shown.with_document(|document| {
        let Some(document) = document else { return Vec::new() };
        let explanation = &document.explanation;
        let bar = |unit: usize| {
            let of = explanation.units.get(unit)?;
            let score = scores.get(unit).copied().flatten()?;
            let is_noise = scale.is_some_and(|scale| scale.is_noise(score));
            let name = label(&report::pieces::name(explanation, of));
            let is_against = scale.is_some_and(|scale| scale.side(score) == Side::Against);
            (sinks || !of.sink).then_some(Bar { unit, name, score, is_noise, is_against })
        };
        let mut bars: Vec<Bar> = explanation.leaves().into_iter().filter_map(bar).collect();
        bars.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
        bars
    })
}

fn row(shown: Shown, bar: Bar, widest: f32) -> impl IntoView {
    let Bar { unit, name, score, is_noise, is_against } = bar;
    let width = format!("{:.1}%", score.abs() / widest * 100.0);
    let title = name.clone();
    view! {
        <li
            class:noise-row=is_noise
            class:active=move || shown.hovered_unit.get() == Some(unit)
            on:mouseenter=move |_| shown.hovered_unit.set(Some(unit))
            on:mouseleave=move |_| shown.hovered_unit.set(None)
        >
            <span class="name" title=title>{name}</span>
            <span class="bar" aria-hidden="true"><span class:against=is_against style=("--width", width)></span></span>
            <span class="score">{amount::signed(score)}</span>
        </li>
    }
}
