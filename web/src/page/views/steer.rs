//! Damping or amplifying words, and what the model says then.

use crate::diff::{Part, compared};
use crate::page::actions::page;
use crate::page::state::{Activity, Rewritten, Steered};
use leptos::prelude::*;

/// The greatest factor that the slider offers.
const GREATEST: f32 = 3.0;

/// The words, a slider each, and both answers side by side.
#[component]
pub(super) fn Steer() -> impl IntoView {
    let page = page();
    let (engine, steering) = (page.state.engine, page.state.steering);
    let units = Memo::new(move |_| {
        steering.units.with(|units| units.iter().map(|of| (of.units.clone(), of.name.clone())).collect::<Vec<_>>())
    });
    let is_empty = move || units.with(Vec::is_empty);
    view! {
        <Show
            when=move || !is_empty()
            fallback=|| view! { <p class="help">"Click a word of the prompt above (or press Enter on it), or choose a region of a picture, to damp or amplify it."</p> }
        >
            <ul class="sliders">
                {move || {
                    let all = units.get().into_iter().enumerate();
                    all.map(|(number, (units, name))| view! { <Slider number units name/> }).collect_view()
                }}
            </ul>
            <p class="help">"0 damps a part most, 1 leaves it as it is, more amplifies it. It begins with the factor of the explanation."</p>
            {move || page.state.cannot_ask_on().map(|why| view! { <p class="help">{why}</p> })}
            <div class="buttons">
                <button
                    type="button"
                    class="primary"
                    disabled=move || engine.is_busy() || engine.is_starting() || page.state.is_of_another_model()
                    on:click=move |_| page.steer(steering.units.get_untracked())
                >
                    "Write again"
                </button>
                <button type="button" disabled=move || engine.is_busy() on:click=move |_| steering.clear()>"Clear"</button>
            </div>
        </Show>
        <Show when=move || steering.rewritten.with(Option::is_some)>
            <Answers/>
        </Show>
    }
}

#[component]
fn Slider(
    /// Its place in the list.
    number: usize,
    /// Which units.
    units: Vec<usize>,
    /// What it is called.
    name: String,
) -> impl IntoView {
    let steering = page().state.steering;
    let units = StoredValue::new(units);
    let is_this = move |of: &Steered| units.with_value(|units| of.units == *units);
    let factor = move || steering.units.with(|all| all.iter().find(|of| is_this(of)).map_or(1.0, |of| of.factor));
    let set = move |event| {
        let Ok(factor) = event_target_value(&event).parse::<f32>() else { return };
        steering.units.update(|all| {
            if let Some(of) = all.iter_mut().find(|of| is_this(of)) {
                of.factor = factor;
            }
        });
    };
    let id = format!("steer-{number}");
    let remove = move |_| steering.units.update(|all| all.retain(|of| !is_this(of)));
    view! {
        <li>
            <label for=id.clone()>{name.clone()}</label>
            <input id=id.clone() type="range" min="0" max=GREATEST.to_string() step="0.05" prop:value=move || factor().to_string() on:input=set/>
            <output for=id>{move || format!("{:.2}", factor())}</output>
            <button type="button" class="plain" aria-label=format!("Remove {name}") on:click=remove>"Remove"</button>
        </li>
    }
}

/// Old and new answer, with what differs marked.
#[component]
fn Answers() -> impl IntoView {
    let state = page().state;
    let steering = state.steering;
    let is_writing = move || state.engine.activity.get() == Activity::Steering;
    let parts = Memo::new(move |_| {
        let Rewritten { old, new, .. } = steering.rewritten.get().unwrap_or_default();
        // While the model writes, all that is missing would look like a difference.
        if is_writing() {
            let all = |text: String| vec![Part { text, differs: false }];
            return (all(old), all(new));
        }
        compared(&old, &new)
    });
    let used = move || {
        let each = |of: &Steered| format!("“{}” × {:.2}", of.name, of.factor);
        let all = |of: &Rewritten| of.used.iter().map(each).collect::<Vec<_>>().join(", ");
        steering.rewritten.with(|rewritten| rewritten.as_ref().map(all))
    };
    let is_same =
        move || !is_writing() && steering.rewritten.with(|rewritten| rewritten.as_ref().is_some_and(|of| of.old == of.new));
    let text = |parts: Vec<Part>, kind: &'static str| {
        let part = move |part: Part| {
            let text = report::clean(&part.text).into_owned();
            match (part.differs, kind) {
                (false, _) => view! { <span>{text}</span> }.into_any(),
                (true, "old") => view! { <del>{text}</del> }.into_any(),
                (true, _) => view! { <ins>{text}</ins> }.into_any(),
            }
        };
        parts.into_iter().map(part).collect_view()
    };
    view! {
        <div class="answers">
            <div>
                <h4>"Before"</h4>
                <p class="text" dir="auto">{move || text(parts.get().0, "old")}</p>
            </div>
            <div>
                <h4>"With "{used}</h4>
                <p class="text" dir="auto" aria-busy=move || is_writing().to_string()>{move || text(parts.get().1, "new")}</p>
            </div>
        </div>
        <Show when=is_same><p class="help">"The answer is the same."</p></Show>
    }
}
