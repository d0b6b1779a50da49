//! A picture cut along the borders of its units, and relevance between their centres.

use crate::Scale;
use atman::PixelRect;

/// Borders closer than this part of a side are one: units' borders are computed, not given, and no screen shows more.
const FINEST: f32 = 1.0 / 256.0;
/// About how many pixels of a side are interpolated where they are drawn larger.
const SMOOTH_PX: usize = 120;
/// The most of them for one cell.
const MOST_PX_OF_CELL: usize = 15;

/// A picture cut into the rows and columns of the finest grid that has all borders of some parts in it.
///
/// Parts of equal size side by side, which is how pictures are divided, are one cell each. A larger part among smaller ones has
/// several cells; where parts overlap, the smallest is on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Mosaic {
    /// Borders from left to right, the picture's own included.
    x_px: Vec<f32>,
    /// Borders from top to bottom, the picture's own included.
    y_px: Vec<f32>,
    /// Row by row, which part a cell is of; `None` where there is none.
    cells: Vec<Option<usize>>,
}

impl Mosaic {
    /// Of a picture in parts, each of one or more rectangles. What lies outside of the picture is ignored, as are rectangles
    /// that are none.
    pub fn new(width_px: u32, height_px: u32, parts: &[&[PixelRect]]) -> Mosaic {
        let rects = || parts.iter().flat_map(|rects| rects.iter()).filter(|rect| is_rect(rect));
        let x_px = borders(width_px, rects().flat_map(|rect| [rect.left_px, rect.right_px]));
        let y_px = borders(height_px, rects().flat_map(|rect| [rect.top_px, rect.bottom_px]));
        let columns = x_px.len() - 1;
        let mut cells = vec![None; columns * (y_px.len() - 1)];
        let numbered = parts.iter().enumerate().flat_map(|(part, rects)| rects.iter().map(move |rect| (part, rect)));
        let mut numbered: Vec<(usize, &PixelRect)> = numbered.filter(|(_, rect)| is_rect(rect)).collect();
        numbered.sort_by(|(_, a), (_, b)| area(b).total_cmp(&area(a)));
        for (part, rect) in numbered {
            let across = nearest(&x_px, rect.left_px)..nearest(&x_px, rect.right_px);
            for row in nearest(&y_px, rect.top_px)..nearest(&y_px, rect.bottom_px) {
                let covered = cells.get_mut(row * columns + across.start..row * columns + across.end);
                covered.into_iter().flatten().for_each(|cell| *cell = Some(part));
            }
        }
        Mosaic { x_px, y_px, cells }
    }

    /// Borders from left to right, the picture's own included, in pixels of the picture.
    pub fn x_px(&self) -> &[f32] {
        &self.x_px
    }

    /// Borders from top to bottom, the picture's own included, in pixels of the picture.
    pub fn y_px(&self) -> &[f32] {
        &self.y_px
    }

    /// Cells in a row.
    pub fn columns(&self) -> usize {
        self.x_px.len() - 1
    }

    /// Rows of cells.
    pub fn rows(&self) -> usize {
        self.y_px.len() - 1
    }

    /// Row by row, which part a cell is of; `None` where there is none.
    pub fn cells(&self) -> &[Option<usize>] {
        &self.cells
    }

    /// The relevance of parts, given in their order, at the centres of the pixels of a grid laid over the picture.
    ///
    /// Bilinear between the centres of cells, and as at the outermost ones beyond them. At a part's centre it is that part's
    /// own. `None` where there is no part or its relevance is not known; such cells do not count for those around them.
    pub fn grid(&self, relevance: &[Option<f32>], columns: usize, rows: usize) -> RelevanceGrid {
        let of_cell = |row: usize, column: usize| -> Option<f32> {
            let part = (*self.cells.get(row * self.columns() + column)?)?;
            relevance.get(part).copied().flatten().filter(|value| value.is_finite())
        };
        let across = samples(&self.x_px, columns);
        let mut values = Vec::with_capacity(columns * rows);
        for down in samples(&self.y_px, rows) {
            for across in &across {
                let value = of_cell(down.own, across.own).and_then(|_| {
                    let (mut sum, mut weight) = (0.0, 0.0);
                    for (row, of_row) in [(down.first, 1.0 - down.share), (down.second, down.share)] {
                        for (column, of_column) in [(across.first, 1.0 - across.share), (across.second, across.share)] {
                            let share: f32 = of_row * of_column;
                            if let Some(value) = of_cell(row, column).filter(|_| share > 0.0) {
                                sum += share * value;
                                weight += share;
                            }
                        }
                    }
                    (weight > 0.0).then(|| sum / weight)
                });
                values.push(value);
            }
        }
        RelevanceGrid { columns, rows, values }
    }

    /// How many columns and rows a grid should have that is to be drawn larger: an odd number for each cell, so that its
    /// centre is a pixel's.
    pub fn grid_size(&self) -> (usize, usize) {
        let of = |cells: usize| cells * ((SMOOTH_PX / cells).clamp(1, MOST_PX_OF_CELL) | 1);
        (of(self.columns()), of(self.rows()))
    }
}

/// The relevance of the parts of a picture, interpolated: [`Mosaic::grid`] for parts that are looked at once.
pub fn relevance_grid(
    width_px: u32,
    height_px: u32,
    parts: &[(Option<f32>, &[PixelRect])],
    columns: usize,
    rows: usize,
) -> RelevanceGrid {
    let (relevance, rects): (Vec<Option<f32>>, Vec<&[PixelRect]>) = parts.iter().copied().unzip();
    Mosaic::new(width_px, height_px, &rects).grid(&relevance, columns, rows)
}

