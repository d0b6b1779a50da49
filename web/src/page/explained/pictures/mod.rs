//! The prompt's pictures, each with a map of what rests on which part of it.

mod draw;
mod map;
mod part;
mod region;

use crate::page::actions::page;
use crate::page::state::{Picture, Shown};
use leptos::prelude::*;
use map::Map;
use part::Parts;

/// Pictures whose longer side is at most this are drawn with their pixels to be seen.
const FEW_PIXELS: u32 = 128;

/// Each picture as it is and, beside it, the same faded and tinted; nothing where there are none.
#[component]
pub(super) fn Pictures() -> impl IntoView {
    let shown = page().state.shown;
    let maps = Memo::new(move |_| shown.with_document(|document| document.map(Map::of_document).unwrap_or_default()));
    let is_any = Memo::new(move |_| maps.with(|maps| !maps.is_empty()));
    view! {
        {move || maps.get().into_iter().map(|map| view! { <Figure map/> }).collect_view()}
        <Show when=move || is_any.get()>
            <region::Chosen/>
            <div class="maps-how">
                <label class="check small">
                    <input type="checkbox" prop:checked=move || shown.exact.get() on:change=move |event| shown.exact.set(event_target_checked(&event))/>
                    "Show the parts as they are, without smoothing"
                </label>
                <label class="check small" title="Then its colours cannot be compared with those of the words.">
                    <input type="checkbox" prop:checked=move || shown.own_scale.get() on:change=move |event| shown.own_scale.set(event_target_checked(&event))/>
                    "Full colour for a picture’s own strongest part"
                </label>
            </div>
        </Show>
    }
}

#[component]
fn Figure(map: Map) -> impl IntoView {
    let shown = page().state.shown;
    let picture = picture(shown, map.image);
    let address = picture.as_ref().map(|picture| picture.url.0.clone());
    // The address lasts as long as the picture.
    let kept = StoredValue::new(picture);
    on_cleanup(move || kept.dispose());
    let name = map.name.clone();
    let is_small = map.width_px.max(map.height_px) <= FEW_PIXELS;
    let shape = format!("{} / {}", map.width_px.max(1), map.height_px.max(1));
    let narrow = format!("{:.3}", (f64::from(map.width_px) / f64::from(map.height_px.max(1))).min(1.0));
    view! {
        <figure class="picture" style=("--shape", shape) style=("--narrow", narrow)>
            <img class="frame" class:pixels=is_small src=address.clone() alt=name.clone()/>
            <div class="frame map">
                <img class="faded" class:pixels=is_small src=address alt=""/>
                <Parts map/>
            </div>
            <figcaption>{name}</figcaption>
        </figure>
    }
}

/// The picture of that number in the explanation's question.
fn picture(shown: Shown, image: usize) -> Option<Picture> {
    shown.finding.with_untracked(|finding| finding.as_ref()?.origin.pictures.get(image).cloned())
}
