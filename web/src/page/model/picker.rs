//! Which model: of this site, of this browser, of the hub, or of this machine.

use crate::page::actions::page;
use crate::page::files;
use crate::page::state::{Place, is_catalogued};
use crate::selected::Selected;
use leptos::html::Input;
use leptos::prelude::*;
use report::amount;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, Element, File, HtmlInputElement};
use weights::catalogue::CATALOGUE;

/// The list of models.
#[component]
pub(super) fn Picker() -> impl IntoView {
    let page = page();
    let library = page.state.library;
    let choose = move |event| {
        let value = event_target_value(&event);
        page.select(match value.split_once(':') {
            Some(("catalogue", name)) => Selected::Catalogue(name.to_owned()),
            Some(("kept", id)) => Selected::Kept(id.to_owned()),
            _ if value == "hub" => Selected::Hub(library.repository.get_untracked()),
            // Those that were picked before, if any.
            _ if value == "files" => Selected::Files(library.files.with_value(|files| files.iter().map(File::name).collect())),
            _ => Selected::Nothing,
        });
    };
    let of_catalogue = move || {
        let option = |entry: &'static weights::catalogue::CatalogueEntry| {
            let from = match (entry.is_built_in(), library.is_carried(entry)) {
                (true, _) => ", built in",
                (false, true) => "",
                (false, false) => ", from huggingface.co",
            };
            let text = format!("{}{from}", entry.title);
            let is_selected = move || library.selected.get() == Selected::Catalogue(entry.name.to_owned());
            view! { <option value=format!("catalogue:{}", entry.name) prop:selected=is_selected>{text}</option> }
        };
        CATALOGUE.iter().map(option).collect_view()
    };
    let of_kept = move || {
        let complete = |kept: &crate::messages::Kept| {
            let models = kept.models.iter().filter(|model| model.is_complete && !is_catalogued(model));
            models.cloned().collect::<Vec<_>>()
        };
        let models = library.kept.with(complete);
        let option = |model: crate::messages::KeptModel| {
            let id = model.id.clone();
            let is_selected = move || library.selected.get() == Selected::Kept(id.clone());
            let text = format!("{} · {}", model.name, amount::bytes(model.total_bytes));
            view! { <option value=format!("kept:{}", model.id) prop:selected=is_selected>{text}</option> }
        };
        (!models.is_empty()).then(|| {
            let options = models.into_iter().map(option).collect_view();
            view! { <optgroup label="Kept in this browser">{options}</optgroup> }
        })
    };
    view! {
        <div class="picker">
            <label for="model">"Model"</label>
            <select id="model" on:change=choose disabled=move || page.state.engine.is_busy() && !page.state.engine.is_loading()>
                <option value="" hidden prop:selected=move || library.selected.get() == Selected::Nothing>"Choose a model"</option>
                <optgroup label="Ready to use">{of_catalogue}</optgroup>
                {of_kept}
                <optgroup label="Others">
                    <option value="hub" prop:selected=move || matches!(library.selected.get(), Selected::Hub(_))>
                        "A Hugging Face repository…"
                    </option>
                    <option value="files" prop:selected=move || matches!(library.selected.get(), Selected::Files(_))>
                        "Files on this machine…"
                    </option>
                </optgroup>
            </select>
        </div>
    }
}

/// Where the model must be named: a repository, or files.
#[component]
pub(super) fn Named() -> impl IntoView {
    let library = page().state.library;
    let kind = Memo::new(move |_| match library.selected.get() {
        Selected::Hub(_) => 1,
        Selected::Files(_) => 2,
        _ => 0,
    });
    view! {
        {move || match kind.get() {
            1 => view! { <Repository/> }.into_any(),
            2 => view! { <Files/> }.into_any(),
            _ => ().into_any(),
        }}
        <DropAnywhere/>
    }
}

#[component]
fn Repository() -> impl IntoView {
    let page = page();
    let library = page.state.library;
    let look_up = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        page.select(Selected::Hub(library.repository.get_untracked().trim().to_owned()));
    };
    let choices = move || {
        let choices = library.facts.with(|facts| facts.as_ref().map(|facts| facts.choices.clone()).unwrap_or_default());
        (!choices.is_empty()).then(|| {
            let named = library.repository.get_untracked();
            let repository = named.split(':').next().unwrap_or_default().trim().to_owned();
            let take = move |file: String| {
                let full = format!("{repository}:{file}");
                library.repository.set(full.clone());
                page.select(Selected::Hub(full));
            };
            let options = choices.into_iter().map(|file| {
                let (take, name) = (take.clone(), file.clone());
                view! { <li><button type="button" class="plain" on:click=move |_| take(file.clone())>{name}</button></li> }
            });
            view! {
                <div class="choices">
                    <p>"This repository has several files. Which one?"</p>
                    <ul>{options.collect_view()}</ul>
                </div>
            }
        })
    };
    view! {
        <form class="named" on:submit=look_up>
            <label for="repository">"Repository"</label>
            <input
                id="repository"
                type="text"
                spellcheck="false"
                autocapitalize="off"
                placeholder="owner/name or owner/name:file.gguf"
                prop:value=move || library.repository.get()
                on:input=move |event| library.repository.set(event_target_value(&event))
            />
            <button type="submit">"Look it up"</button>
            <p class="help">"Only then is huggingface.co asked, for this model and nothing else."</p>
        </form>
        {choices}
    }
}

#[component]
fn Files() -> impl IntoView {
    let page = page();
    let picker = NodeRef::<Input>::new();
    let pick = move |_| {
        if let Some(input) = picker.get_untracked() {
            page.examine(files::of_list(input.files()), Place::Model);
            // So that the same file can be picked again.
            let input: HtmlInputElement = input;
            input.set_value("");
        }
    };
    let names = move || match page.state.library.selected.get() {
        Selected::Files(names) if !names.is_empty() => format!("Chosen: {}", names.join(", ")),
        _ => {
            "A GGUF file; or config.json, tokenizer.json and the safetensors files together. Or drop them anywhere on this page."
                .to_owned()
        }
    };
    view! {
        <div class="named">
            <label for="files">"Files"</label>
            <input id="files" node_ref=picker type="file" multiple on:change=pick/>
            <p class="help">{names}</p>
        </div>
    }
}

/// Where something was dropped: on what is about models, or elsewhere, which is the question's.
fn place(event: &DragEvent) -> Place {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_on_model = target.is_some_and(|target| target.closest(".model").is_ok_and(|found| found.is_some()));
    if is_on_model { Place::Model } else { Place::Ask }
}

/// Files may be dropped on the page at any place.
#[component]
fn DropAnywhere() -> impl IntoView {
    let page = page();
    let over = RwSignal::new(false);
    let holds_files = |event: &DragEvent| event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0));
    let on_over = window_event_listener(leptos::ev::dragover, move |event| {
        if holds_files(&event) {
            event.prevent_default();
            over.set(true);
        }
    });
    let on_leave = window_event_listener(leptos::ev::dragleave, move |event| {
        if event.related_target().is_none() {
            over.set(false);
        }
    });
    let on_drop = window_event_listener(leptos::ev::drop, move |event| {
        if holds_files(&event) {
            event.prevent_default();
            over.set(false);
            let dropped = files::of_list(event.data_transfer().and_then(|data| data.files()));
            page.take_files(dropped, place(&event));
        }
    });
    on_cleanup(move || {
        on_over.remove();
        on_leave.remove();
        on_drop.remove();
    });
    view! { <div class="drop" class:over=over aria-hidden="true"><p>"Drop pictures, a text, or a model’s files"</p></div> }
}
