//! Everything at once: units down, words of the answer across.

use crate::page::actions::page;
use crate::page::state::Shown;
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Canvas;
use leptos::prelude::*;
use report::{Rgb, Scale, amount, label, text_on, words};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Height of a row and least width of a column, in pixels of the page.
const ROW: f64 = 26.0;
const COLUMN: f64 = 56.0;
/// Room for the units' names, at most, and for those of the words.
const NAMES: f64 = 220.0;
const HEAD: f64 = 84.0;
/// Rows that are drawn: a canvas has a greatest size, and a person a limit too.
const MOST_ROWS: usize = 400;
const MOST_COLUMNS: usize = 200;

/// What the matrix is drawn from.
#[derive(Clone, PartialEq)]
struct Grid {
    /// Number, name, and scores of each unit.
    rows: Vec<(usize, String, Vec<Option<f32>>)>,
    columns: Vec<String>,
    scale: Scale,
    left_out: usize,
}

/// The matrix, to be pointed at, or walked through with the arrow keys.
#[component]
pub(super) fn Matrix() -> impl IntoView {
    let shown = page().state.shown;
    let canvas = NodeRef::<Canvas>::new();
    let grid = Memo::new(move |_| grid(shown));
    let cell = RwSignal::new(None::<(usize, usize)>);
    Effect::new(move |_| {
        let at = cell.get();
        if let Some(canvas) = canvas.get() {
            grid.with(|grid| grid.as_ref().and_then(|grid| draw(&canvas, grid, at)));
        }
    });
    let point = move |event: MouseEvent| {
        let at = canvas.get_untracked().and_then(|canvas| grid.with_untracked(|grid| hit(&canvas, grid.as_ref()?, &event)));
        cell.set(at);
    };
    let on_key = move |event: KeyboardEvent| {
        let Some((rows, columns)) = grid.with_untracked(|grid| grid.as_ref().map(|grid| (grid.rows.len(), grid.columns.len())))
        else {
            return;
        };
        let (row, column) = cell.get_untracked().unwrap_or_default();
        let next = match event.key().as_str() {
            "ArrowDown" => (row + 1, column),
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowRight" => (row, column + 1),
            "ArrowLeft" => (row, column.saturating_sub(1)),
            "Home" => (row, 0),
            "End" => (row, columns),
            "Escape" => return cell.set(None),
            _ => return,
        };
        event.prevent_default();
        cell.set(Some((next.0.min(rows.saturating_sub(1)), next.1.min(columns.saturating_sub(1)))));
    };
    // What is pointed at here is pointed at in both texts too.
    Effect::new(move |_| {
        let at = cell.get();
        let unit = at.and_then(|(row, _)| grid.with(|grid| grid.as_ref()?.rows.get(row).map(|(unit, ..)| *unit)));
        shown.hovered_unit.set(unit);
    });
    on_cleanup(move || shown.hovered_unit.set(None));
    let reading = move || {
        let (row, column) = cell.get()?;
        grid.with(|grid| {
            let grid = grid.as_ref()?;
            let ((_, name, scores), word) = (grid.rows.get(row)?, grid.columns.get(column)?);
            let score = scores.get(column).copied().flatten();
            let score = score.map_or_else(
                || "stands after it".to_owned(),
                |score| format!("{} {}", amount::signed(score), grid.scale.measure.name()),
            );
            Some(format!("“{name}” for “{word}”: {score}"))
        })
    };
    let label = move || {
        grid.with(|grid| {
            grid.as_ref().map(|grid| {
                format!(
                    "Matrix of {} by {}: arrow keys move in it, and the table has all numbers",
                    amount::count(grid.rows.len(), "unit"),
                    amount::count(grid.columns.len(), "token")
                )
            })
        })
    };
    let left_out = move || grid.with(|grid| grid.as_ref().map_or(0, |grid| grid.left_out));
    view! {
        <p class="help">{move || match (shown.contrast.get(), shown.span.get()) {
            (Some(_), _) => "Each row is a part of the text: why the answer is this rather than the other.",
            (None, Some(_)) => "Each row is a part of the text, each column a token of the words that were chosen.",
            (None, None) => "Each row is a part of the text, each column a token of the answer.",
        }}</p>
        <div class="scroll matrix">
            <canvas
                node_ref=canvas
                tabindex="0"
                role="application"
                aria-label=label
                aria-describedby="matrix-cell"
                on:mousemove=point
                on:mouseleave=move |_| cell.set(None)
                on:keydown=on_key
                on:blur=move |_| cell.set(None)
            ></canvas>
        </div>
        <p id="matrix-cell" class="detail" aria-live="polite">{move || reading().unwrap_or_else(|| "Point at a field, or walk with the arrow keys.".to_owned())}</p>
        <Show when=move || left_out() != 0>
            <p class="help">{move || format!("{} more are left out here: the table and the files have them.", amount::count(left_out(), "row"))}</p>
        </Show>
    }
}

