//! The pictures that come with a prompt: picked, pasted, or dropped anywhere on the page.

use crate::page::actions::page;
use crate::page::files;
use crate::page::state::{Picture, Place};
use crate::selected::Selected;
use leptos::html::Input;
use leptos::prelude::*;
use report::{amount, label};
use weights::catalogue;

/// What is there, with a button to add more.
#[component]
pub(super) fn Pictures() -> impl IntoView {
    let page = page();
    let pictures = page.state.question.pictures;
    let picker = NodeRef::<Input>::new();
    let pick = move |_| {
        if let Some(input) = picker.get_untracked() {
            page.add_pictures(files::of_list(input.files()));
            // So that the same file can be picked again.
            input.set_value("");
        }
    };
    let open = move |_| {
        if let Some(input) = picker.get_untracked() {
            input.click();
        }
    };
    let on_paste = window_event_listener(leptos::ev::paste, move |event| {
        let pasted = files::of_list(event.clipboard_data().and_then(|data| data.files()));
        // Text is pasted where the cursor is.
        if !pasted.is_empty() {
            event.prevent_default();
            page.take_files(pasted, Place::Ask);
        }
    });
    on_cleanup(move || on_paste.remove());
    let is_empty = Memo::new(move |_| pictures.with(Vec::is_empty));
    view! {
        <div class="field pictures">
            <ul aria-label="Pictures" hidden=move || is_empty.get()>
                <For each=move || pictures.get() key=|picture| (picture.id, picture.size_px) let:picture>
                    <Thumbnail picture/>
                </For>
            </ul>
            <p class="adding">
                <button type="button" on:click=open>{move || if is_empty.get() { "Add a picture" } else { "Add another picture" }}</button>
                <input node_ref=picker type="file" multiple hidden aria-label="Pictures to add" accept="image/png,image/jpeg,image/webp" on:change=pick/>
                <span class="help">"Or paste or drop it. It stays on this machine."</span>
            </p>
            <Blind/>
        </div>
    }
}

#[component]
fn Thumbnail(picture: Picture) -> impl IntoView {
    let page = page();
    let name = label(&picture.name);
    let bytes = amount::bytes(picture.bytes.len() as u64);
    let size = match picture.size_px {
        Some((width, height)) => format!("{width} × {height} pixels, {bytes}"),
        None => bytes,
    };
    let is_small = picture.size_px.is_some_and(|(width, height)| width.max(height) <= 128);
    let id = picture.id;
    // The address lasts as long as the picture.
    let kept = StoredValue::new(picture);
    view! {
        <li>
            <img src=kept.with_value(|picture| picture.url.0.clone()) alt=format!("Picture {name}") class:pixels=is_small/>
            <span class="name">{name.clone()}<br/><small>{size}</small></span>
            <button type="button" class="plain" aria-label=format!("Remove {name}") on:click=move |_| page.remove_picture(id)>"Remove"</button>
        </li>
    }
}

/// That the chosen model sees no pictures, and what to do about it.
#[component]
fn Blind() -> impl IntoView {
    let page = page();
    let is_blind = Memo::new(move |_| page.state.is_blind());
    let take = move |_| page.select(Selected::Catalogue(catalogue::DEFAULT.name.to_owned()));
    view! {
        <Show when=move || is_blind.get()>
            <p class="error" role="alert">
                {move || page.state.blindness()}" Choose "{catalogue::DEFAULT.title}", which sees pictures, or remove them. "
                <button type="button" disabled=move || page.state.engine.is_busy() on:click=take>"Choose "{catalogue::DEFAULT.title}</button>
            </p>
        </Show>
    }
}
