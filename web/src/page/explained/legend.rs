//! What the colours mean, in words and numbers.

use crate::page::actions::page;
use leptos::prelude::*;
use report::{amount, words};

/// The scale from one end to the other, and what it is of.
#[component]
pub(super) fn Legend() -> impl IntoView {
    let shown = page().state.shown;
    let ends = move || {
        let scale = shown.scale.get()?;
        let limit = amount::short(scale.limit);
        let [against, supports] = match shown.contrast.get() {
            Some(_) => words::OF_CONTRAST,
            None => [words::AGAINST, words::SUPPORTS],
        };
        Some((format!("−{limit} {against}"), format!("+{} {supports}", scale.measure.of(scale.limit))))
    };
    let lines = move || shown.scale.get().map(|scale| words::legend(&scale)).unwrap_or_default();
    let is_noise_unknown =
        Memo::new(move |_| shown.with_document(|document| document.is_some_and(|d| d.explanation.noise_floor.is_none())));
    view! {
        <div class="legend" aria-label="What the colours mean" role="group">
            <div class="swatch">
                <span>{move || ends().map(|(least, _)| least)}</span>
                <span class="ramp" aria-hidden="true"></span>
                <span>{move || ends().map(|(_, most)| most)}</span>
            </div>
            <p class="help">
                {move || lines().into_iter().next()}
                " What speaks against the answer is " <span class="against">"dashed"</span> "; what is " <span class="noise">"dotted"</span>
                {move || match is_noise_unknown.get() {
                    true => " would be no more than noise, but how much that is here is not known yet.",
                    false => " is no more than noise.",
                }}
                {move || shown.own_scale.get().then_some(" In a picture, full colour is its own strongest part.")}
            </p>
        </div>
    }
}
