//! Questions to start from.

use crate::page::actions::page;
use atman::Granularity;
use leptos::prelude::*;

/// A question worth asking.
struct Example {
    name: &'static str,
    prompt: &'static str,
    chat: bool,
    /// What the model answers, to be explained.
    answer: &'static str,
    granularity: Granularity,
}

/// Each shows something else that explanations are good for.
const EXAMPLES: [Example; 5] = [
    Example {
        name: "A fact",
        prompt: "The capital of France is Paris. The capital of Italy is",
        chat: false,
        answer: " Rome.",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A pronoun",
        prompt: "Mary lent her car to John. He drove it to the sea. The name of the person who drove to the sea is",
        chat: false,
        answer: " John.",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A negation",
        prompt: "Review: I loved every minute.\nSentiment: positive\n\n\
                 Review: The acting was not good, and I would not watch it again.\nSentiment:",
        chat: false,
        answer: " negative",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A document",
        prompt: "The museum is open from Tuesday to Sunday. Tickets cost nine euros. Children under six enter free. \
                 The garden behind the house closes at dusk. Dogs must stay outside.\n\nHow much does a ticket cost?",
        chat: true,
        answer: "A ticket costs 9 euros.",
        granularity: Granularity::Sentence,
    },
    Example {
        name: "Code",
        prompt: "def area(width, height):\n    return width * height\n\ndef perimeter(width, height):\n    return 2 * (",
        chat: false,
        answer: "width + height)",
        granularity: Granularity::Auto,
    },
];

/// A button for each.
#[component]
pub(super) fn Examples() -> impl IntoView {
    let page = page();
    let question = page.state.question;
    let take = move |example: &Example| {
        question.prompt.set(example.prompt.to_owned());
        question.chat.set(example.chat);
        question.answer.set(example.answer.to_owned());
        question.written.set(None);
        page.state.settings.update(|settings| settings.granularity = example.granularity.clone());
    };
    let button = |example: &'static Example| {
        view! {
            <button type="button" class="chip" disabled=move || page.state.engine.is_busy() on:click=move |_| take(example)>
                {example.name}
            </button>
        }
    };
    view! {
        <div class="examples" role="group" aria-label="Examples">
            <span>"Try"</span>
            {EXAMPLES.iter().map(button).collect_view()}
        </div>
    }
}