/// Relevance at the pixels of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct RelevanceGrid {
    /// Pixels in a row.
    pub columns: usize,
    /// Rows of pixels.
    pub rows: usize,
    /// Row by row; `None` where it is not known.
    pub values: Vec<Option<f32>>,
}

impl RelevanceGrid {
    /// Its colours, to be laid over the picture: `[rows, columns, 4]` bytes of red, green, blue and alpha, not premultiplied.
    /// What is near zero or not known is transparent.
    pub fn rgba(&self, scale: &Scale) -> Vec<u8> {
        let of = |value: &Option<f32>| value.map_or([0; 4], |value| scale.tint(value));
        self.values.iter().flat_map(of).collect()
    }
}

fn is_rect(rect: &PixelRect) -> bool {
    let PixelRect { left_px, top_px, right_px, bottom_px } = *rect;
    [left_px, top_px, right_px, bottom_px].iter().all(|px| px.is_finite()) && left_px < right_px && top_px < bottom_px
}

fn area(rect: &PixelRect) -> f32 {
    (rect.right_px - rect.left_px) * (rect.bottom_px - rect.top_px)
}

/// Rising borders from 0 to a side's length, at least those two.
fn borders(side_px: u32, given: impl Iterator<Item = f32>) -> Vec<f32> {
    let side = side_px.max(1) as f32;
    let mut given: Vec<f32> = given.filter(|px| (0.0..=side).contains(px)).collect();
    given.sort_by(f32::total_cmp);
    let mut borders = vec![0.0];
    for px in given {
        if borders.last().is_some_and(|last| px - last >= side * FINEST) && side - px >= side * FINEST {
            borders.push(px);
        }
    }
    borders.push(side);
    borders
}

/// The border nearest to a place.
fn nearest(borders: &[f32], px: f32) -> usize {
    let after = borders.partition_point(|border| *border < px).min(borders.len().saturating_sub(1));
    let before = after.saturating_sub(1);
    let distance = |border: usize| borders.get(border).map_or(f32::MAX, |border| (border - px).abs());
    if distance(before) < distance(after) { before } else { after }
}

/// A place along a side: the cell that it lies in, the two between whose centres it lies, and how much the second counts.
struct Sample {
    own: usize,
    first: usize,
    second: usize,
    share: f32,
}

/// The centres of `count` equal pixels along a side.
fn samples(borders: &[f32], count: usize) -> Vec<Sample> {
    let side = borders.last().copied().unwrap_or(1.0);
    let centers: Vec<f32> = borders.windows(2).map(|pair| pair.iter().sum::<f32>() / 2.0).collect();
    let center = |cell: usize| centers.get(cell).copied().unwrap_or_default();
    let last = centers.len().saturating_sub(1);
    let of = |i: usize| {
        let at = (i as f32 + 0.5) / count as f32 * side;
        let own = borders.partition_point(|border| *border <= at).saturating_sub(1).min(last);
        let (first, second) = if at < center(own) { (own.saturating_sub(1), own) } else { (own, (own + 1).min(last)) };
        let share = if first == second { 0.0 } else { (at - center(first)) / (center(second) - center(first)) };
        Sample { own, first, second, share }
    };
    (0..count).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left_px: f32, top_px: f32, right_px: f32, bottom_px: f32) -> PixelRect {
        PixelRect { left_px, top_px, right_px, bottom_px }
    }

    #[test]
    fn cells_are_the_parts_and_borders_that_nearly_meet_are_one() {
        let parts = [[rect(0.0, 0.0, 21.333, 10.0)], [rect(21.3334, 0.0, 64.0, 10.0)], [rect(0.0, 10.0, 64.0, 20.0)]];
        let mosaic = Mosaic::new(64, 20, &parts.iter().map(|part| part.as_slice()).collect::<Vec<_>>());
        assert_eq!((mosaic.columns(), mosaic.rows()), (2, 2));
        assert_eq!(mosaic.cells(), [Some(0), Some(1), Some(2), Some(2)]);
    }

    #[test]
    fn what_is_smaller_is_on_top_and_what_is_nothing_is_ignored() {
        let nothing = [rect(f32::NAN, 0.0, 4.0, 4.0), rect(3.0, 0.0, 3.0, 4.0), rect(-9.0, -9.0, -1.0, -1.0)];
        let (small, large) = ([rect(0.0, 0.0, 4.0, 4.0)], [rect(0.0, 0.0, 8.0, 8.0)]);
        let mosaic = Mosaic::new(8, 8, &[&small, &nothing, &large]);
        assert_eq!(mosaic.cells(), [Some(0), Some(2), Some(2), Some(2)]);
        assert_eq!(Mosaic::new(0, 0, &[]).cells(), [None]);
    }

    #[test]
    fn so_many_borders_that_none_can_be_seen_are_few() {
        let parts: Vec<[PixelRect; 1]> = (0..5000).map(|i| [rect(i as f32 / 10.0, 0.0, i as f32 / 10.0 + 0.1, 1.0)]).collect();
        let mosaic = Mosaic::new(500, 1, &parts.iter().map(|part| part.as_slice()).collect::<Vec<_>>());
        assert!(mosaic.columns() <= 256, "{}", mosaic.columns());
    }

    #[test]
    fn a_cell_has_an_odd_number_of_pixels() {
        let halves = [[rect(0.0, 0.0, 4.0, 8.0)], [rect(4.0, 0.0, 8.0, 8.0)]];
        let mosaic = Mosaic::new(8, 8, &[&halves[0], &halves[1]]);
        assert_eq!(mosaic.grid_size(), (30, 15));
    }
}
