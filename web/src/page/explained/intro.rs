//! What to expect, before there is an explanation.

use leptos::prelude::*;

/// Three steps.
#[component]
pub(super) fn Intro() -> impl IntoView {
    view! {
        <h2 id="why-title" class="title">"See what an answer rests on"</h2>
        <ol class="steps">
            <li><b>"Ask."</b>" Write a prompt or take an example, then let the model write an answer, or type one yourself."</li>
            <li>
                <b>"Explain."</b>
                " Each part of the prompt is damped in the model’s attention, one at a time, and the model runs again: how much less likely the answer becomes is that part’s relevance."
            </li>
            <li>
                <b>"Look."</b>
                " The prompt is tinted: "
                <span class="unit sample for">"blue supports"</span>
                " the answer, "
                <span class="unit sample against">"orange speaks against"</span>
                " it. Point at a word of the answer to see what that word rests on; click a word of the prompt to damp it and have the model answer again."
            </li>
        </ol>
    }
}
