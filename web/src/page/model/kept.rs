//! The models kept in this browser.

use crate::messages::{KeptModel, ModelFrom, Request};
use crate::page::actions::page;
use crate::selected::Selected;
use leptos::prelude::*;
use report::amount;
use weights::catalogue::CATALOGUE;

/// What is kept, with a button each to delete it.
#[component]
pub(super) fn KeptModels() -> impl IntoView {
    let page = page();
    let kept = page.state.library.kept;
    let summary = move || {
        kept.with(|kept| match (&kept.denied, kept.models.len()) {
            (Some(_), _) => "Kept models: this browser keeps none".to_owned(),
            (None, 0) => "Kept models: none".to_owned(),
            (None, _) => {
                let bytes = kept.models.iter().map(|model| model.bytes).sum();
                format!("Kept models: {} ({})", kept.models.len(), amount::bytes(bytes))
            }
        })
    };
    let free = move || {
        kept.with(|kept| match (&kept.denied, kept.free_bytes) {
            (Some(why), _) => why.clone(),
            (None, Some(bytes)) => format!("This browser leaves {} to this site.", amount::bytes(bytes)),
            (None, None) => String::new(),
        })
    };
    let row = move |model: KeptModel| {
        let size = match model.is_complete {
            false => {
                format!("{} of {}", amount::bytes(model.bytes), amount::bytes(model.total_bytes))
            }
            true => amount::bytes(model.bytes),
        };
        let go_on = (!model.is_complete).then(|| selected(model.from.as_ref()?)).flatten().map(|selected| {
            let load = move |_| {
                page.select(selected.clone());
                page.load();
            };
            let label = format!("Go on fetching {}", model.name);
            view! {
                <button type="button" aria-label=label disabled=move || page.state.engine.is_busy() on:click=load>"Go on"</button>
            }
        });
        let id = model.id.clone();
        let label = format!("Delete {}", model.name);
        view! {
            <li>
                <span class="name">{model.name.clone()}</span>
                <span class="help">{size}</span>
                {go_on}
                <button
                    type="button"
                    aria-label=label
                    disabled=move || page.state.engine.is_busy()
                    on:click=move |_| {
                        let asked = page.worker.ask(Request::Forget { id: id.clone() });
                        page.state.library.forgotten_by.set_value(Some(asked));
                    }
                >
                    "Delete"
                </button>
            </li>
        }
    };
    view! {
        <details class="kept">
            <summary>{summary}</summary>
            <ul>{move || kept.with(|kept| kept.models.clone()).into_iter().map(row).collect_view()}</ul>
            <p class="help">
                "A model that was fetched is kept in this browser’s own storage for this site, so that it need not be fetched again. " {free}
            </p>
        </details>
    }
}

/// The choice in the list of models that names a model's origin.
fn selected(from: &ModelFrom) -> Option<Selected> {
    match from {
        ModelFrom::Hub { repository } => Some(Selected::Hub(repository.clone())),
        ModelFrom::Site { url, .. } => {
            let file = url.rsplit('/').next()?;
            let entry = CATALOGUE.iter().find(|entry| entry.files().iter().any(|of| of.name == file))?;
            Some(Selected::Catalogue(entry.name.to_owned()))
        }
        ModelFrom::SiteFolder { .. } | ModelFrom::Kept { .. } | ModelFrom::Picked => None,
    }
}
