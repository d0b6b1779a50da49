//! What is asked: prompt, answer, and the buttons.

mod buttons;
mod examples;
mod pictures;
mod texts;
mod writing;

pub(super) use examples::{is_example_picture, take_first_example};
pub(super) use writing::Number;

use leptos::prelude::*;

/// Everything that a person fills in.
#[component]
pub(super) fn AskPanel() -> impl IntoView {
    view! {
        <section class="ask" aria-labelledby="ask-title">
            <h2 id="ask-title">"Ask"</h2>
            <examples::Examples/>
            <pictures::Pictures/>
            <texts::Prompt/>
            <texts::Answer/>
            <buttons::Buttons/>
            <writing::WritingSettings/>
            <super::settings::ExplainingSettings/>
        </section>
    }
}
