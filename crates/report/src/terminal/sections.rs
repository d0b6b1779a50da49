//! What stands below the units: contrasts, and whether the order of units can be trusted.

use super::{ColorDepth, Page, plain, tinted};
use crate::layout::padded;
use crate::{Document, Scale, pieces, words};

/// Each contrast: why this rather than that.
pub(super) fn contrasts(page: &mut Page, document: &Document) {
    let explanation = &document.explanation;
    for contrast in &explanation.contrasts {
        let scale = Scale::of_contrast(document, contrast);
        page.title(&words::contrast(document, contrast));
        if page.style.color == ColorDepth::None {
            let of_contrast = Document { scores: contrast.relevance.clone(), ..document.clone() };
            plain::rows(page, &of_contrast, &explanation.leaves(), &scale);
        } else {
            tinted::text(page, &pieces::of_prompt(explanation), &contrast.relevance, &scale, 0..0);
        }
        page.sentence(&words::log_odds(contrast));
        if page.style.color != ColorDepth::None {
            page.sentence(words::legend(&scale).first().map_or("", String::as_str));
        }
    }
}

/// A row for each order of the units, and what it comes to.
pub(super) fn faithfulness(page: &mut Page, document: &Document) {
    let Some(faithfulness) = &document.explanation.faithfulness else { return };
    page.title("Can this be trusted?");
    for sentence in words::faithfulness(faithfulness) {
        page.sentence(&sentence);
    }
    page.blank();
    let name_cells = faithfulness.orders.iter().map(|curves| words::order(curves.order).len()).max().unwrap_or(0);
    page.line(&page.dim(&format!("  {}  taken away (area)  only kept (area)", padded("", name_cells))));
    for curves in &faithfulness.orders {
        let name = padded(words::order(curves.order), name_cells);
        page.line(&format!("  {name}  {:>17.3}  {:>16.3}", curves.deletion_area, curves.insertion_area));
    }
    page.line(&page.dim(&format!("  {}  lower is better    higher is better", padded("", name_cells))));
    page.sentence(&words::removal(faithfulness));
}
