//! The region that was chosen: what rests on it together, and what can be done with it.

use crate::page::actions::page;
use leptos::prelude::*;
use report::{Side, amount};

/// One line on it, or on how to choose one.
#[component]
pub(super) fn Chosen() -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let text = Memo::new(move |_| {
        let region = shown.region.get()?;
        let (sum, scale) = (shown.sum(&region.units), shown.scale.get()?);
        let Some(sum) = sum else { return Some(format!("{}: not computed yet.", region.name)) };
        let verdict = match shown.side_of(sum, region.units.len())? {
            Side::Supports => "supports the answer",
            Side::Against => "speaks against the answer",
            Side::Neither => "no more than noise",
        };
        let parts = amount::count(region.units.len(), "part");
        Some(format!("{}, {parts}: {} {} together, {verdict}.", region.name, amount::signed(sum), scale.measure.name()))
    });
    let steer = move |_| {
        if let Some(region) = shown.region.get_untracked() {
            page.add_all_steered(region.units, region.name);
        }
    };
    view! {
        <div class="region">
            <p role="status">{move || text.get()}</p>
            <Show
                when=move || text.with(Option::is_some)
                fallback=|| view! {
                    <p id="how-to-look-at-pictures" class="help">
                        "Point at a part for its number. Drag over parts, or use Shift and the arrow keys, to choose a region."
                    </p>
                }
            >
                <button type="button" class="plain" on:click=steer>"Damp or amplify it"</button>
                <button type="button" class="plain" on:click=move |_| shown.region.set(None)>"Let go"</button>
            </Show>
        </div>
    }
}
