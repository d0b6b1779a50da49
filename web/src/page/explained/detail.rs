//! One line on what is pointed at.

use crate::page::actions::page;
use crate::page::state::Shown;
use leptos::prelude::*;
use report::{Document, Side, amount};
use std::ops::Range;

/// Where the line stands, for what it describes.
pub(super) const NOTE_ID: &str = "pointed-at";

/// What the unit or the words that are pointed at say.
#[component]
pub(super) fn Detail() -> impl IntoView {
    let shown = page().state.shown;
    let text = Memo::new(move |_| match (shown.hovered_unit.get(), shown.looked_at()) {
        (Some(unit), _) => of_unit(shown, unit),
        (None, Some(tokens)) => of_tokens(shown, tokens),
        (None, None) => None,
    });
    view! {
        <div class="detail">
            <p id=NOTE_ID>{move || text.get()}</p>
            <p id="how-to-look" class="help" class:unseen=move || text.with(Option::is_some)>
                "Point at a word, in either text, to see what rests on what. In the answer, click, shift-click or drag to keep words; with the keyboard, use arrow keys, Shift and Escape."
            </p>
            <Show when=move || shown.span.with(Option::is_some)>
                <button type="button" class="plain" on:click=move |_| shown.span.set(None)>"Whole answer"</button>
            </Show>
        </div>
    }
}

/// A unit: its score, who goes along with it, and what it does most for.
fn of_unit(shown: Shown, unit: usize) -> Option<String> {
    let name = format!("“{}”", shown.name(unit));
    let score = shown.scores.with(|scores| scores.get(unit).copied().flatten());
    let Some(score) = score else { return Some(format!("{name} is not computed yet, or stands after the chosen words.")) };
    let scale = shown.scale.get()?;
    let verdict = match scale.side(score) {
        _ if scale.is_noise(score) => "no more than noise",
        Side::Neither => "which rounds to zero",
        Side::Against if shown.contrast.get().is_some() => "speaks for the alternative",
        Side::Against => "speaks against it",
        Side::Supports if shown.contrast.get().is_some() => "speaks for the answer",
        Side::Supports => "supports it",
    };
    let mut text = format!("{name}: {} {}, {verdict}", amount::signed(score), scale.measure.name());
    let more = shown.with_document(|document| more_of_unit(document?, unit));
    text.push_str(&more.unwrap_or_default());
    text.push('.');
    Some(text)
}

fn more_of_unit(document: &Document, unit: usize) -> Option<String> {
    let explanation = &document.explanation;
    let of = explanation.units.get(unit)?;
    let mut text = String::new();
    if let Some(row) = explanation.relevance.get(unit)?.as_ref().filter(|row| row.len() > 1) {
        let known = row.iter().enumerate().filter_map(|(token, score)| Some((token, (*score)?)));
        if let Some((token, score)) = known.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) {
            let word = explanation.target.tokens.get(token).map(|token| format!("“{}”", report::label(&token.text)));
            text.push_str(&format!("; most for {} ({})", word.unwrap_or_default(), amount::signed(score)));
        }
    }
    let tokens: Vec<&atman::Token> = explanation.prompt.tokens.iter().chain(&explanation.target.tokens).collect();
    let names: Vec<String> = of
        .neighbours
        .iter()
        .take(6)
        .filter_map(|position| tokens.get(*position).map(|token| format!("“{}”", report::label(&token.text))))
        .collect();
    if !names.is_empty() {
        let rest = of.neighbours.len().saturating_sub(names.len());
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        text.push_str(&format!("; damped along: {}{rest}", names.join(", ")));
    }
    Some(text)
}

/// Words of the answer: how likely they were, and what they rest on most.
fn of_tokens(shown: Shown, tokens: Range<usize>) -> Option<String> {
    shown.with_document(|document| {
        let explanation = &document?.explanation;
        let of = explanation.target.tokens.get(tokens.clone())?;
        let bytes = of.first()?.start_byte..of.last()?.end_byte;
        let name = format!("“{}”", report::label(explanation.target.text.get(bytes)?));
        let log_prob: Option<f32> = of.iter().map(|token| token.log_prob).sum();
        let likely = log_prob.map_or(String::new(), |log_prob| format!(" (probability {})", amount::probability(log_prob.exp())));
        let scores = explanation.scores(tokens);
        let mut known: Vec<(usize, f32)> = scores
            .iter()
            .enumerate()
            .filter(|(unit, _)| explanation.units.get(*unit).is_some_and(|unit| !unit.sink))
            .filter_map(|(unit, score)| Some((unit, (*score)?)))
            .collect();
        known.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let strongest = |(unit, score): &(usize, f32)| {
            let name = explanation.units.get(*unit).map(|of| report::pieces::name(explanation, of)).unwrap_or_default();
            format!("“{}” {}", report::label(&name), amount::signed(*score))
        };
        let listed: Vec<String> = known.iter().take(3).map(strongest).collect();
        Some(match listed.is_empty() {
            true => format!("{name}{likely}: nothing computed yet."),
            false => format!("{name}{likely} rests most on {}.", listed.join(", ")),
        })
    })
}
