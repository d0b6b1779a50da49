//! A picture as a model sees it: at each of its positions, the embedding of a part.

use crate::image::{ImageInfo, PixelRect};
use crate::{AtmanError, Spent, Text};
use images::{Area, ImageProcessor, prompt_text};
use kernels::Executor;
use model::{Mixed, Model, ModelConfig, ModelError, VisionConfig};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use web_time::Instant;
use weights::text::hex;

/// A picture that went through a model's vision tower. Copies share what is large.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenImage {
    /// What an explanation says of it.
    pub info: ImageInfo,
    /// What stands for it in a prompt.
    pub(crate) text: String,
    pub(crate) grid: Grid,
    /// The part of the picture that each of its positions looks at, in the order of the prompt.
    pub(crate) areas: Arc<[Area]>,
    /// One for each position, `[positions, d_model]`.
    pub(crate) embeddings: Arc<[f32]>,
    pub(crate) spent: Spent,
    pub(crate) peak_bytes: u64,
}

impl SeenImage {
    /// Decodes the bytes of a file, prepares the picture as `processor` says, and takes it through the model's vision tower.
    ///
    /// # Errors
    /// When the model sees no pictures, when it is no picture, and those of the device.
    pub async fn see(
        name: &str,
        bytes: &[u8],
        processor: &ImageProcessor,
        model: &Model,
        executor: &mut dyn Executor,
    ) -> Result<SeenImage, AtmanError> {
        let vision = model.vision_config()?;
        let started = Instant::now();
        let before = executor.stats().cost.flops;
        executor.reset_peak();
        let picture = images::decode(bytes).map_err(|source| AtmanError::Picture { name: name.to_owned(), source })?;
        let prepared = processor.prepare(&picture);
        let embeddings = model.embed_image(executor, prepared.tiles.iter().map(|tile| &tile.pixels)).await?;
        let grid = Grid::of(vision);
        let stats = executor.stats();
        Ok(SeenImage {
            info: ImageInfo {
                name: name.to_owned(),
                width_px: u32::try_from(picture.width()).unwrap_or(u32::MAX),
                height_px: u32::try_from(picture.height()).unwrap_or(u32::MAX),
                sha256: hex(&Sha256::digest(bytes)),
            },
            text: prompt_text(prepared.rows, prepared.cols, vision.n_positions()),
            grid,
            areas: prepared.tiles.iter().flat_map(|tile| grid.parts_of(tile.area)).collect(),
            embeddings: embeddings.into(),
            spent: Spent {
                flops: stats.cost.flops.saturating_sub(before),
                seconds: started.elapsed().as_secs_f64(),
                ..Spent::default()
            },
            peak_bytes: stats.peak_bytes,
        })
    }

    /// How many positions it takes.
    pub fn n_positions(&self) -> usize {
        self.areas.len()
    }

    /// The part of the picture that each of its positions looks at, in the order of the prompt.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// What stands at each of its positions, `[positions, d_model]`.
    pub fn embeddings(&self) -> &[f32] {
        &self.embeddings
    }

    /// What stands for it in a prompt: its positions, and what the model's processor writes around them.
    pub fn prompt_text(&self) -> &str {
        &self.text
    }

    /// What seeing it took.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Those of its positions, from 0 on, most of whose area lies in the region.
    pub fn positions_in(&self, region: PixelRect) -> Vec<usize> {
        let is_mostly_in = |area: &Area| {
            let own = self.rect(area);
            2.0 * own.overlap(&region) > own.overlap(&own)
        };
        let areas = self.areas.iter().enumerate();
        areas.filter(|(_, area)| is_mostly_in(area)).map(|(position, _)| position).collect()
    }

    /// An area in pixels of the picture.
    pub(crate) fn rect(&self, area: &Area) -> PixelRect {
        let (width, height) = (f64::from(self.info.width_px), f64::from(self.info.height_px));
        PixelRect {
            left_px: (area.left * width) as f32,
            top_px: (area.top * height) as f32,
            right_px: (area.right * width) as f32,
            bottom_px: (area.bottom * height) as f32,
        }
    }

    /// The cell of each of its positions: row and column.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        self.areas.iter().map(|area| self.grid.cell_of(area))
    }
}

/// The cells of a tile, each of which has a position of its own. Those of the tile with the whole picture divide it for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grid {
    /// Cells of a side.
    pub(crate) side: usize,
    /// The side of a cell in parts of the tile's. Patches that do not divide a tile leave a rest at its right and bottom.
    pub(crate) cell: f64,
}

impl Grid {
    fn of(vision: &VisionConfig) -> Grid {
        let cell_px = vision.scale_factor * vision.patch_px;
        Grid { side: vision.positions_per_side(), cell: cell_px as f64 / vision.image_px.max(1) as f64 }
    }

    /// The cells of a tile that shows `area`, row by row.
    pub(crate) fn parts_of(self, area: Area) -> impl Iterator<Item = Area> {
        let cells = (0..self.side).flat_map(move |row| (0..self.side).map(move |col| (row, col)));
        cells.map(move |(row, col)| self.part(area, (row, col), (row + 1, col + 1)))
    }

