//! Units in rows, each with its number, its marks and a bar.

use super::{Page, pictures, tinted};
use crate::amount::signed;
use crate::clean::{clean, quoted};
use crate::layout::{cut, lines, padded};
use crate::pieces::Piece;
use crate::{Document, Scale, pieces, words};
use atman::Unit;
use unicode_width::UnicodeWidthStr;

/// Cells of the longest bar.
const BAR: usize = 20;

/// Prompt and answer as they are, and a row for each unit.
pub(super) fn units(page: &mut Page, document: &Document) {
    let explanation = &document.explanation;
    let scale = Scale::of(document);
    let likelihood = words::likelihood(document).map_or(String::new(), |likelihood| format!(" ({likelihood})"));
    if !explanation.images.is_empty() {
        page.title("Pictures");
        pictures::grids(page, document, &document.scores, &scale);
    }
    page.title("Prompt");
    indented(page, &pieces::prompt_text(explanation));
    page.title(&format!("Answer{likelihood}"));
    indented(page, &explanation.target.text);
    if let Some(cut) = words::target_cut(document) {
        page.sentence(&cut);
    }
    if let Some(span) = &document.span {
        page.sentence(&clean(&format!("The scores are for “{}” alone.", span.text)));
    }
    page.title("Units");
    rows(page, document, &listed(document), &scale);
    if let Some(line) = left_out(document) {
        page.sentence(&line);
    }
    page.blank();
    if scale.signed {
        page.sentence("+ supports the answer: with that part damped, the answer becomes less likely. - speaks against it.");
    }
    for line in words::legend(&scale).iter().skip(usize::from(scale.known > 0)) {
        page.sentence(line);
    }
}

/// The units of text, and of those of pictures, which stand in grids already, the strongest.
pub(super) fn listed(document: &Document) -> Vec<usize> {
    let (mut of_pictures, mut listed) = divided(document);
    let size = |unit: &usize| document.scores.get(*unit).copied().flatten().map_or(0.0, f32::abs);
    of_pictures.sort_by(|a, b| size(b).total_cmp(&size(a)));
    listed.extend(of_pictures.into_iter().take(tinted::STRONGEST));
    listed.sort_unstable();
    listed
}

/// That not all units are listed, if so.
fn left_out(document: &Document) -> Option<String> {
    let n_parts = divided(document).0.len();
    let all = n_parts <= tinted::STRONGEST;
    (!all).then(|| format!("Of {n_parts} parts of pictures, the {} strongest are listed.", tinted::STRONGEST))
}

/// Units of pictures, and all others.
fn divided(document: &Document) -> (Vec<usize>, Vec<usize>) {
    let units = &document.explanation.units;
    let is_picture = |unit: &usize| units.get(*unit).is_some_and(|unit| unit.image.is_some());
    document.explanation.leaves().into_iter().partition(is_picture)
}

fn indented(page: &mut Page, text: &str) {
    let piece = Piece { text: text.to_owned(), ..Piece::default() };
    for line in lines(&[piece], page.style.width.saturating_sub(2)) {
        page.line(&format!("  {}", line.iter().map(|run| run.text.as_str()).collect::<String>()));
    }
}

/// A row for each of some units.
pub(super) fn rows(page: &mut Page, document: &Document, units: &[usize], scale: &Scale) {
    let explanation = &document.explanation;
    let named = units.iter().filter_map(|unit| Some((*unit, explanation.units.get(*unit)?)));
    let rows: Vec<(usize, &Unit, String)> = named.map(|(i, unit)| (i, unit, quoted(&pieces::name(explanation, unit)))).collect();
    let longest = rows.iter().map(|(_, _, name)| name.width()).max().unwrap_or(0);
    // Number, marks and bar need the rest.
    let room = page.style.width.saturating_sub(BAR + 24).clamp(8, 48).min(longest.max(4));
    let measure = scale.measure.name();
    page.line(&page.dim(&format!("  {}  {measure:>8}", padded("unit", room))));
    for (i, unit, name) in rows {
        let score = document.scores.get(i).copied().flatten();
        let number = score.map_or("?".to_owned(), signed);
        let noise = if score.is_some_and(|score| scale.is_noise(score)) { '·' } else { ' ' };
        let apart = unit.sink && !page.style.sinks;
        let bar = if apart { String::new() } else { score.map_or(String::new(), |score| bar(score, scale)) };
        let marks = words::marks(explanation, unit);
        let marks = if marks.is_empty() { String::new() } else { format!("({}) ", marks.join(", ")) };
        page.line(&format!("  {}  {number:>8} {noise} {marks}{bar}", padded(&cut(&name, room), room)));
    }
}

fn bar(score: f32, scale: &Scale) -> String {
    let strength = scale.strength(score);
    let cells = (strength.abs() * BAR as f32).round() as usize;
    if strength < 0.0 { "-".repeat(cells) } else { "+".repeat(cells) }
}
