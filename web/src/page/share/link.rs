//! Links to a question.

use crate::linked::Linked;
use crate::page::actions::Page;
use crate::selected::Selected;
use leptos::prelude::*;

/// The address of the page with the question as it stands.
pub(in crate::page) fn of(page: Page) -> String {
    let state = page.state;
    let selected = state.library.selected.get_untracked();
    let linked = Linked {
        model: if matches!(selected, Selected::Catalogue(_) | Selected::Hub(_)) { selected } else { Selected::Nothing },
        prompt: state.question.prompt.get_untracked(),
        chat: state.question.chat.get_untracked(),
        answer: state.question.answer.get_untracked(),
        settings: state.settings.get_untracked(),
    };
    let address = window().location().href().unwrap_or_default();
    format!("{}#{}", address.split('#').next().unwrap_or_default(), linked.to_fragment())
}

/// Takes up what the page's own link asks; whether it names a model.
pub(in crate::page) fn take(page: Page) -> bool {
    let linked = match Linked::from_fragment(&window().location().hash().unwrap_or_default()) {
        Some(Ok(linked)) => linked,
        Some(Err(problem)) => {
            page.state.engine.fail(problem);
            return false;
        }
        None => return false,
    };
    let state = page.state;
    state.question.prompt.set(linked.prompt);
    state.question.chat.set(linked.chat);
    state.question.answer.set(linked.answer);
    state.question.written.set(None);
    state.settings.set(linked.settings);
    match linked.model {
        Selected::Nothing | Selected::Kept(_) | Selected::Files(_) => false,
        // Nothing is asked of the hub because of a link: the person does that.
        Selected::Hub(repository) => {
            state.library.repository.set(repository);
            page.select(Selected::Hub(String::new()));
            true
        }
        catalogued => {
            page.select(catalogued);
            true
        }
    }
}
