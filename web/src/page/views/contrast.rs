//! Why this rather than that.

use crate::page::actions::page;
use leptos::prelude::*;
use report::words;

/// Another answer to compare with, and which comparison is looked at.
#[component]
pub(super) fn Contrasts() -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let text = RwSignal::new(String::new());
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let alternative = text.get_untracked();
        if alternative.trim().is_empty() {
            page.state.engine.fail("There is no other answer yet: type one to compare with.");
            return;
        }
        // The answer continues a text with a space before it; so must what might stand in its place.
        let answer_has_space =
            untrack(|| shown.with_document(|document| document.is_some_and(|d| d.explanation.target.text.starts_with(' '))));
        let alternative = if answer_has_space && !alternative.starts_with(' ') { format!(" {alternative}") } else { alternative };
        page.compare(alternative);
    };
    let contrasts = Memo::new(move |_| {
        shown.with_document(|document| {
            let contrasts = document.map(|d| d.explanation.contrasts.as_slice()).unwrap_or_default();
            contrasts.iter().map(|contrast| (words::alternative(contrast), words::log_odds(contrast))).collect::<Vec<_>>()
        })
    });
    let choice = move || {
        let option = move |(number, (alternative, _)): (usize, (String, String))| {
            view! {
                <label>
                    <input
                        type="radio"
                        name="contrast"
                        prop:checked=move || shown.contrast.get() == Some(number)
                        on:change=move |_| shown.contrast.set(Some(number))
                    />
                    {format!("rather than “{alternative}”")}
                </label>
            }
        };
        let contrasts = contrasts.get();
        (!contrasts.is_empty()).then(|| {
            view! {
                <fieldset class="choice">
                    <legend>"The colours above say why it said this"</legend>
                    <label>
                        <input
                            type="radio"
                            name="contrast"
                            prop:checked=move || shown.contrast.get().is_none()
                            on:change=move |_| shown.contrast.set(None)
                        />
                        "at all"
                    </label>
                    {contrasts.into_iter().enumerate().map(option).collect_view()}
                </fieldset>
            }
        })
    };
    let odds = move || {
        let number = shown.contrast.get()?;
        contrasts.with(|contrasts| contrasts.get(number).map(|(_, odds)| odds.clone()))
    };
    view! {
        <form class="named" on:submit=ask>
            <label for="alternative">"Alternative"</label>
            <input
                id="alternative"
                type="text"
                dir="auto"
                placeholder="What might it have said instead?"
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
            />
            <button type="submit" disabled=move || page.state.engine.is_busy() || page.state.is_of_another_model()>"Compare"</button>
        </form>
        {move || page.state.cannot_ask_on().map(|why| view! { <p class="help">{why}</p> })}
        {choice}
        <p class="odds">{odds}</p>
        <Show when=move || shown.contrast.get().is_some_and(|number| number < contrasts.with(Vec::len))>
            <super::ranking::Ranking/>
        </Show>
    }
}
