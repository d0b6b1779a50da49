//! What went wrong, and what can be done about it.

use super::actions::page;
use super::state::Place;
use crate::messages::FailureKind;
use crate::selected::Selected;
use leptos::prelude::*;
use report::amount;

/// The problem, if it is one of this place, and what can be done about it.
#[component]
pub(super) fn Trouble(
    /// Where this stands.
    at: Place,
) -> impl IntoView {
    let page = page();
    let (engine, library) = (page.state.engine, page.state.library);
    let problem = move || engine.problem.get().filter(|problem| problem.place == at);
    let advice = move || {
        let problem = problem()?;
        match problem.kind {
            FailureKind::OutOfMemory => {
                let needs = library.facts.with(|facts| facts.as_ref().and_then(|facts| facts.memory_bytes));
                let needs = needs.map_or(String::new(), |bytes| format!("This model needs about {}. ", amount::bytes(bytes)));
                Some(match library.smaller() {
                    Some(entry) => {
                        let text = format!("{needs}A smaller one takes about {}. ", amount::bytes(entry.memory_bytes));
                        let take = move |_| page.select(Selected::Catalogue(entry.name.to_owned()));
                        view! { <p>{text}<button type="button" on:click=take>"Choose "{entry.title}</button></p> }.into_any()
                    }
                    None => {
                        let text = "Closing other tabs may help, or a smaller file of the same model: Q4 takes half of Q8.";
                        view! { <p>{needs}{text}</p> }.into_any()
                    }
                })
            }
            FailureKind::Fatal if page.worker.has_given_up() => {
                let again = move |_| page.worker.start_again(page.state);
                Some(
                    view! {
                        <p>"What you wrote and what was explained is still here. "<button type="button" on:click=again>"Start again"</button></p>
                    }
                    .into_any(),
                )
            }
            FailureKind::Fatal => {
                let model = if library.is_built_in() { "" } else { " The model must be loaded again." };
                let text = "The engine was started again: what you wrote and what was explained is still here.";
                Some(view! { <p>{text}{model}</p> }.into_any())
            }
            FailureKind::Other => None,
        }
    };
    view! {
        <div class="trouble" role=move || problem().map(|_| "alert")>
            {move || problem().map(|problem| view! { <p class="error">{problem.message}</p> })}
            {advice}
        </div>
    }
}
