//! All numbers, as a table.

use crate::page::actions::page;
use crate::page::state::Shown;
use atman::Source;
use leptos::prelude::*;
use report::{amount, label};

/// Rows in the document at a time, so that a long text does not make the page slow.
const ROWS: usize = 100;

/// One unit in numbers.
#[derive(Clone, PartialEq)]
struct Line {
    source: &'static str,
    name: String,
    score: Option<f32>,
    note: String,
}

/// Units in the order of the text, page by page.
#[component]
pub(super) fn Table() -> impl IntoView {
    let shown = page().state.shown;
    let first = RwSignal::new(0_usize);
    let lines = Memo::new(move |_| lines(shown));
    let n_lines = move || lines.with(Vec::len);
    let has_pages = move || n_lines() > ROWS;
    let rows = move || {
        let visible: Vec<Line> = lines.with(|lines| lines.iter().skip(first.get()).take(ROWS).cloned().collect());
        visible.into_iter().map(row).collect_view()
    };
    let unit = move || shown.scale.get().map_or_else(|| "nats".to_owned(), |scale| scale.measure.name());
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="All units in a table">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Part"</th>
                        <th scope="col">"Relevance, "{unit}</th>
                        <th scope="col">"Of"</th>
                        <th scope="col">"Note"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Show when=has_pages>
            <p class="pages">
                <button type="button" disabled=move || first.get() == 0 on:click=move |_| first.update(|f| *f = f.saturating_sub(ROWS))>
                    "Earlier"
                </button>
                {move || format!(" {} to {} of {} ", first.get() + 1, (first.get() + ROWS).min(n_lines()), n_lines())}
                <button type="button" disabled=move || first.get() + ROWS >= n_lines() on:click=move |_| first.update(|f| *f += ROWS)>
                    "Later"
                </button>
            </p>
        </Show>
    }
}

fn lines(shown: Shown) -> Vec<Line> {
    let scale = shown.scale.get();
    let (scores, sinks) = (shown.scores.get(), shown.sinks.get());
    shown.with_document(|document| {
        let Some(document) = document else { return Vec::new() };
        let explanation = &document.explanation;
        let tells_roles = report::pieces::roles(explanation).len() > 1;
        let line = |unit: usize| {
            let of = explanation.units.get(unit).filter(|of| sinks || !of.sink)?;
            let score = scores.get(unit).copied().flatten();
            let is_noise = score.zip(scale).is_some_and(|(score, scale)| scale.is_noise(score));
            let mut notes = Vec::new();
            if of.sink {
                notes.push("attention is parked here".to_owned());
            }
            if of.control {
                notes.push("a control token that was typed".to_owned());
            }
            // Where only one has words, there is nothing to tell apart.
            notes.extend(of.role.filter(|_| tells_roles).map(|role| role.to_string()));
            if is_noise {
                notes.push("no more than noise".to_owned());
            }
            if !of.neighbours.is_empty() {
                notes.push(amount::count(of.neighbours.len(), "neighbour"));
            }
            let source = match of.source {
                Source::Prompt if of.image.is_some() => "picture",
                Source::Prompt => "prompt",
                Source::Target => "answer",
            };
            Some(Line { source, name: label(&report::pieces::name(explanation, of)), score, note: notes.join(", ") })
        };
        explanation.leaves().into_iter().filter_map(line).collect()
    })
}

fn row(line: Line) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{line.name}</th>
            <td class="number">{line.score.map_or_else(|| "–".to_owned(), amount::signed)}</td>
            <td>{line.source}</td>
            <td>{line.note}</td>
        </tr>
    }
}
