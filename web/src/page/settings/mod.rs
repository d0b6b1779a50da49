//! How an answer is explained, with one plain sentence each.

mod granularity;
mod layers;
mod neighbours;
mod pictures;

use crate::page::actions::page;
use crate::page::ask::Number;
use kernels::Operator;
use leptos::prelude::*;

/// Granularity, operator, factor, neighbours, layers.
#[component]
pub(super) fn ExplainingSettings() -> impl IntoView {
    let settings = page().state.settings;
    let operator = move || settings.with(|settings| settings.suppression.operator);
    let option = |of: Operator, text: &'static str| {
        view! { <option value=of.to_string() prop:selected=move || operator() == of>{text}</option> }
    };
    let choose = move |event| {
        if let Ok(chosen) = event_target_value(&event).parse() {
            settings.update(|settings| settings.suppression.operator = chosen);
        }
    };
    view! {
        <details class="settings">
            <summary>"How it is explained"</summary>
            <granularity::GranularitySetting/>
            <pictures::PictureSetting/>
            <div class="setting">
                <label for="operator">"Operator"</label>
                <select id="operator" aria-describedby="operator-help" on:change=choose>
                    {option(Operator::Multiplicative, "multiplicative")}
                    {option(Operator::LogAdditive, "log-additive")}
                    {option(Operator::Shifted, "shifted")}
                    {option(Operator::ShiftedFull, "shifted-full")}
                </select>
                <p class="help" id="operator-help">{move || meaning(operator())}</p>
            </div>
            <Number
                id="factor"
                name="Factor"
                help="What attention to a unit is scaled by: 0 damps it wholly, 1 leaves it, above 1 amplifies it."
                range=(0.0, 100.0, 0.05)
                value=Signal::derive(move || f64::from(settings.with(|settings| settings.suppression.factor)))
                set=Callback::new(move |value: f64| settings.update(|settings| settings.suppression.factor = value as f32))
            />
            <neighbours::NeighboursSetting/>
            <layers::LayersSetting/>
        </details>
    }
}

fn meaning(operator: Operator) -> &'static str {
    match operator {
        Operator::Multiplicative => "The paper’s: the attention score is multiplied by the factor. It finds answers best.",
        Operator::LogAdditive => "The share of attention is scaled by the factor; 0 takes the word out of attention altogether.",
        Operator::Shifted => "Scores are scaled down towards the smallest one, which comes close to taking the word out.",
        Operator::ShiftedFull => {
            "The published research code, for comparison: it looks at later words too, and takes twice the time."
        }
    }
}
