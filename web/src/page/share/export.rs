//! An explanation as a file.

use super::link;
use crate::page::actions::{Page, page};
use crate::page::browser::{self, message};
use crate::selected::Selected;
use leptos::html::Input;
use leptos::prelude::*;
use report::{ColorDepth, Document, Format, TerminalStyle};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, Url};

/// Pixels of a picture for each of the drawing's.
const PNG_SCALE: u32 = 2;

/// A button for each format, and one for the link.
#[component]
pub(in crate::page) fn Exports() -> impl IntoView {
    let page = page();
    let (engine, shown) = (page.state.engine, page.state.shown);
    let link_text = RwSignal::new(None::<String>);
    let link_field = NodeRef::<Input>::new();
    let save = move |format: Format| {
        let Some(document) = shown.exported() else { return };
        if let Err(error) = written(&document, format).and_then(|blob| browser::save(&blob, &name(format.name()))) {
            engine.fail(format!("The file could not be saved: {}", message(&error)));
        }
    };
    let save_png = move |_| {
        let Some(document) = shown.exported() else { return };
        spawn_local(async move {
            let saved = match png(&document).await {
                Ok(blob) => browser::save(&blob, &name("png")),
                Err(error) => Err(error),
            };
            if let Err(error) = saved {
                engine.fail(format!("The picture could not be made: {}. SVG holds the same.", message(&error)));
            }
        });
    };
    let copy = move |_| {
        let link = link::of(page);
        link_text.set(Some(link.clone()));
        spawn_local(async move {
            let copied = JsFuture::from(window().navigator().clipboard().write_text(&link)).await;
            engine.say(match copied {
                Ok(_) => "The link was copied.",
                Err(_) => "The link could not be copied by itself: it stands beside the button.",
            });
            if copied.is_err()
                && let Some(field) = link_field.get_untracked()
            {
                field.select();
            }
        });
    };
    let button = move |format: Format, text: &'static str| {
        view! { <button type="button" on:click=move |_| save(format)>{text}</button> }
    };
    view! {
        <div class="exports" role="group" aria-label="Take it along">
            {button(Format::Html, "HTML")}
            {button(Format::Svg, "SVG")}
            <button type="button" on:click=save_png>"PNG"</button>
            {button(Format::Csv, "CSV")}
            {button(Format::Json, "JSON")}
            <button type="button" on:click=copy>"Copy link"</button>
            <Show when=move || link_text.with(Option::is_some)>
                <input node_ref=link_field class="link" type="text" readonly aria-label="Link" prop:value=move || link_text.get().unwrap_or_default()/>
                <p class="help">{move || holds(page)}</p>
            </Show>
        </div>
    }
}

/// What a link holds, and what it does not.
fn holds(page: Page) -> String {
    let own = page.state.question.pictures.with(|pictures| pictures.iter().filter(|of| of.example.is_none()).count());
    let pictures = match own {
        0 => "",
        1 => " It does not hold your picture: whoever opens it has to add that.",
        _ => " It does not hold your pictures: whoever opens it has to add them.",
    };
    let model = match page.state.library.selected.get() {
        Selected::Files(_) | Selected::Kept(_) => "the model’s name and SHA-256 (its files it does not hold)",
        _ => "model",
    };
    let which =
        if page.state.is_stale() { " It is the question as it now stands, which is not the one explained here." } else { "" };
    format!(
        "The link holds {model}, prompt, answer and settings.{which}{pictures} Whoever opens it computes it anew on their own machine."
    )
}

fn name(extension: &str) -> String {
    format!("explanation.{extension}")
}

fn written(document: &Document, format: Format) -> Result<Blob, JsValue> {
    let style = TerminalStyle { color: ColorDepth::None, width: 100, sinks: false };
    let text = format.write(document, style).map_err(|error| JsValue::from(error.to_string()))?;
    let mime = match format {
        Format::Html => "text/html",
        Format::Svg => "image/svg+xml",
        Format::Csv => "text/csv",
        Format::Json => "application/json",
        Format::Terminal => "text/plain",
    };
    browser::blob(&text, mime)
}

/// The drawing as a picture.
async fn png(document: &Document) -> Result<Blob, JsValue> {
    let url = Url::create_object_url_with_blob(&written(document, Format::Svg)?)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&url);
    let decoded = JsFuture::from(image.decode()).await;
    Url::revoke_object_url(&url)?;
    decoded?;
    let canvas: HtmlCanvasElement = leptos::prelude::document().create_element("canvas")?.unchecked_into();
    let (width, height) = (image.natural_width() * PNG_SCALE, image.natural_height() * PNG_SCALE);
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d")?.ok_or("this browser draws no pictures")?;
    let context: CanvasRenderingContext2d = context.unchecked_into();
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, f64::from(width), f64::from(height))?;
    let promise = js_sys::Promise::new(&mut |resolve, reject| {
        let done = Closure::once_into_js(move |blob: JsValue| {
            let _ = resolve.call1(&JsValue::UNDEFINED, &blob);
        });
        if let Err(error) = canvas.to_blob(done.unchecked_ref()) {
            let _ = reject.call1(&JsValue::UNDEFINED, &error);
        }
    });
    JsFuture::from(promise).await?.dyn_into().map_err(|_| JsValue::from("it came out empty"))
}
