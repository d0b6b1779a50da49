//! Units in colour, where they stand in the text.

use super::ansi::Look;
use super::{ColorDepth, Page, pictures, plain};
use crate::clean::clean;
use crate::pieces::{self, Piece};
use crate::scale::{Rgb, text_on};
use crate::{Document, Scale, amount, layout, words};
use std::ops::Range;

/// Text is tinted on paper of its own, so that a weak tint looks weak whatever the terminal's background is.
pub(super) const PAPER: Rgb = [28; 3];
const INK: Rgb = [232; 3];
pub(super) const FAINT_INK: Rgb = [138; 3];

/// Units that are listed with their numbers.
pub(super) const STRONGEST: usize = 8;

/// The prompt, the answer, the strongest units, and what the colours mean.
pub(super) fn units(page: &mut Page, document: &Document) {
    let explanation = &document.explanation;
    let scale = Scale::of(document);
    if !explanation.images.is_empty() {
        page.title("Pictures");
        pictures::grids(page, document, &document.scores, &scale);
    }
    page.title("Prompt");
    text(page, &pieces::of_prompt(explanation), &document.scores, &scale, 0..0);
    let likelihood = words::likelihood(document).map_or(String::new(), |likelihood| format!(" ({likelihood})"));
    page.title(&format!("Answer{likelihood}"));
    let span = if document.span.is_some() { document.span_tokens() } else { 0..0 };
    text(page, &pieces::of_target(explanation), &document.scores, &scale, span);
    for note in [words::target_cut(document), words::looked_at(document)].into_iter().flatten() {
        page.sentence(&clean(&note));
    }
    page.title("Strongest units");
    plain::rows(page, document, &strongest(document, page.style.sinks), &scale);
    page.blank();
    page.line(&swatch(page.style.color, &scale));
    page.sentence(words::meaning(document, &scale));
    for line in words::legend(&scale) {
        page.sentence(&line);
    }
}

/// A text in the colours of its units; target tokens of `span` underlined.
pub(super) fn text(page: &mut Page, pieces: &[Piece], scores: &[Option<f32>], scale: &Scale, span: Range<usize>) {
    let color = page.style.color;
    // A column of paper on either side.
    let lines = layout::lines(pieces, page.style.width.saturating_sub(2));
    let block = lines.iter().map(|line| line.iter().map(|run| run.cells).sum::<usize>()).max().unwrap_or(0);
    for line in lines {
        let paper = Look { background: Some(PAPER), ..Look::default() };
        let mut painted = color.paint(" ", paper);
        let mut cells = 0;
        for run in line {
            cells += run.cells;
            let piece = pieces.get(run.piece);
            let tint =
                piece.filter(|piece| !piece.sink || page.style.sinks).and_then(|piece| scores.get(piece.unit?).copied()?);
            let apart = piece.is_some_and(|piece| piece.sink) && !page.style.sinks;
            let background = color.shown(tint.map_or(PAPER, |score| scale.rgb_on(score, PAPER)));
            let plain_ink = if apart { FAINT_INK } else { INK };
            let foreground = if background == color.shown(PAPER) { plain_ink } else { text_on(background) };
            let chosen = piece.is_some_and(|piece| span.contains(&piece.tokens.start));
            let look = Look {
                foreground: Some(foreground),
                background: Some(background),
                bold: chosen,
                underlined: chosen || piece.is_some_and(|piece| piece.control),
                ..Look::default()
            };
            painted.push_str(&color.paint(&run.text, look));
        }
        painted.push_str(&color.paint(&" ".repeat(block - cells + 1), paper));
        page.line(&painted);
    }
}

/// Units by falling size of their scores.
fn strongest(document: &Document, sinks: bool) -> Vec<usize> {
    let size = |unit: &usize| document.scores.get(*unit).copied().flatten().map_or(0.0, f32::abs);
    let is_shown = |unit: &usize| {
        let sink = document.explanation.units.get(*unit).is_some_and(|unit| unit.sink);
        (sinks || !sink) && document.scores.get(*unit).copied().flatten().is_some()
    };
    let mut units: Vec<usize> = document.explanation.leaves().into_iter().filter(is_shown).collect();
    units.sort_by(|a, b| size(b).total_cmp(&size(a)));
    units.truncate(STRONGEST);
    units
}

/// The scale from one end to the other.
fn swatch(color: ColorDepth, scale: &Scale) -> String {
    let first = if scale.signed { -8 } else { 0 };
    let cell = |step: i32| {
        let background = scale.rgb_on(step as f32 / 8.0 * scale.limit, PAPER);
        color.paint("  ", Look { background: Some(color.shown(background)), ..Look::default() })
    };
    let cells: String = (first..=8).map(cell).collect();
    let name = scale.measure.name();
    let from = if scale.signed { format!("-{} {} ", amount::short(scale.limit), words::AGAINST) } else { "0 ".to_owned() };
    let to = if scale.signed { words::SUPPORTS } else { "" };
    let sign = if scale.signed { "+" } else { "" };
    format!("{from}{cells} {sign}{} {name} {to}", amount::short(scale.limit))
}
