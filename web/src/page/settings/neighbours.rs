//! Which words are damped along, and who they are.

use crate::page::actions::page;
use atman::{Source, Threshold, Unit};
use leptos::prelude::*;

/// Where neighbours begin when they are asked for.
const THRESHOLD: f32 = 0.7;

/// Units whose neighbours are listed.
const LISTED: usize = 12;

/// On or off, from which similarity on, and a preview.
#[component]
pub(super) fn NeighboursSetting() -> impl IntoView {
    let state = page().state;
    let settings = state.settings;
    let threshold = move || settings.with(|settings| settings.suppression.threshold);
    let is_on = move || threshold().is_some();
    let turn = move |event| {
        let on = event_target_checked(&event);
        settings.update(|settings| settings.suppression.threshold = on.then_some(Threshold::Cosine(THRESHOLD)));
    };
    let slide = move |event| {
        if let Ok(value) = event_target_value(&event).parse() {
            settings.update(|settings| settings.suppression.threshold = Some(Threshold::Cosine(value)));
        }
    };
    let value = move || match threshold() {
        Some(Threshold::Cosine(value) | Threshold::Quantile(value)) => value,
        None => THRESHOLD,
    };
    view! {
        <div class="setting">
            <label class="check">
                <input type="checkbox" prop:checked=is_on on:change=turn aria-describedby="neighbours-help"/>
                "Neighbours"
            </label>
            <p class="help" id="neighbours-help">"Similar words and parts of pictures are damped along, so that a concept goes as a whole."</p>
            <Show when=is_on>
                // By its id: else the output would be what is labelled, since it comes first.
                <label class="slide" for="similarity">
                    "Similarity from "
                    <output>{move || format!("{:.2}", value())}</output>
                    <input id="similarity" type="range" min="0.2" max="1" step="0.01" prop:value=move || value().to_string() on:input=slide/>
                </label>
                <Preview/>
            </Show>
        </div>
    }
}

/// Who the neighbours are, for the question as it stands.
#[component]
fn Preview() -> impl IntoView {
    let state = page().state;
    let lines = move || {
        state.planned.with(|planned| {
            let planned = planned.as_ref()?;
            let with: Vec<&Unit> = planned.units.iter().filter(|unit| !unit.neighbours.is_empty() && !unit.sink).collect();
            let name = |position: &usize| planned.tokens.get(*position).map_or("?", String::as_str).trim().to_owned();
            let line = |unit: &&Unit| {
                let source = if unit.source == Source::Target { " (answer)" } else { "" };
                let of = |(position, similarity): (&usize, &f32)| format!("{} {similarity:.2}", name(position));
                let names: Vec<String> = unit.neighbours.iter().zip(&unit.similarities).take(6).map(of).collect();
                let more = unit.neighbours.len().saturating_sub(6);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                view! { <li><b>{unit.text.trim().to_owned()}</b>{source}": "{names.join(", ")}{more}</li> }
            };
            Some(match with.len() {
                0 => view! { <p class="help">"No word of this question has a neighbour at this similarity."</p> }.into_any(),
                n => {
                    let rest = (n > LISTED).then(|| view! { <li>{format!("and {} more units", n - LISTED)}</li> });
                    view! { <ul class="preview">{with.iter().take(LISTED).map(line).collect_view()}{rest}</ul> }.into_any()
                }
            })
        })
    };
    view! {
        <div aria-live="polite">
            {move || lines().unwrap_or_else(|| {
                view! { <p class="help">"With a loaded model, a prompt and an answer, the neighbours are shown here."</p> }.into_any()
            })}
        </div>
    }
}
