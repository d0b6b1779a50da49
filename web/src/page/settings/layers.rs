//! In which layers attention is damped.

use crate::page::actions::page;
use leptos::prelude::*;

/// All layers, or those from one to another.
#[component]
pub(super) fn LayersSetting() -> impl IntoView {
    let state = page().state;
    let settings = state.settings;
    let layers = move || settings.with(|settings| settings.suppression.layers);
    let n_layers = move || state.library.loaded.with(|loaded| loaded.as_ref().map_or(0, |(_, report)| report.n_layers));
    let turn = move |event| {
        let some = event_target_checked(&event);
        settings.update(|settings| settings.suppression.layers = some.then(|| [0, n_layers().max(1)]));
    };
    // Shown from 1 to the last, both included, as people count.
    let set = move |at: usize, event| {
        let Ok(value) = event_target_value(&event).parse::<usize>() else { return };
        settings.update(|settings| {
            if let Some([first, end]) = &mut settings.suppression.layers {
                match at {
                    0 => *first = value.saturating_sub(1).min(*end - 1),
                    _ => *end = value.max(*first + 1).min(n_layers().max(1)),
                }
            }
        });
    };
    view! {
        <div class="setting">
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || layers().is_some()
                    disabled=move || n_layers() == 0 && layers().is_none()
                    aria-describedby="layers-help"
                    on:change=turn
                />
                "Some layers only"
            </label>
            <p class="help" id="layers-help">
                {move || match n_layers() {
                    0 => "Attention is damped in all layers, or in some of them.".to_owned(),
                    n => format!("Attention is damped in all {n} layers, or in some of them."),
                }}
            </p>
            <Show when=move || layers().is_some()>
                <div class="pair">
                    <label>
                        "from "
                        <input
                            type="number"
                            min="1"
                            max=move || n_layers().to_string()
                            prop:value=move || layers().map_or(1, |[first, _]| first + 1).to_string()
                            on:change=move |event| set(0, event)
                        />
                    </label>
                    <label>
                        "to "
                        <input
                            type="number"
                            min="1"
                            max=move || n_layers().to_string()
                            prop:value=move || layers().map_or(1, |[_, end]| end).to_string()
                            on:change=move |event| set(1, event)
                        />
                    </label>
                </div>
            </Show>
        </div>
    }
}
