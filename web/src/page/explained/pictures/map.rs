//! Where the parts of a picture lie, and which of them a place or a rectangle holds.

use crate::page::state::Region;
use atman::{Explanation, PixelRect};
use report::pictures::{self, ShownPicture};
use report::{Document, Mosaic, words};

/// A picture of the explanation with its parts, in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Map {
    /// Its number, from 0 on.
    pub(super) image: usize,
    /// What a person calls it.
    pub(super) name: String,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) parts: Vec<Part>,
    /// The grid that the parts make, which numbers them in their order.
    pub(super) mosaic: Mosaic,
    /// Patches along a side of a part.
    patches: usize,
}

/// One part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) unit: usize,
    /// Where it is, in words.
    pub(super) place: String,
    /// Shown apart, as the first position is.
    pub(super) sink: bool,
    pub(super) rects: Vec<PixelRect>,
}

/// A cell of the grid: its row and column, from 0 on.
pub(super) type Cell = (usize, usize);

impl Map {
    /// Those of all pictures.
    pub(super) fn of_document(document: &Document) -> Vec<Map> {
        pictures::of_document(document).into_iter().map(|picture| Map::of(&document.explanation, &picture)).collect()
    }

    fn of(explanation: &Explanation, picture: &ShownPicture<'_>) -> Map {
        let part = |part: &pictures::PicturePart<'_>| Part {
            unit: part.index,
            place: words::place(picture, part.unit),
            sink: part.unit.sink,
            rects: part.rects.to_vec(),
        };
        Map {
            image: picture.image,
            name: words::picture(picture),
            width_px: picture.info.width_px,
            height_px: picture.info.height_px,
            parts: picture.parts.iter().map(part).collect(),
            mosaic: picture.mosaic.clone(),
            patches: explanation.settings.image_granularity.patches_per_side().unwrap_or(1),
        }
    }

    /// The part that a cell is of.
    pub(super) fn part_at(&self, (row, column): Cell) -> Option<usize> {
        self.mosaic.cells().get(row * self.mosaic.columns() + column).copied().flatten()
    }

    /// The unit that a cell is of.
    pub(super) fn unit_at(&self, cell: Cell) -> Option<usize> {
        self.parts.get(self.part_at(cell)?).map(|part| part.unit)
    }

    /// The first cell of a part.
    pub(super) fn cell_of(&self, part: usize) -> Option<Cell> {
        let at = self.mosaic.cells().iter().position(|of| *of == Some(part))?;
        Some((at / self.mosaic.columns(), at % self.mosaic.columns()))
    }

    /// The cell at a place, given in parts of the picture's width and height; the nearest where that lies outside.
    pub(super) fn cell_at(&self, x: f64, y: f64) -> Cell {
        let index = |borders: &[f32], side: u32, at: f64| {
            let px = (at * f64::from(side)) as f32;
            let inner = borders.get(1..borders.len().saturating_sub(1)).unwrap_or_default();
            inner.iter().filter(|border| **border <= px).count()
        };
        (index(self.mosaic.y_px(), self.height_px, y), index(self.mosaic.x_px(), self.width_px, x))
    }

    /// The cell that a key leads to: of another part, where there is one on that side.
    pub(super) fn next(&self, key: &str, from: Cell) -> Option<Cell> {
        let (last_row, last_column) = (self.mosaic.rows().saturating_sub(1), self.mosaic.columns().saturating_sub(1));
        let step = |(row, column): Cell| match key {
            "ArrowRight" => Some((row, (column + 1).min(last_column))),
            "ArrowLeft" => Some((row, column.saturating_sub(1))),
            "ArrowDown" => Some(((row + 1).min(last_row), column)),
            "ArrowUp" => Some((row.saturating_sub(1), column)),
            _ => None,
        };
        match key {
            "Home" => return Some((from.0, 0)),
            "End" => return Some((from.0, last_column)),
            _ => {}
        }
        let mut at = from;
        loop {
            let next = step(at)?;
            if next == at || self.part_at(next) != self.part_at(from) {
                return Some(if self.part_at(next).is_some() { next } else { from });
            }
            at = next;
        }
    }

    /// The region between two cells; `None` where no part lies in it.
    pub(super) fn region(&self, a: Cell, b: Cell) -> Option<Region> {
        let (rows, columns) = ((a.0.min(b.0), a.0.max(b.0)), (a.1.min(b.1), a.1.max(b.1)));
        let cells = (rows.0..=rows.1).flat_map(|row| (columns.0..=columns.1).map(move |column| (row, column)));
        let mut units: Vec<usize> = cells.filter_map(|cell| self.unit_at(cell)).collect();
        units.sort_unstable();
        units.dedup();
        let name = match units.as_slice() {
            [] => return None,
            [_] => {
                let part = self.part_at(a).or_else(|| self.part_at(b)).and_then(|part| self.parts.get(part));
                format!("image {}, {}", self.image + 1, part.map_or("", |part| part.place.as_str()))
            }
            _ => {
                let (rows, columns) = (self.counted("row", rows), self.counted("column", columns));
                format!("image {}, {rows}, {columns}", self.image + 1)
            }
        };
        Some(Region { image: self.image, rows, columns, units, name })
    }

    /// Rows or columns in patches, as people count: `rows 3 to 4`.
    fn counted(&self, what: &str, (first, last): (usize, usize)) -> String {
        match (first * self.patches + 1, (last + 1) * self.patches) {
            (first, last) if first == last => format!("{what} {first}"),
            (first, last) => format!("{what}s {first} to {last}"),
        }
    }
}