fn grid(shown: Shown) -> Option<Grid> {
    let sinks = shown.sinks.get();
    let scale = shown.token_scale.get()?;
    shown.with_document(|document| {
        let document = document?;
        let explanation = &document.explanation;
        let contrast = shown.contrast.get().and_then(|number| explanation.contrasts.get(number));
        let whole = explanation.whole_target();
        // The columns add up to what is on show.
        let tokens = shown.span.get().filter(|span| span.end <= whole.end).unwrap_or(whole);
        let row = |unit: usize| {
            let of = explanation.units.get(unit).filter(|of| sinks || !of.sink)?;
            let name = label(&report::pieces::name(explanation, of));
            let scores = match contrast {
                Some(contrast) => vec![contrast.relevance.get(unit).copied().flatten()],
                None => {
                    let row = explanation.relevance.get(unit)?.as_deref().unwrap_or_default();
                    row.get(tokens.clone()).unwrap_or_default().iter().take(MOST_COLUMNS).copied().collect()
                }
            };
            Some((unit, name, scores))
        };
        let mut rows: Vec<_> = explanation.leaves().into_iter().filter_map(row).collect();
        let left_out = rows.len().saturating_sub(MOST_ROWS);
        rows.truncate(MOST_ROWS);
        let (columns, scale) = match contrast {
            Some(contrast) => {
                (vec![format!("rather than {}", words::alternative(contrast))], Scale::of_contrast(document, contrast))
            }
            None => {
                let of = explanation.target.tokens.get(tokens.clone()).unwrap_or_default();
                (of.iter().take(MOST_COLUMNS).map(|token| label(&token.text)).collect(), scale)
            }
        };
        Some(Grid { rows, columns, scale, left_out })
    })
}

/// Width of the names' column and of a column of scores, in the room there is.
fn widths(canvas: &HtmlCanvasElement, grid: &Grid) -> (f64, f64) {
    let room = canvas.parent_element().map_or(640.0, |parent| f64::from(parent.client_width()));
    let names = NAMES.min(room * 0.4);
    let column = ((room - names) / grid.columns.len().max(1) as f64).clamp(COLUMN, 2.0 * COLUMN);
    (names, column)
}

fn hit(canvas: &HtmlCanvasElement, grid: &Grid, event: &MouseEvent) -> Option<(usize, usize)> {
    let (names, column) = widths(canvas, grid);
    let (x, y) = (f64::from(event.offset_x()) - names, f64::from(event.offset_y()) - HEAD);
    let (row, column) = ((y / ROW).floor(), (x / column).floor());
    let is_within = row >= 0.0 && column >= 0.0 && row < grid.rows.len() as f64 && column < grid.columns.len() as f64;
    is_within.then_some((row as usize, column as usize))
}

/// Draws the whole of it; `None` where the browser cannot.
fn draw(canvas: &HtmlCanvasElement, grid: &Grid, at: Option<(usize, usize)>) -> Option<()> {
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.unchecked_into();
    let style = window().get_computed_style(canvas).ok()??;
    let color = |name: &str| style.get_property_value(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let (ink, faint, font) = (color("--ink"), color("--faint"), color("font-family"));
    let paper = parse_hex(&color("--card")).unwrap_or(report::WHITE);
    let (names, column) = widths(canvas, grid);
    let (width, height) = (names + column * grid.columns.len() as f64, HEAD + ROW * grid.rows.len() as f64 + 1.0);
    let ratio = window().device_pixel_ratio().clamp(1.0, 2.0);
    canvas.set_width((width * ratio) as u32);
    canvas.set_height((height * ratio) as u32);
    let shape = web_sys::HtmlElement::style(canvas);
    shape.set_property("width", &format!("{width}px")).ok()?;
    shape.set_property("height", &format!("{height}px")).ok()?;
    context.scale(ratio, ratio).ok()?;
    context.set_text_baseline("middle");

    context.set_font(&format!("13px {font}"));
    context.set_fill_style_str(&ink);
    for (number, word) in grid.columns.iter().enumerate() {
        context.save();
        context.translate(names + column * (number as f64 + 0.5), HEAD - 8.0).ok()?;
        context.rotate(-std::f64::consts::FRAC_PI_4).ok()?;
        context.fill_text(&fitted(&context, word, HEAD * 1.1), 0.0, 0.0).ok()?;
        context.restore();
    }
    for (number, (_, name, scores)) in grid.rows.iter().enumerate() {
        let y = HEAD + ROW * number as f64;
        context.set_font(&format!("13px {font}"));
        context.set_fill_style_str(&ink);
        context.fill_text(&fitted(&context, name, names - 12.0), 0.0, y + ROW / 2.0).ok()?;
        context.set_font(&format!("11px {font}"));
        for place in 0..grid.columns.len() {
            let x = names + column * place as f64;
            let score = scores.get(place).copied().flatten();
            let rgb = score.map_or(paper, |score| grid.scale.rgb_on(score, paper));
            context.set_fill_style_str(&css(rgb));
            context.fill_rect(x, y, column - 1.0, ROW - 1.0);
            let text = score.map_or_else(|| "·".to_owned(), amount::signed);
            context.set_fill_style_str(&if score.is_some() { css(text_on(rgb)) } else { faint.clone() });
            context.set_text_align("center");
            context.fill_text(&text, x + column / 2.0, y + ROW / 2.0).ok()?;
            context.set_text_align("start");
        }
    }
    if let Some((row, place)) = at {
        context.set_stroke_style_str(&ink);
        context.set_line_width(2.0);
        context.stroke_rect(names + column * place as f64, HEAD + ROW * row as f64, column - 1.0, ROW - 1.0);
    }
    Some(())
}

/// A text cut to a width.
fn fitted(context: &CanvasRenderingContext2d, text: &str, width: f64) -> String {
    let is_fit = |text: &str| context.measure_text(text).is_ok_and(|measured| measured.width() <= width);
    if is_fit(text) {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(48).collect();
    while !kept.is_empty() {
        kept.pop();
        let cut = kept.iter().collect::<String>() + "…";
        if is_fit(&cut) {
            return cut;
        }
    }
    String::new()
}

fn css([r, g, b]: Rgb) -> String {
    format!("rgb({r} {g} {b})")
}

/// `#rrggbb` or `#rgb`.
fn parse_hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#')?;
    let wide = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let channel = |at: usize| u8::from_str_radix(wide.get(at..at + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}
