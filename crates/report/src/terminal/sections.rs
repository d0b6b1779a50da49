//! What stands below the units: contrasts, and whether the order of units can be trusted.

use super::{ColorDepth, Page, pictures, plain, tinted};
use crate::layout::padded;
use crate::{Document, Scale, pieces, trust, words};

/// Each contrast: why this rather than that.
pub(super) fn contrasts(page: &mut Page, document: &Document) {
    let explanation = &document.explanation;
    for contrast in &explanation.contrasts {
        let scale = Scale::of_contrast(document, contrast);
        page.title(&words::contrast(&document.explanation, contrast));
        pictures::grids(page, document, &contrast.relevance, &scale);
        if page.style.color == ColorDepth::None {
            let of_contrast = Document { scores: contrast.relevance.clone(), ..document.clone() };
            plain::rows(page, &of_contrast, &plain::listed(&of_contrast), &scale);
        } else {
            tinted::text(page, &pieces::of_prompt(explanation), &contrast.relevance, &scale, 0..0);
        }
        page.sentence(&words::log_odds(contrast));
        if page.style.color != ColorDepth::None {
            page.sentence(words::legend(&scale).first().map_or("", String::as_str));
        }
    }
}

/// Width of a column of faithfulness.
const COLUMN_CELLS: usize = 18;

/// A row for each order of the units, and what it comes to.
pub(super) fn faithfulness(page: &mut Page, document: &Document) {
    let Some(faithfulness) = &document.explanation.faithfulness else { return };
    page.title("Can this be trusted?");
    for sentence in words::faithfulness(faithfulness) {
        page.sentence(&sentence);
    }
    page.blank();
    let name_cells = faithfulness.orders.iter().map(|curves| words::order(curves.order).len()).max().unwrap_or(0);
    // A narrow terminal has room for the areas alone.
    let n_columns = if page.style.width >= name_cells + 2 + 4 * COLUMN_CELLS { 4 } else { 2 };
    let row = |name: &str, cells: [String; 4]| {
        let cells: String = cells.iter().take(n_columns).map(|cell| format!("{cell:>COLUMN_CELLS$}")).collect();
        format!("  {}{cells}", padded(name, name_cells))
    };
    let head = ["area, taken away", "area, only kept", "comprehensiveness", "sufficiency"];
    page.line(&page.dim(&row("", head.map(str::to_owned))));
    for curves in &faithfulness.orders {
        page.line(&row(words::order(curves.order), trust::numbers(curves)));
    }
    let better = ["lower is better", "higher is better", "higher is better", "lower is better"];
    page.line(&page.dim(&row("", better.map(str::to_owned))));
    page.sentence(&words::removal(faithfulness));
}
