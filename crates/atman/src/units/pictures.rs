//! Parts of pictures: which positions go together, where they are, and what they are called.

use crate::image::{ImageGranularity, ImagePart, PixelRect};
use crate::{Question, SeenImage};
use images::Area;
use std::collections::BTreeMap;

/// A row and a column.
type Cell = (usize, usize);

/// The sets of positions that the pictures of a question divide into, and what each is called. Where a picture was cut into
/// tiles, their positions go with the cell of the whole picture that holds the centre of what they look at.
pub(super) fn picture_sets(question: &Question, granularity: ImageGranularity) -> Vec<(Vec<usize>, String)> {
    let mut sets = Vec::new();
    for (image, seen) in question.images.iter().enumerate() {
        let mut blocks: BTreeMap<Cell, Vec<usize>> = BTreeMap::new();
        for ((row, col), position) in seen.cells().zip(question.image_positions(image)) {
            let block = granularity.patches_per_side().map_or((0, 0), |side| (row / side, col / side));
            blocks.entry(block).or_default().push(*position);
        }
        for ((row, col), positions) in blocks {
            let name = match granularity {
                ImageGranularity::Whole => name_of(image),
                _ => format!("{}, row {}, column {}", name_of(image), row + 1, col + 1),
            };
            sets.push((positions, name));
        }
    }
    sets
}

/// Where some of a picture's own positions look at, and what to call it.
pub(super) fn part(image: usize, seen: &SeenImage, positions: &[usize]) -> (ImagePart, String) {
    let mut all: BTreeMap<Cell, usize> = BTreeMap::new();
    seen.cells().for_each(|cell| *all.entry(cell).or_default() += 1);
    let of_position: Vec<Cell> = seen.cells().collect();
    let mut own: BTreeMap<Cell, usize> = BTreeMap::new();
    for position in positions {
        of_position.get(*position).into_iter().for_each(|cell| *own.entry(*cell).or_default() += 1);
    }
    let is_complete = own.iter().all(|(cell, count)| all.get(cell) == Some(count));
    let cell_area = |(row, col): Cell| seen.grid.part(Area::WHOLE, (row, col), (row + 1, col + 1));
    let areas: Vec<Area> = if is_complete {
        own.keys().map(|cell| cell_area(*cell)).collect()
    } else {
        positions.iter().filter_map(|position| seen.areas.get(*position).copied()).collect()
    };
    let rects = joined(areas).iter().map(|area| seen.rect(area)).collect::<Vec<PixelRect>>();
    let mut name = name_of(image);
    if own.len() < all.len() || !is_complete {
        name.push_str(&place(&own.into_keys().collect::<Vec<_>>()));
    }
    (ImagePart { image, rects }, name)
}

fn name_of(image: usize) -> String {
    format!("image {}", image + 1)
}

/// Says where cells are, which come in rising order.
fn place(cells: &[Cell]) -> String {
    let span = |of: fn(&Cell) -> usize| {
        let (first, last) = (cells.iter().map(of).min().unwrap_or(0), cells.iter().map(of).max().unwrap_or(0));
        (first + 1, last + 1)
    };
    let (rows, cols) = (span(|cell| cell.0), span(|cell| cell.1));
    if (rows.1 + 1 - rows.0) * (cols.1 + 1 - cols.0) != cells.len() {
        return format!(", {} patches", cells.len());
    }
    let said = |one: &str, (first, last): (usize, usize)| {
        if first == last { format!(", {one} {first}") } else { format!(", {one}s {first} to {last}") }
    };
    format!("{}{}", said("row", rows), said("column", cols))
}

/// Areas that lie side by side as one, without those that lie in others.
fn joined(areas: Vec<Area>) -> Vec<Area> {
    let holds = |a: &Area, b: &Area| {
        a.left <= b.left + NEAR && a.top <= b.top + NEAR && a.right + NEAR >= b.right && a.bottom + NEAR >= b.bottom
    };
    let mut kept: Vec<Area> = Vec::new();
    for area in areas {
        if !kept.iter().any(|other| holds(other, &area)) {
            kept.retain(|other| !holds(&area, other));
            kept.push(area);
        }
    }
    kept.sort_by(|a, b| a.top.total_cmp(&b.top).then(a.left.total_cmp(&b.left)));
    let rows = chained(kept, |a, b| near(a.top, b.top) && near(a.bottom, b.bottom) && near(a.right, b.left));
    let mut by_column = rows;
    by_column.sort_by(|a, b| a.left.total_cmp(&b.left).then(a.top.total_cmp(&b.top)));
    let mut whole = chained(by_column, |a, b| near(a.left, b.left) && near(a.right, b.right) && near(a.bottom, b.top));
    whole.sort_by(|a, b| a.top.total_cmp(&b.top).then(a.left.total_cmp(&b.left)));
    whole
}

/// Joins each area with the one after it where they belong together.
fn chained(areas: Vec<Area>, belong: impl Fn(&Area, &Area) -> bool) -> Vec<Area> {
    let mut joined: Vec<Area> = Vec::with_capacity(areas.len());
    for area in areas {
        match joined.last_mut() {
            Some(last) if belong(last, &area) => *last = Area { right: area.right, bottom: area.bottom, ..*last },
            _ => joined.push(area),
        }
    }
    joined
}

/// Of parts of a picture's side: far less than a pixel, and far more than rounding.
const NEAR: f64 = 1e-6;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < NEAR
}
