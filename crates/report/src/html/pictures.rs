//! The prompt's pictures, each beside a map of it.

use super::texts;
use crate::clean::escaped;
use crate::pictures::{self, PicturePart, ShownPicture};
use crate::scale::{AGAINST, FULL_TINT, SUPPORTS};
use crate::svg::FADED;
use crate::{Document, Scale, Side, words};

/// What a page with pictures adds to its script: maps follow what is asked for, and can be pointed at.
pub(super) const SCRIPT: &str = include_str!("../../html/pictures.js");

/// What it adds to its style.
pub(super) const STYLE: &str = include_str!("../../html/pictures.css");

/// Each picture as it is and, beside it, the same faded and tinted; nothing where there are none.
pub(super) fn section(document: &Document, scale: &Scale) -> String {
    let shown = pictures::of_document(document);
    if shown.is_empty() {
        return String::new();
    }
    let figures: String = shown.iter().map(|picture| figure(document, picture, scale)).collect();
    let [supports, against] = [SUPPORTS, AGAINST].map(|[r, g, b]| format!("{r},{g},{b}"));
    format!(
        "<section id=\"pictures\" aria-labelledby=\"pictures-title\" data-supports=\"{supports}\" data-against=\"{against}\" \
         data-full=\"{FULL_TINT}\">\n<h2 id=\"pictures-title\">What the model saw</h2>\n\
         <svg class=\"filters\" aria-hidden=\"true\">{FADED}</svg>\n{figures}\
         <label class=\"check\"><input type=\"checkbox\" id=\"exact\"> Show the parts as they are, without smoothing</label>\n\
         </section>\n\n"
    )
}

fn figure(document: &Document, picture: &ShownPicture<'_>, scale: &Scale) -> String {
    let (width, height) = picture.size_px();
    let name = escaped(&words::picture(picture));
    let id = format!("picture-{}", picture.image + 1);
    let size = format!("width=\"{width}\" height=\"{height}\"");
    let (plain, faded) = match picture.data_url(document) {
        Some(url) => (
            format!(
                "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{name}\"><image id=\"{id}\" {size} \
                 preserveAspectRatio=\"none\" href=\"{url}\"/></svg>\n"
            ),
            format!("<use href=\"#{id}\" filter=\"url(#faded)\"/>"),
        ),
        None => Default::default(),
    };
    let tint = picture.tint_url(&document.scores, scale).unwrap_or_default();
    let parts: String = picture.parts.iter().map(|part| cell(document, part, scale)).collect();
    let (outline, against) = picture.strongest(&document.scores).map_or((String::new(), ""), |(part, score)| {
        (part.outline(), if scale.side(score) == Side::Against { " dashed" } else { "" })
    });
    let strongest = escaped(&words::strongest_part(picture, &document.scores, scale));
    format!(
        "<figure class=\"picture{}\">\n{plain}<svg class=\"map\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"Map of {name}; {strongest}\" data-name=\"Map of {name}\" data-mosaic=\"{}\">\
         <rect class=\"ground\" {size}/>{faded}\
         <image class=\"smooth\" {size} preserveAspectRatio=\"none\" href=\"{tint}\"/>\n{parts}\
         <path class=\"halo\" d=\"{outline}\"/><path class=\"strongest{against}\" d=\"{outline}\"/></svg>\n\
         <figcaption>{name}; <span class=\"where\">{strongest}</span></figcaption>\n</figure>\n",
        if height > 1.25 * width { " tall" } else { "" },
        mosaic(picture),
    )
}

fn cell(document: &Document, part: &PicturePart<'_>, scale: &Scale) -> String {
    let score = document.scores.get(part.index).copied().flatten();
    let classes = texts::classes("cell", part.unit.sink, false, score, scale);
    let relevance = texts::relevance(score, scale);
    let title = escaped(&pictures::title(part, score, scale));
    format!(
        "<path class=\"{classes}\" data-unit=\"{}\"{relevance} d=\"{}\"><title>{title}</title></path>\n",
        part.index,
        part.outline()
    )
}

/// Borders and cells for the script, which interpolates other scores in the same way.
fn mosaic(picture: &ShownPicture<'_>) -> String {
    let mosaic = &picture.mosaic;
    let unit = |part: &Option<usize>| part.and_then(|part| picture.parts.get(part)).map(|part| part.index);
    let units: Vec<Option<usize>> = mosaic.cells().iter().map(unit).collect();
    let (columns, rows) = mosaic.grid_size();
    let data = serde_json::json!({ "x": mosaic.x_px(), "y": mosaic.y_px(), "units": units, "columns": columns, "rows": rows });
    escaped(&data.to_string())
}
