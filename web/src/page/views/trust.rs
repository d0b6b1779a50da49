//! How far the order of units can be trusted.

use crate::page::actions::page;
use leptos::prelude::*;

/// What happens when units are taken away, beside other orders, for the words of the answer that were chosen.
#[component]
pub(super) fn Trust() -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let measured = Memo::new(move |_| {
        shown.with_document(|document| document.and_then(|d| d.explanation.faithfulness.as_ref()).map(report::faithfulness_html))
    });
    let chosen = Memo::new(move |_| {
        let whole = shown.with_document(|document| document.map(|d| d.explanation.whole_target()));
        shown.span.get().filter(|span| Some(span) != whole.as_ref()).map(|span| [span.start, span.end])
    });
    let is_of_others = Memo::new(move |_| {
        let of = |span| span != chosen.get();
        shown.with_document(|document| document?.explanation.faithfulness.as_ref().map(|f| of(f.span))).unwrap_or(false)
    });
    let can_measure = move || {
        let is_whole = shown.with_document(|document| document.is_some_and(|d| !d.explanation.partial));
        is_whole && !page.state.engine.is_busy() && !page.state.is_of_another_model()
    };
    let measure = move |name: Signal<&'static str>| {
        view! {
            <button type="button" class="primary" disabled=move || !can_measure() on:click=move |_| page.measure(chosen.get_untracked())>
                {name}
            </button>
        }
    };
    let name = Signal::derive(move || match (measured.with(Option::is_some), chosen.get()) {
        (false, None) => "Measure it",
        (false, Some(_)) => "Measure it for the chosen words",
        (true, None) => "Measure it for the whole answer",
        (true, Some(_)) => "Measure it for the words chosen now",
    });
    view! {
        {move || match measured.get() {
            // Our own markup, which holds numbers and no text of the person's or the model's.
            Some(html) => view! {
                <div inner_html=html></div>
                <Show when=move || is_of_others.get()>
                    <p class="help">"This is about other words of the answer than those chosen now."</p>
                    {measure(name)}
                </Show>
            }
            .into_any(),
            None => view! {
                <p>
                    "If the explanation is right, the answer should become unlikely early when the strongest parts are taken away first, and likely early when only they are kept. "
                    "This measures both, beside random orders, the order of the text, and leaving out one part at a time."
                </p>
                {measure(name)}
                <p class="help">
                    {move || page.state.cannot_ask_on().unwrap_or_else(|| "It takes several times as long as explaining.".to_owned())}
                </p>
            }
            .into_any(),
        }}
    }
}