    /// From one cell of a tile up to another, which is no more part of it.
    pub(crate) fn part(self, area: Area, from: (usize, usize), to: (usize, usize)) -> Area {
        let x = |col: usize| area.left + (area.right - area.left) * self.cell * col as f64;
        let y = |row: usize| area.top + (area.bottom - area.top) * self.cell * row as f64;
        Area { left: x(from.1), top: y(from.0), right: x(to.1), bottom: y(to.0) }
    }

    /// The cell of the whole picture that holds the centre of an area: row and column.
    pub(crate) fn cell_of(self, area: &Area) -> (usize, usize) {
        let index = |from: f64, to: f64| (((from + to) / 2.0 / self.cell) as usize).min(self.side.saturating_sub(1));
        (index(area.top, area.bottom), index(area.left, area.right))
    }
}

/// A prompt as the model takes it: the embeddings of pictures in the places of the image token.
///
/// # Errors
/// When there are not as many places as positions of the pictures.
pub fn prompt_input(prompt: &Text, images: &[SeenImage], model: &Model) -> Result<Mixed, AtmanError> {
    mixed(prompt, images, model.config())
}

/// The positions of a prompt that stand for a region of one of its pictures: those most of whose area lies in it.
pub fn positions_of_region(prompt: &Text, images: &[SeenImage], image: usize, region: PixelRect) -> Vec<usize> {
    let Some(seen) = images.get(image) else { return Vec::new() };
    let before: usize = images.iter().take(image).map(SeenImage::n_positions).sum();
    let places = prompt.image_positions();
    seen.positions_in(region).into_iter().filter_map(|position| places.get(before + position).copied()).collect()
}

pub(crate) fn mixed(prompt: &Text, images: &[SeenImage], config: &ModelConfig) -> Result<Mixed, AtmanError> {
    let expected = images.iter().map(SeenImage::n_positions).sum();
    match &config.vision {
        Some(vision) => {
            let embeddings: Vec<f32> = images.iter().flat_map(|image| image.embeddings()).copied().collect();
            Ok(Mixed::new(prompt.ids(), vision.image_token_id, &embeddings, config.d_model)?)
        }
        None if images.is_empty() => Ok(Mixed::from(prompt.ids())),
        None => Err(ModelError::ImagePositions { found: 0, expected }.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A picture of 80 x 40 pixels of which a tile has `side` x `side` positions, cut into `rows` x `cols` tiles.
    pub(crate) fn seen(side: usize, d_model: usize, rows: usize, cols: usize) -> SeenImage {
        let grid = Grid { side, cell: 1.0 / side as f64 };
        let tiles = (0..rows).flat_map(|row| (0..cols).map(move |col| Area::WHOLE.part(row, col, rows, cols)));
        let areas: Arc<[Area]> = tiles.chain([Area::WHOLE]).flat_map(|area| grid.parts_of(area)).collect();
        SeenImage {
            info: ImageInfo { name: "a.png".to_owned(), width_px: 80, height_px: 40, sha256: "0".repeat(64) },
            text: prompt_text(rows, cols, side * side),
            grid,
            embeddings: vec![0.5; areas.len() * d_model].into(),
            areas,
            spent: Spent { flops: 7, seconds: 0.5, ..Spent::default() },
            peak_bytes: 11,
        }
    }

    fn rect(left_px: f32, top_px: f32, right_px: f32, bottom_px: f32) -> PixelRect {
        PixelRect { left_px, top_px, right_px, bottom_px }
    }

    #[test]
    fn a_region_takes_the_positions_that_mostly_lie_in_it() {
        // Cells of 40 x 20, and tiles with cells of 20 x 10.
        let image = seen(2, 1, 2, 2);
        assert_eq!(image.n_positions(), 20);
        assert_eq!(image.positions_in(rect(0.0, 0.0, 25.0, 12.0)), [0]);
        assert_eq!(image.positions_in(rect(0.0, 0.0, 40.0, 20.0)), [0, 1, 2, 3, 16]);
        assert_eq!(image.positions_in(rect(0.0, 0.0, 80.0, 40.0)).len(), 20);
        // Half is not most, and nothing lies within a point or outside.
        assert_eq!(image.positions_in(rect(0.0, 0.0, 10.0, 10.0)), [0; 0]);
        assert_eq!(image.positions_in(rect(5.0, 5.0, 5.0, 5.0)), [0; 0]);
        assert_eq!(image.positions_in(rect(90.0, 0.0, 200.0, 40.0)), [0; 0]);
    }

    #[test]
    fn patches_that_do_not_fill_a_tile_leave_its_edge_unseen() {
        // Six patches of 7 pixels in 44, three of them a position.
        let grid = Grid { side: 2, cell: 21.0 / 44.0 };
        let parts: Vec<Area> = grid.parts_of(Area::WHOLE).collect();
        assert_eq!((parts[3].left, parts[3].bottom), (21.0 / 44.0, 42.0 / 44.0));
        // A tile's position beyond the last cell goes with it.
        let corner = Area { left: 0.97, top: 0.2, right: 0.99, bottom: 0.3 };
        assert_eq!(grid.cell_of(&corner), (0, 1));
    }
}
