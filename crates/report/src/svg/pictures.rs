//! The prompt's pictures, each beside a map of it.

use super::{MARGIN, Picture, WIDTH};
use crate::clean::escaped;
use crate::pictures::{self, ShownPicture};
use crate::{Document, Scale, Side, words};

/// Between a picture and its map.
const GAP: f32 = 24.0;
/// The most that either takes each way.
const MOST: f32 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;

/// A filter, `#faded`, that takes most of the colour out of a picture and lightens it, so that a tint on it is seen whatever its
/// colours are: saturation 0.15 (the matrix of Filter Effects 1), then 0.65 of it in white.
pub(crate) const FADED: &str = "<filter id=\"faded\" x=\"0\" y=\"0\" width=\"1\" height=\"1\" color-interpolation-filters=\"sRGB\">\
    <feColorMatrix values=\".215 .395 .04 0 .35 .118 .493 .04 0 .35 .118 .395 .137 0 .35 0 0 0 1 0\"/></filter>";

impl Picture {
    /// Each picture as it is and, beside it, the same faded and tinted.
    pub(super) fn pictures(&mut self, document: &Document, scale: &Scale) {
        let shown = pictures::of_document(document);
        if shown.is_empty() {
            return;
        }
        self.title(if shown.len() == 1 { "Picture" } else { "Pictures" });
        self.put(&format!("<defs>{FADED}</defs>"));
        for picture in &shown {
            self.pair(document, picture, scale);
        }
    }

    fn pair(&mut self, document: &Document, picture: &ShownPicture<'_>, scale: &Scale) {
        let (width, height) = picture.size_px();
        let zoom = (MOST / width).min(MOST / height);
        let top = self.y + 4.0;
        let name = escaped(&words::picture(picture));
        let mut x = MARGIN;
        let id = format!("picture-{}", picture.image + 1);
        let url = picture.data_url(document);
        if let Some(url) = &url {
            self.put(&format!(
                "<g transform=\"translate({x} {top}) scale({zoom})\" role=\"img\" aria-label=\"{name}\"><image id=\"{id}\" \
                 width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"{url}\"/></g>"
            ));
            x += width * zoom + GAP;
        }
        let strongest = escaped(&words::strongest_part(picture, &document.scores, scale));
        self.put(&format!(
            "<g transform=\"translate({x} {top}) scale({zoom})\" role=\"img\" aria-label=\"Map of {name}; {strongest}\">"
        ));
        self.put(&format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"));
        if url.is_some() {
            self.put(&format!("<use href=\"#{id}\" filter=\"url(#faded)\"/>"));
        }
        if let Some(tint) = picture.tint_url(&document.scores, scale) {
            self.put(&format!(
                "<image class=\"tint\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"{tint}\"/>"
            ));
        }
        let thin = 1.0 / zoom;
        self.put(&format!("<rect width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#bbb\" stroke-width=\"{thin}\"/>"));
        for part in &picture.parts {
            let title = escaped(&pictures::title(part, document.scores.get(part.index).copied().flatten(), scale));
            self.put(&format!("<path d=\"{}\" fill=\"#fff\" fill-opacity=\"0\"><title>{title}</title></path>", part.outline()));
        }
        if let Some((part, score)) = picture.strongest(&document.scores) {
            self.outline(&part.outline(), zoom, scale.side(score) == Side::Against);
        }
        self.put("</g>");
        self.y = top + height * zoom + 6.0;
        self.sentence(
            "note",
            &format!("{}; {}", words::picture(picture), words::strongest_part(picture, &document.scores, scale)),
        );
        self.y += 6.0;
    }

    /// A fine line that is seen on any ground; dashed around what speaks against the answer.
    fn outline(&mut self, path: &str, zoom: f32, against: bool) {
        let (wide, thin) = (3.5 / zoom, 1.5 / zoom);
        let dashes = if against { format!(" stroke-dasharray=\"{} {}\"", 5.0 / zoom, 3.0 / zoom) } else { String::new() };
        let fixed = "fill=\"none\" pointer-events=\"none\"";
        self.put(&format!("<path d=\"{path}\" {fixed} stroke=\"#fff\" stroke-width=\"{wide}\"/>"));
        self.put(&format!("<path class=\"strongest\" d=\"{path}\" {fixed} stroke=\"#222\" stroke-width=\"{thin}\"{dashes}/>"));
    }
}
