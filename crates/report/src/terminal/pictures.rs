//! The prompt's pictures as grids of their parts.

use super::ansi::Look;
use super::tinted::{FAINT_INK, PAPER};
use super::{ColorDepth, Page};
use crate::clean::clean;
use crate::layout::cut;
use crate::pictures::{self, ShownPicture};
use crate::{Document, Scale, amount, words};

/// Cells of a part in colours or signs: about as wide as a line is high.
const PART: usize = 2;

/// A grid for each picture: in colours, or without them in numbers, or in signs where those are too wide.
pub(super) fn grids(page: &mut Page, document: &Document, scores: &[Option<f32>], scale: &Scale) {
    for picture in pictures::of_document(document) {
        let heading = cut(&clean(&words::picture(&picture)), page.style.width);
        page.line(&page.dim(&heading));
        let scores_of_parts = picture.relevance(scores, page.style.sinks);
        let grid = Grid { picture: &picture, scores: scores_of_parts, scale };
        let room = page.style.width;
        if page.style.color != ColorDepth::None {
            grid.tinted(page, room);
        } else if !grid.numbers(page, room) && !grid.signs(page, room) {
            page.sentence(TOO_WIDE);
        }
        page.line(&words::strongest_part(&picture, scores, scale));
    }
}

const TOO_WIDE: &str = "It has more parts than there is room for.";

struct Grid<'a> {
    picture: &'a ShownPicture<'a>,
    /// Of the picture's parts.
    scores: Vec<Option<f32>>,
    scale: &'a Scale,
}

impl Grid<'_> {
    fn tinted(&self, page: &mut Page, room: usize) {
        if self.width(PART) > room {
            return page.sentence(TOO_WIDE);
        }
        let color = page.style.color;
        self.head(page, PART);
        for (number, row) in self.rows() {
            let cell = |score: &Option<f32>| {
                let background = color.shown(score.map_or(PAPER, |score| self.scale.rgb_on(score, PAPER)));
                let look = Look { foreground: Some(FAINT_INK), background: Some(background), ..Look::default() };
                color.paint(if score.is_some() { "  " } else { " ·" }, look)
            };
            let cells: String = row.iter().map(cell).collect();
            page.line(&format!("{} {cells}", page.dim(&number)));
        }
    }

    fn numbers(&self, page: &mut Page, room: usize) -> bool {
        let number = |score: &Option<f32>| match score {
            Some(score) if self.scale.signed => amount::signed(*score),
            Some(score) => amount::short(*score),
            None => "·".to_owned(),
        };
        let longest = self.scores.iter().map(|score| number(score).len()).max().unwrap_or(0) + 1;
        self.written(page, room, longest, |score| format!("{:>longest$}", number(score)))
    }

    fn signs(&self, page: &mut Page, room: usize) -> bool {
        let sign = |score: &Option<f32>| {
            let Some(score) = score else { return "·" };
            match (self.scale.strength(*score) * 3.0).round() as i32 {
                3 => "++",
                1 | 2 => " +",
                -1 | -2 => " -",
                -3 => "--",
                _ => " ",
            }
        };
        self.written(page, room, PART, |score| format!("{:>PART$}", sign(score)))
    }

    fn written(&self, page: &mut Page, room: usize, cells: usize, cell: impl Fn(&Option<f32>) -> String) -> bool {
        if self.width(cells) > room {
            return false;
        }
        self.head(page, cells);
        for (number, row) in self.rows() {
            page.line(&format!("{number} {}", row.iter().map(&cell).collect::<String>()));
        }
        true
    }

    /// How wide the grid is with parts of so many cells.
    fn width(&self, cells: usize) -> usize {
        4 + self.picture.mosaic.columns() * cells
    }

    /// The numbers of the columns; only some where all would run into each other.
    fn head(&self, page: &mut Page, cells: usize) {
        let columns = self.picture.mosaic.columns();
        let is_shown = |column: &usize| columns < 10 || cells > 3 || *column == 1 || column.is_multiple_of(5);
        let number = |column: usize| if is_shown(&column) { column.to_string() } else { String::new() };
        let numbers: String = (1..=columns).map(|column| format!("{:>cells$}", number(column))).collect();
        page.line(&page.dim(&format!("    {numbers}")));
    }

    /// Each row's number and the scores in it.
    fn rows(&self) -> Vec<(String, Vec<Option<f32>>)> {
        let mosaic = &self.picture.mosaic;
        let score = |part: &Option<usize>| part.and_then(|part| self.scores.get(part).copied().flatten());
        let rows = mosaic.cells().chunks(mosaic.columns());
        rows.enumerate().map(|(row, cells)| (format!("{:>3}", row + 1), cells.iter().map(score).collect())).collect()
    }
}
