//! How far loading is: one bar, in bytes.

use crate::messages::LoadPhase;
use crate::page::actions::page;
use crate::page::state::Activity;
use leptos::prelude::*;
use report::amount;

/// Loading, while it lasts.
#[component]
pub(super) fn Loading() -> impl IntoView {
    let page = page();
    let progress = Memo::new(move |_| match page.state.engine.activity.get() {
        Activity::Loading { phase, done_bytes, total_bytes } => Some((phase, done_bytes, total_bytes)),
        _ => None,
    });
    let text = move || {
        let (phase, done, total) = progress.get()?;
        let half = total / 2;
        Some(match phase {
            _ if total == 0 => "Connecting".to_owned(),
            LoadPhase::Fetching => format!("Fetching: {} of {}", amount::bytes(done.min(half)), amount::bytes(half)),
            LoadPhase::Checking => format!("Checking: {} of {}", amount::bytes(done.min(half)), amount::bytes(half)),
            LoadPhase::Placing => {
                format!("Placing on the device: {} of {}", amount::bytes(done.saturating_sub(half)), amount::bytes(half))
            }
        })
    };
    let max = move || progress.get().map_or(1, |(_, _, total)| total.max(1)).to_string();
    let value = move || progress.get().map_or(0, |(_, done, _)| done).to_string();
    view! {
        <Show when=move || progress.get().is_some()>
            <div class="loading">
                <progress aria-label="loading" max=max value=value></progress>
                <span class="numbers">{text}</span>
                <button type="button" on:click=move |_| page.stop()>"Cancel"</button>
            </div>
        </Show>
    }
}
