//! The two texts.

use crate::page::actions::page;
use crate::page::state::Activity;
use leptos::prelude::*;

/// What the model reads.
#[component]
pub(super) fn Prompt() -> impl IntoView {
    let state = page().state;
    let question = state.question;
    let has_template =
        move || state.library.loaded.with(|loaded| loaded.as_ref().is_none_or(|(_, report)| report.has_chat_template));
    view! {
        <div class="field">
            <label for="prompt">"Prompt"</label>
            <textarea
                id="prompt"
                rows="7"
                dir="auto"
                placeholder="What the model reads"
                prop:value=move || question.prompt.get()
                on:input=move |event| question.prompt.set(event_target_value(&event))
            ></textarea>
            <fieldset class="mode">
                <legend class="unseen">"How the model takes the prompt"</legend>
                <label>
                    <input type="radio" name="mode" prop:checked=move || !question.chat.get() on:change=move |_| question.chat.set(false)/>
                    "Text to continue"
                </label>
                <label title=move || if has_template() { "" } else { "This model has no chat template." }>
                    <input
                        type="radio"
                        name="mode"
                        prop:checked=move || question.chat.get()
                        disabled=move || !has_template()
                        on:change=move |_| question.chat.set(true)
                    />
                    "Message in a chat"
                </label>
            </fieldset>
        </div>
    }
}

/// What is explained.
#[component]
pub(super) fn Answer() -> impl IntoView {
    let state = page().state;
    let question = state.question;
    let is_writing = move || state.engine.activity.get() == Activity::Writing;
    // To a text that it continues, a word without a space before it is another word.
    let lacks_space = move || {
        let starts_bare = question.answer.with(|answer| answer.starts_with(char::is_alphanumeric));
        let ends_bare = question.prompt.with(|prompt| prompt.ends_with(|c: char| !c.is_whitespace()));
        !question.chat.get() && starts_bare && ends_bare && !is_writing()
    };
    // In a chat the prompt ends as the template has it, which nobody sees.
    let is_set_apart = move || {
        let planned = state.planned.with(|planned| planned.as_ref().is_some_and(|planned| planned.is_set_apart));
        planned && question.chat.get() && !is_writing()
    };
    let usual = move || match is_set_apart() {
        true => "It is explained with a space before it, as the model begins its answers in a chat.",
        false => "It need not be what the model would say.",
    };
    view! {
        <div class="field">
            <label for="answer">"Answer"</label>
            <textarea
                id="answer"
                rows="4"
                dir="auto"
                placeholder="Let the model write one, or type what you want explained"
                aria-describedby="answer-help"
                readonly=is_writing
                prop:value=move || question.answer.get()
                on:input=move |event| question.answer.set(event_target_value(&event))
            ></textarea>
            <p class="help" id="answer-help">
                <Show when=lacks_space fallback=move || usual>
                    "It follows the prompt without a space between. "
                    <button type="button" class="plain" on:click=move |_| question.answer.update(|answer| answer.insert(0, ' '))>
                        "Begin with a space"
                    </button>
                </Show>
            </p>
        </div>
    }
}
