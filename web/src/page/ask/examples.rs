//! Questions to start from.

use crate::page::actions::{Page, page};
use crate::selected::Selected;
use atman::Granularity;
use leptos::prelude::*;
use report::amount;
use weights::catalogue;

/// The model of questions that need one that has read much.
const SMOLLM2: &str = "smollm2-135m-instruct";

/// The model of questions that need pictures, or little knowledge of the world.
const TINY: &str = catalogue::DEFAULT.name;

/// A question worth asking.
#[derive(PartialEq)]
struct Example {
    name: &'static str,
    /// Of the catalogue.
    model: &'static str,
    /// A file among the site's pictures.
    picture: Option<&'static str>,
    prompt: &'static str,
    chat: bool,
    /// What the model answers, to be explained.
    answer: &'static str,
    granularity: Granularity,
}

impl Example {
    const fn of_text(name: &'static str, prompt: &'static str, answer: &'static str) -> Example {
        Example { name, model: TINY, picture: None, prompt, chat: true, answer, granularity: Granularity::Auto }
    }

    const fn of_picture(name: &'static str, picture: &'static str, prompt: &'static str, answer: &'static str) -> Example {
        Example { name, model: TINY, picture: Some(picture), prompt, chat: true, answer, granularity: Granularity::Auto }
    }
}

/// Each shows something else that explanations are good for. The page opens with the first.
static EXAMPLES: [Example; 11] = [
    Example::of_text("Who has what", "Ann has a cat. Tom has a dog. What pet does Ann have?", " cat."),
    Example::of_picture("A colour", "triangle-square.png", "What color is the triangle?", " red."),
    Example::of_picture("Left of it", "left-of.png", "What is left of the circle?", " a teal triangle."),
    Example::of_picture(
        "All of it",
        "three-shapes.png",
        "Describe the picture.",
        " a black triangle, an orange square and a yellow cross.",
    ),
    Example::of_picture("Where it is", "four-shapes.png", "Where is the teal square?", " bottom left."),
    Example::of_text("Two steps", "The key is in the box. The box is in the kitchen. In which room is the key?", " the kitchen."),
    Example {
        name: "A fact",
        model: SMOLLM2,
        picture: None,
        prompt: "The capital of France is Paris. The capital of Italy is",
        chat: false,
        answer: " Rome.",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A pronoun",
        model: SMOLLM2,
        picture: None,
        prompt: "Mary lent her car to John. He drove it to the sea. The name of the person who drove to the sea is",
        chat: false,
        answer: " John.",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A negation",
        model: SMOLLM2,
        picture: None,
        prompt: "Review: I loved every minute.\nSentiment: positive\n\n\
                 Review: The acting was not good, and I would not watch it again.\nSentiment:",
        chat: false,
        answer: " negative",
        granularity: Granularity::Auto,
    },
    Example {
        name: "A document",
        model: SMOLLM2,
        picture: None,
        prompt: "The museum is open from Tuesday to Sunday. Tickets cost nine euros. Children under six enter free. \
                 The garden behind the house closes at dusk. Dogs must stay outside.\n\nHow much does a ticket cost?",
        chat: true,
        answer: "A ticket costs 9 euros.",
        granularity: Granularity::Sentence,
    },
    Example {
        name: "Code",
        model: SMOLLM2,
        picture: None,
        prompt: "def area(width, height):\n    return width * height\n\ndef perimeter(width, height):\n    return 2 * (",
        chat: false,
        answer: "width + height)",
        granularity: Granularity::Auto,
    },
];

/// Whether the site has a picture of this name for an example.
pub(in crate::page) fn is_example_picture(name: &str) -> bool {
    EXAMPLES.iter().any(|example| example.picture == Some(name))
}

/// Writes the first example into the page, whose model is chosen already.
pub(in crate::page) fn take_first_example(page: Page) {
    if let Some(first) = EXAMPLES.first() {
        write(page, first);
    }
}

/// Writes an example's question.
fn write(page: Page, example: &Example) {
    let question = page.state.question;
    question.keep_draft();
    page.state.library.expected.set(None);
    question.prompt.set(example.prompt.to_owned());
    question.chat.set(example.chat);
    question.answer.set(example.answer.to_owned());
    question.written.set(None);
    page.set_example_pictures(example.picture.iter().map(|name| (*name).to_owned()).collect());
    page.state.settings.update(|settings| settings.granularity = example.granularity.clone());
    page.set_damping_for(usize::from(example.picture.is_some()));
    question.note_offered();
}

/// Takes an example up, with its model.
fn take(page: Page, example: &Example) {
    let model = Selected::Catalogue(example.model.to_owned());
    if page.state.library.selected.get_untracked() != model {
        page.select(model);
    }
    write(page, example);
}

/// A button for each: first those of the built-in model, then those of others.
#[component]
pub(super) fn Examples() -> impl IntoView {
    let page = page();
    let library = page.state.library;
    // One whose model would have to be fetched first.
    let waiting = RwSignal::new(None::<&'static Example>);
    let choose = move |example: &'static Example| {
        let is_chosen = library.selected.get_untracked() == Selected::Catalogue(example.model.to_owned());
        let is_here = catalogue::find(example.model).is_some_and(|entry| untrack(|| library.is_here(entry)));
        if is_chosen || is_here {
            waiting.set(None);
            take(page, example);
            if !is_chosen && !untrack(|| library.is_ready() || page.state.engine.is_busy()) {
                page.load();
            }
        } else {
            waiting.set(Some(example));
        }
    };
    let button = move |example: &'static Example| {
        view! {
            <button type="button" class="chip" disabled=move || page.state.engine.is_busy() on:click=move |_| choose(example)>
                {example.picture.map(|picture| {
                    let picture = format!("{}pictures/{picture}", crate::page::worker_link::base());
                    view! { <img src=picture alt="" width="18" height="18"/> }
                })}
                {example.name}
            </button>
        }
    };
    let of =
        move |is_own: bool| EXAMPLES.iter().filter(move |example| (example.model == TINY) == is_own).map(button).collect_view();
    view! {
        <div role="group" aria-label="Examples">
            <div class="examples"><span>"Try"</span>{of(true)}</div>
            <div class="examples"><span>"Try with SmolLM2"</span>{of(false)}</div>
        </div>
        {move || waiting.get().map(|example| view! { <Fetch example waiting/> })}
    }
}

/// Asks before a model is fetched for an example.
#[component]
fn Fetch(example: &'static Example, waiting: RwSignal<Option<&'static Example>>) -> impl IntoView {
    let page = page();
    let entry = catalogue::find(example.model);
    let (title, size) = entry.map_or(("", 0), |entry| (entry.title, entry.len_bytes()));
    let fetch = move |_| {
        waiting.set(None);
        take(page, example);
        page.load();
    };
    view! {
        <p class="note" role="status">
            {format!("“{}” is a question for {title}, which has to be fetched first: {}. ", example.name, amount::bytes(size))}
            <button type="button" disabled=move || page.state.engine.is_busy() on:click=fetch>"Fetch it"</button>
            " "
            <button type="button" on:click=move |_| waiting.set(None)>"Not now"</button>
        </p>
    }
}
