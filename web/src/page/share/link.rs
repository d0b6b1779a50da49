//! Links to a question.

use crate::linked::{Linked, ModelIdentity};
use crate::page::actions::Page;
use crate::page::ask;
use crate::selected::Selected;
use leptos::prelude::*;

/// The address of the page with the question as it stands.
pub(in crate::page) fn of(page: Page) -> String {
    let address = window().location().href().unwrap_or_default();
    format!("{}#{}", address.split('#').next().unwrap_or_default(), untrack(|| fragment(page)))
}

/// The question as it stands, as what follows the `#` of an address.
pub(in crate::page) fn fragment(page: Page) -> String {
    let state = page.state;
    let selected = state.library.selected.get();
    let examples = state.question.pictures.get().into_iter().map(|picture| picture.example);
    let n_pictures = examples.len();
    let pictures: Vec<String> = examples.flatten().collect();
    let own_pictures = n_pictures - pictures.len();
    let linked = Linked {
        identity: identity(page),
        model: if matches!(selected, Selected::Catalogue(_) | Selected::Hub(_)) { selected } else { Selected::Nothing },
        prompt: state.question.prompt.get(),
        chat: state.question.chat.get(),
        pictures,
        own_pictures,
        answer: state.question.answer.get(),
        settings: state.settings.get(),
    };
    linked.to_fragment()
}

/// What tells the chosen model from others. Of one that is not loaded no more is known than its name; where that says where to
/// have it, it is enough.
fn identity(page: Page) -> Option<ModelIdentity> {
    let library = page.state.library;
    match (library.loaded_sha256(), library.selected.get()) {
        (Some(sha256), _) => Some(ModelIdentity { name: library.title(), sha256: Some(sha256) }),
        (None, Selected::Files(names)) if !names.is_empty() => Some(ModelIdentity { name: names.join(", "), sha256: None }),
        (None, Selected::Kept(_)) => Some(ModelIdentity { name: library.title(), sha256: None }),
        (None, _) => None,
    }
}

/// What a link was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Taken {
    /// There was none.
    Nothing,
    /// It could not be read, or is not whole.
    Broken,
    /// The question that it held is the page's now.
    Question,
}

/// Takes up what the page's own link asks.
pub(in crate::page) fn take(page: Page) -> Taken {
    let linked = match Linked::from_fragment(&window().location().hash().unwrap_or_default()) {
        Some(Ok(linked)) => linked,
        Some(Err(problem)) => {
            page.state.engine.fail(problem);
            return Taken::Broken;
        }
        None => return Taken::Nothing,
    };
    let state = page.state;
    let chat = linked.chat;
    state.question.keep_draft();
    state.question.prompt.set(linked.prompt);
    state.question.answer.set(linked.answer);
    state.question.written.set(None);
    state.settings.set(linked.settings);
    match linked.model {
        // It lies in files, which are chosen unless they are at hand: no other model answers in its place.
        Selected::Nothing | Selected::Kept(_) | Selected::Files(_) => {
            let is_at_hand = |of: &ModelIdentity| of.sha256.is_some() && of.sha256 == untrack(|| state.library.loaded_sha256());
            if linked.identity.as_ref().is_some_and(|of| !is_at_hand(of)) {
                page.select(Selected::Files(Vec::new()));
            }
        }
        // Nothing is asked of the hub because of a link: the person does that.
        Selected::Hub(repository) => {
            state.library.repository.set(repository);
            page.select(Selected::Hub(String::new()));
        }
        catalogued => page.select(catalogued),
    }
    state.library.expected.set(linked.identity);
    // After the model, whose own way of taking prompts is another's default.
    state.question.chat.set(chat);
    let known: Vec<String> = linked.pictures.into_iter().filter(|name| ask::is_example_picture(name)).collect();
    page.set_example_pictures(known);
    match linked.own_pictures {
        0 => Taken::Question,
        n => {
            let pictures = if n == 1 {
                "a picture, which a link does not carry: add it"
            } else {
                "pictures, which a link does not carry: add them"
            };
            state.engine.fail(format!("This question came with {pictures} to ask it."));
            Taken::Broken
        }
    }
}
