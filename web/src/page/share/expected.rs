//! That a link's question was asked of another model than the one that is here.

use crate::linked::ModelIdentity;
use crate::messages::KeptModel;
use crate::page::actions::page;
use crate::selected::Selected;
use leptos::prelude::*;

/// Digits of a hash that tell models apart for people.
const DIGITS: usize = 12;

/// Says which model the link's question was asked of, unless it is the one that is loaded.
#[component]
pub(in crate::page) fn Expected() -> impl IntoView {
    let page = page();
    let library = page.state.library;
    // Where it is kept in this browser it is at hand after all.
    Effect::new(move |_| {
        let expected = library.expected.get();
        let is_same = |model: &&KeptModel| {
            model.is_complete && model.sha256.is_some() && model.sha256 == expected.as_ref().and_then(|of| of.sha256.clone())
        };
        let kept = library.kept.with(|kept| kept.models.iter().find(is_same).map(|model| model.id.clone()));
        let is_missing = library.selected.with(|selected| matches!(selected, Selected::Files(names) if names.is_empty()));
        if let Some(id) = kept.filter(|_| is_missing) {
            untrack(|| page.select(Selected::Kept(id)));
        }
    });
    let note = Memo::new(move |_| {
        let expected = library.expected.get()?;
        let named = named(&expected);
        match (library.loaded_sha256(), library.selected.get()) {
            (Some(sha256), _) if expected.is(&sha256) => None,
            (Some(_), _) => {
                Some(format!("This question was asked of {named}. {} is another, or another version of it.", library.title()))
            }
            // Where it is to be had is in the list already.
            (None, Selected::Catalogue(_) | Selected::Hub(_) | Selected::Kept(_)) => None,
            (None, _) => Some(format!(
                "This question was asked of {named}, which lies in files that no link carries: choose them here, or another model in the list."
            )),
        }
    });
    view! {
        {move || note.get().map(|note| view! {
            <p class="note expected" role="status">
                {note}" "
                <button type="button" class="plain" on:click=move |_| library.expected.set(None)>"All right"</button>
            </p>
        })}
    }
}

/// `“my.gguf” (SHA-256 0123456789ab…)`
fn named(model: &ModelIdentity) -> String {
    let name = report::one_line(&model.name);
    match &model.sha256 {
        Some(sha256) => format!("“{name}” (SHA-256 {}…)", sha256.chars().take(DIGITS).collect::<String>()),
        None => format!("“{name}”"),
    }
}
