//! The map of a picture: tinted, to be pointed at part by part, and to choose regions in.

use super::super::detail::NOTE_ID;
use super::super::roving;
use super::draw::draw;
use super::map::{Cell, Map};
use crate::page::actions::{Page, page};
use crate::page::state::Region;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use report::{Scale, amount};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// What speaks against the answer at least so strongly is dashed, as it is in texts; weaker parts are many.
const DASHED: f32 = 0.25;

/// The tint, and over it a field for each part.
#[component]
pub(super) fn Parts(map: Map) -> impl IntoView {
    let page = page();
    let shown = page.state.shown;
    let map = Arc::new(map);
    let (canvas, root) = (NodeRef::<Canvas>::new(), NodeRef::<Div>::new());
    tint(page, canvas, Arc::clone(&map));
    // One place in the order of tabs; arrow keys move within. A region is between an anchor and where one is now.
    let first = map.part_at((0, 0)).and_then(|part| map.cell_of(part)).unwrap_or_default();
    let (current, anchor) = (RwSignal::new(first), RwSignal::new(first));
    let is_dragging = RwSignal::new(false);
    let image = map.image;

    let of = Arc::clone(&map);
    let choose = move |to: Cell| shown.region.set(of.region(anchor.get_untracked(), to));
    let chosen_alone = {
        let of = Arc::clone(&map);
        move |cell: Cell| shown.region.get_untracked() == of.region(cell, cell)
    };

    let press = {
        let (of, choose, chosen_alone) = (Arc::clone(&map), choose.clone(), chosen_alone);
        move |event: PointerEvent| {
            let Some(cell) = cell_under(&event, &of).filter(|_| event.button() == 0) else { return };
            if let Some(target) = field(&event) {
                // So that a drag that leaves the picture ends here all the same.
                let _ = target.set_pointer_capture(event.pointer_id());
            }
            is_dragging.set(true);
            current.set(cell);
            let is_alone = chosen_alone(cell) && !event.shift_key();
            if !event.shift_key() {
                anchor.set(cell);
            }
            if is_alone { shown.region.set(None) } else { choose(cell) }
        }
    };
    let move_over = {
        let (of, choose) = (Arc::clone(&map), choose.clone());
        move |event: PointerEvent| {
            let Some(cell) = cell_under(&event, &of) else { return };
            if is_dragging.get_untracked() && event.buttons() & 1 == 1 {
                if cell != current.get_untracked() {
                    current.set(cell);
                    choose(cell);
                }
                shown.hovered_unit.set(None);
            } else if event.pointer_type() != "touch" {
                is_dragging.set(false);
                shown.hovered_unit.set(of.unit_at(cell));
            }
        }
    };
    let on_key = {
        let of = Arc::clone(&map);
        move |event: KeyboardEvent| {
            let (key, at) = (event.key(), current.get_untracked());
            match key.as_str() {
                "Escape" => {
                    shown.region.set(None);
                    shown.hovered_unit.set(None);
                    return;
                }
                "Enter" | " " => {
                    event.prevent_default();
                    let region = shown.region.get_untracked().filter(|region| region.image == of.image);
                    if let Some(region) = region.filter(|region| holds(region, at)).or_else(|| of.region(at, at)) {
                        page.add_all_steered(region.units, region.name);
                    }
                    return;
                }
                _ => {}
            }
            let Some(next) = of.next(&key, at) else { return };
            event.prevent_default();
            current.set(next);
            if event.shift_key() {
                choose(next);
            } else {
                anchor.set(next);
            }
            if let Some(part) = of.part_at(next) {
                roving::focus(root, part);
            }
        }
    };
    let focused = {
        let of = Arc::clone(&map);
        move |event: web_sys::FocusEvent| {
            let part: Option<usize> = roving::number_of(event.target(), "data-index");
            shown.hovered_unit.set(part.and_then(|part| of.parts.get(part)).map(|part| part.unit));
        }
    };
    let fields = (0..map.parts.len()).map(|part| field_view(page, &map, part, current)).collect_view();
    let (name, outline) = (format!("Map of {}", map.name), Arc::clone(&map));
    view! {
        <canvas node_ref=canvas aria-hidden="true"></canvas>
        <div
            class="parts"
            role="group"
            aria-label=name
            aria-describedby="how-to-look-at-pictures"
            node_ref=root
            on:pointerdown=press
            on:pointermove=move_over
            on:pointerup=move |_| is_dragging.set(false)
            on:pointercancel=move |_| is_dragging.set(false)
            on:pointerleave=move |_| shown.hovered_unit.set(None)
            on:focusin=focused
            on:focusout=move |_| shown.hovered_unit.set(None)
            on:keydown=on_key
        >
            {fields}
        </div>
        {move || {
            let region = shown.region.get().filter(|region| region.image == image)?;
            let [left, top, width, height] = outline_of(&outline, &region)?;
            Some(view! {
                <div
                    class="chosen"
                    aria-hidden="true"
                    style=("--left", left)
                    style=("--top", top)
                    style=("--width", width)
                    style=("--height", height)
                ></div>
            })
        }}
    }
}

