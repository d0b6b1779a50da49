//! Pictures and the map over them: which part is which unit, and the tint in between.

mod file;
mod mosaic;
mod shown;

pub use file::PictureFile;
pub use mosaic::{Mosaic, RelevanceGrid, relevance_grid};
pub use shown::{PicturePart, ShownPicture, of_document};

use crate::{Scale, amount, clean::one_line};

/// What is said of a part that is pointed at: its unit's name and exact score. Holds the name.
pub fn title(part: &PicturePart<'_>, score: Option<f32>, scale: &Scale) -> String {
    let name = one_line(&part.unit.text);
    let Some(score) = score else { return format!("{name}: no score") };
    let number = if scale.signed { amount::signed(score) } else { amount::short(score) };
    let mut marks = Vec::new();
    if part.unit.sink {
        marks.push("template or first");
    }
    if scale.is_noise(score) {
        marks.push("within noise");
    }
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    format!("{name}: {}{marks}", format!("{number} {}", scale.measure.name()).trim_end())
}
