//! Generate, explain, stop; how far it is; and what went wrong.

use crate::page::actions::page;
use crate::page::state::{Activity, Place};
use crate::page::trouble::Trouble;
use leptos::prelude::*;
use report::amount;

/// The buttons, and what they brought about.
#[component]
pub(super) fn Buttons() -> impl IntoView {
    let page = page();
    let (engine, drafts) = (page.state.engine, page.state.question.drafts);
    let cannot = move || engine.is_busy() || engine.is_starting();
    view! {
        <div class="buttons">
            <button type="button" disabled=cannot on:click=move |_| page.generate()>"Generate"</button>
            <button type="button" class="primary" disabled=cannot on:click=move |_| page.explain()>"Explain"</button>
            <button type="button" disabled=move || !engine.is_busy() on:click=move |_| page.stop()>"Stop"</button>
            <Show when=move || drafts.with(|drafts| !drafts.is_empty())>
                <button
                    type="button"
                    class="plain"
                    title="Prompt, answer and pictures, as they were before something else took their place"
                    disabled=move || engine.is_busy()
                    on:click=move |_| page.bring_back()
                >
                    "Bring back what you had"
                </button>
            </Show>
        </div>
        <Progress/>
        <Cost/>
        <Trouble at=Place::Ask/>
    }
}

#[component]
fn Progress() -> impl IntoView {
    let engine = page().state.engine;
    let (max, value) = (
        move || match engine.activity.get() {
            Activity::Explaining { total_rows, .. } => total_rows.max(1).to_string(),
            _ => "1".to_owned(),
        },
        move || match engine.activity.get() {
            Activity::Explaining { done_rows, .. } => done_rows.to_string(),
            _ => "0".to_owned(),
        },
    );
    let is_explaining = Memo::new(move |_| matches!(engine.activity.get(), Activity::Explaining { .. }));
    let text = move || match engine.activity.get() {
        Activity::Starting => "Looking for a device".to_owned(),
        Activity::Writing => "The model is writing".to_owned(),
        Activity::Steering => "The model is writing again".to_owned(),
        Activity::Explaining { seconds_left: Some(left), .. } => format!("{} left", amount::time_left(left)),
        Activity::Explaining { .. } => "Reading the prompt once as it is".to_owned(),
        Activity::Loading { .. } => "Loading the model first".to_owned(),
        Activity::Idle => String::new(),
    };
    view! {
        <div class="progress">
            <Show when=move || is_explaining.get()>
                <progress aria-label="explaining" max=max value=value></progress>
            </Show>
            <span class="numbers">{text}</span>
        </div>
    }
}

/// What explaining would take, or why it cannot be done as it stands.
#[component]
fn Cost() -> impl IntoView {
    let state = page().state;
    let text = move || {
        state.planned.with(|planned| {
            let planned = planned.as_ref().filter(|_| state.engine.activity.get() == Activity::Idle)?;
            if let Some(problem) = &planned.problem {
                return Some(problem.clone());
            }
            let units = amount::count(planned.units.len(), "unit");
            let time = planned.seconds.map_or(String::new(), |seconds| format!(", {}", amount::time_left(seconds)));
            let verb = if state.is_stale() { "Explaining it again takes" } else { "Explaining takes" };
            Some(format!("{verb} {units}{time} and {} of memory beside the model.", amount::bytes(planned.peak_bytes)))
        })
    };
    view! { <p class="help cost">{text}</p> }
}
