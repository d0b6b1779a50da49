//! How the model writes an answer.

use crate::page::actions::page;
use leptos::prelude::*;
use model::MAX_TOP_K;

/// The usual settings of sampling.
#[component]
pub(super) fn WritingSettings() -> impl IntoView {
    let question = page().state.question;
    let sampling = question.sampling;
    view! {
        <details class="settings">
            <summary>"How it writes"</summary>
            <Number
                id="max-tokens"
                name="Most tokens"
                help="Where it stops if the model does not."
                range=(1.0, 4096.0, 1.0)
                value=Signal::derive(move || question.max_tokens.get() as f64)
                set=Callback::new(move |value: f64| question.max_tokens.set(value as usize))
            />
            <Number
                id="temperature"
                name="Temperature"
                help="0 always takes the likeliest token; 1 draws tokens as often as the model thinks them likely."
                range=(0.0, 5.0, 0.1)
                value=Signal::derive(move || f64::from(sampling.with(|s| s.temperature)))
                set=Callback::new(move |value: f64| sampling.update(|s| s.temperature = value as f32))
            />
            <Number
                id="top-k"
                name="Top k"
                help="Draw among so many of the likeliest tokens only."
                range=(1.0, MAX_TOP_K as f64, 1.0)
                value=Signal::derive(move || sampling.with(|s| s.top_k) as f64)
                set=Callback::new(move |value: f64| sampling.update(|s| s.top_k = value as usize))
            />
            <Number
                id="top-p"
                name="Top p"
                help="Draw among the likeliest tokens that together have this probability."
                range=(0.05, 1.0, 0.05)
                value=Signal::derive(move || f64::from(sampling.with(|s| s.top_p)))
                set=Callback::new(move |value: f64| sampling.update(|s| s.top_p = value as f32))
            />
            <Number
                id="seed"
                name="Seed"
                help="The same seed draws the same text."
                range=(0.0, 9_007_199_254_740_991.0, 1.0)
                value=Signal::derive(move || sampling.with(|s| s.seed) as f64)
                set=Callback::new(move |value: f64| sampling.update(|s| s.seed = value as u64))
            />
        </details>
    }
}

/// A number with a name and one sentence. What is no number within the range is left as it was.
#[component]
pub(in crate::page) fn Number(
    /// Of the input.
    id: &'static str,
    /// What a person calls it.
    name: &'static str,
    /// What it does, in one sentence.
    help: &'static str,
    /// Least, greatest, and step.
    range: (f64, f64, f64),
    /// What it is.
    value: Signal<f64>,
    /// Takes what it is to be.
    set: Callback<f64>,
) -> impl IntoView {
    let (least, greatest, step) = range;
    let change = move |event| {
        if let Ok(value) = event_target_value(&event).parse::<f64>()
            && (least..=greatest).contains(&value)
        {
            set.run(value);
        }
    };
    // A number that was an f32 is told without the digits that it never had.
    let shown = move || format!("{}", (value.get() * 1e6).round() / 1e6);
    let help_id = format!("{id}-help");
    view! {
        <div class="setting">
            <label for=id>{name}</label>
            <input
                id=id
                type="number"
                min=least.to_string()
                max=greatest.to_string()
                step=step.to_string()
                aria-describedby=help_id.clone()
                prop:value=shown
                on:change=change
            />
            <p class="help" id=help_id>{help}</p>
        </div>
    }
}
