//! Which parts of a picture get one score.

use crate::page::actions::page;
use atman::ImageGranularity;
use leptos::prelude::*;

/// From single patches to whole pictures; only where the question has pictures.
#[component]
pub(super) fn PictureSetting() -> impl IntoView {
    let state = page().state;
    let settings = state.settings;
    let has_pictures = Memo::new(move |_| state.question.pictures.with(|pictures| !pictures.is_empty()));
    let choose = move |event| {
        if let Ok(chosen) = event_target_value(&event).parse() {
            settings.update(|settings| settings.image_granularity = chosen);
        }
    };
    let option = move |of: ImageGranularity| {
        let text = match of {
            ImageGranularity::Patch => "patches",
            ImageGranularity::Blocks2 => "2 × 2 patches",
            ImageGranularity::Blocks4 => "4 × 4 patches",
            ImageGranularity::Whole => "whole pictures",
        };
        let is_selected = move || settings.with(|settings| settings.image_granularity == of);
        view! { <option value=of.to_string() prop:selected=is_selected>{text}</option> }
    };
    view! {
        <Show when=move || has_pictures.get()>
            <div class="setting">
                <label for="picture-granularity">"Pictures in"</label>
                <select id="picture-granularity" aria-describedby="picture-granularity-help" on:change=choose>
                    {ImageGranularity::STEPS.into_iter().map(option).collect_view()}
                </select>
                <p class="help" id="picture-granularity-help">
                    "What gets one score in a picture: each patch that the model sees it in, blocks of them, or all of it."
                </p>
            </div>
        </Show>
    }
}