/// Keeps the canvas up to date with what is looked at.
fn tint(page: Page, canvas: NodeRef<Canvas>, map: Arc<Map>) {
    let shown = page.state.shown;
    Effect::new(move |_| {
        let (scale, sinks, exact) = (shown.scale.get(), shown.sinks.get(), shown.exact.get());
        let of = |part: &super::map::Part, scores: &[Option<f32>]| {
            scores.get(part.unit).copied().flatten().filter(|_| sinks || !part.sink)
        };
        let relevance: Vec<_> = shown.scores.with(|scores| map.parts.iter().map(|part| of(part, scores)).collect());
        if let (Some(canvas), Some(scale)) = (canvas.get(), scale) {
            let scale = if shown.own_scale.get() { own_scale(&relevance, scale) } else { scale };
            draw(&canvas, &map, &relevance, &scale, exact);
        }
    });
}

/// The scale on which the strongest of these is in full colour.
fn own_scale(relevance: &[Option<f32>], scale: Scale) -> Scale {
    let strongest = relevance.iter().flatten().map(|score| score.abs()).fold(0.0, f32::max);
    if strongest > 0.0 { Scale { limit: strongest, ..scale } } else { scale }
}

fn field_view(page: Page, map: &Map, part: usize, current: RwSignal<Cell>) -> impl IntoView + use<> {
    let shown = page.state.shown;
    let of = map.parts.get(part)?;
    let (unit, place, sink) = (of.unit, of.place.clone(), of.sink);
    let at = map.cell_of(part)?;
    let rect = of.rects.first()?;
    let percent = |px: f32, side: u32| format!("{:.3}%", px / side.max(1) as f32 * 100.0);
    let (left, top) = (percent(rect.left_px, map.width_px), percent(rect.top_px, map.height_px));
    let (width, height) =
        (percent(rect.right_px - rect.left_px, map.width_px), percent(rect.bottom_px - rect.top_px, map.height_px));
    let tint = Memo::new(move |_| shown.tints.with(|tints| tints.get(unit).copied().unwrap_or_default()));
    let said = move || {
        let score = tint.get().score.map_or_else(|| "not computed yet".to_owned(), amount::signed);
        let measure = shown.scale.get().map_or_else(String::new, |scale| scale.measure.name());
        format!("{place}: {score} {measure}")
    };
    // A part of several cells is reached at any of them.
    let cells: Vec<Cell> = cells_of(map, part);
    let is_current = move || cells.contains(&current.get()) || current.get() == at;
    Some(view! {
        <span
            class="part"
            class:against=move || tint.get().is_against()
            class:strong-against=move || tint.get().is_against() && tint.get().strength < -DASHED
            class:noise=move || tint.get().noise
            class:sink=sink
            class:active=move || shown.hovered_unit.get() == Some(unit)
            class:steered=move || page.state.steering.holds(unit)
            style=("--left", left)
            style=("--top", top)
            style=("--width", width)
            style=("--height", height)
            data-unit=unit.to_string()
            data-relevance=move || tint.get().score.map(|score| score.to_string())
            data-index=part.to_string()
            data-said=move || tint.get().score.map(amount::signed)
            role="button"
            aria-label=said
            aria-describedby=NOTE_ID
            tabindex=move || if is_current() { "0" } else { "-1" }
        ></span>
    })
}

fn cells_of(map: &Map, part: usize) -> Vec<Cell> {
    let columns = map.mosaic.columns().max(1);
    let cells = map.mosaic.cells().iter().enumerate().filter(|(_, of)| **of == Some(part));
    cells.map(|(at, _)| (at / columns, at % columns)).collect()
}

/// Whether a cell lies in a region.
fn holds(region: &Region, (row, column): Cell) -> bool {
    (region.rows.0..=region.rows.1).contains(&row) && (region.columns.0..=region.columns.1).contains(&column)
}

/// The element that an event belongs to: the field of all parts.
fn field(event: &PointerEvent) -> Option<Element> {
    event.current_target()?.dyn_into().ok()
}

/// The cell that an event is at.
fn cell_under(event: &PointerEvent, map: &Map) -> Option<Cell> {
    let bounds = field(event)?.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - bounds.left()) / bounds.width().max(1.0);
    let y = (f64::from(event.client_y()) - bounds.top()) / bounds.height().max(1.0);
    Some(map.cell_at(x, y))
}

/// Left, top, width and height of a region, as the style sheet wants them.
fn outline_of(map: &Map, region: &Region) -> Option<[String; 4]> {
    let span = |borders: &[f32], (first, last): (usize, usize), side: u32| {
        let (from, to) = (*borders.get(first)?, *borders.get(last + 1)?);
        let percent = |px: f32| format!("{:.3}%", px / side.max(1) as f32 * 100.0);
        Some((percent(from), percent(to - from)))
    };
    let (left, width) = span(map.mosaic.x_px(), region.columns, map.width_px)?;
    let (top, height) = span(map.mosaic.y_px(), region.rows, map.height_px)?;
    Some([left, top, width, height])
}
