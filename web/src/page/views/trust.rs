//! How far the order of units can be trusted.

use crate::page::actions::page;
use leptos::prelude::*;

/// What happens when units are taken away, beside other orders.
#[component]
pub(super) fn Trust() -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let measured = Memo::new(move |_| {
        shown.with_document(|document| document.and_then(|d| d.explanation.faithfulness.as_ref()).map(report::faithfulness_html))
    });
    let can_measure = move || {
        let is_whole = shown.with_document(|document| document.is_some_and(|d| !d.explanation.partial));
        is_whole && !page.state.engine.is_busy() && !page.state.is_of_another_model()
    };
    view! {
        {move || match measured.get() {
            // Our own markup, which holds numbers and no text of the person's or the model's.
            Some(html) => view! { <div inner_html=html></div> }.into_any(),
            None => view! {
                <p>
                    "If the explanation is right, the answer should become unlikely early when the strongest parts are taken away first, and likely early when only they are kept. "
                    "This measures both, beside a random order, the order of the text, and leaving out one part at a time."
                </p>
                <button type="button" class="primary" disabled=move || !can_measure() on:click=move |_| page.measure()>
                    "Measure it"
                </button>
                <p class="help">
                    {move || page.state.cannot_ask_on().unwrap_or_else(|| "It takes about as long as explaining, and some more.".to_owned())}
                </p>
            }
            .into_any(),
        }}
    }
}
