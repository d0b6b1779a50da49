//! The pictures of a document, each with the units that are parts of it.

use super::{Mosaic, file};
use crate::{Document, Scale};
use atman::{ImageInfo, PixelRect, Unit};

/// A picture, and which of its parts is which unit.
#[derive(Clone, Debug)]
pub struct ShownPicture<'a> {
    /// Its number, from 0 on.
    pub image: usize,
    /// What it is.
    pub info: &'a ImageInfo,
    /// Its parts: the numbers of their units, the units, and where they lie. Units that are divided further are none.
    pub parts: Vec<PicturePart<'a>>,
    /// The picture cut along the borders of its parts, which it numbers in the order of `parts`.
    pub mosaic: Mosaic,
}

/// A part of a picture.
#[derive(Clone, Copy, Debug)]
pub struct PicturePart<'a> {
    /// The number of its unit.
    pub index: usize,
    /// Its unit.
    pub unit: &'a Unit,
    /// Where it lies.
    pub rects: &'a [PixelRect],
}

/// The pictures of a document in their order.
pub fn of_document(document: &Document) -> Vec<ShownPicture<'_>> {
    let leaves = document.explanation.leaves();
    let images = document.explanation.images.iter().enumerate();
    images.map(|(image, info)| ShownPicture::new(document, image, info, &leaves)).collect()
}

impl<'a> ShownPicture<'a> {
    fn new(document: &'a Document, image: usize, info: &'a ImageInfo, leaves: &[usize]) -> ShownPicture<'a> {
        let part = |index: &usize| {
            let unit = document.explanation.units.get(*index)?;
            let part = unit.image.as_ref().filter(|part| part.image == image)?;
            Some(PicturePart { index: *index, unit, rects: &part.rects })
        };
        let parts: Vec<PicturePart<'a>> = leaves.iter().filter_map(part).collect();
        let rects: Vec<&[PixelRect]> = parts.iter().map(|part| part.rects).collect();
        let mosaic = Mosaic::new(info.width_px, info.height_px, &rects);
        ShownPicture { image, info, parts, mosaic }
    }

    /// The scores of its parts in their order, of the scores of all units. Sinks have none unless they are to be shown.
    pub fn relevance(&self, scores: &[Option<f32>], sinks: bool) -> Vec<Option<f32>> {
        let of = |part: &PicturePart<'_>| scores.get(part.index).copied().flatten().filter(|_| sinks || !part.unit.sink);
        self.parts.iter().map(of).collect()
    }

    /// The part with the strongest score, sign aside, and that score; no sink is. `None` where none has any but 0.
    pub fn strongest(&self, scores: &[Option<f32>]) -> Option<(&PicturePart<'a>, f32)> {
        let scored = self.parts.iter().zip(self.relevance(scores, false));
        let scored = scored.filter_map(|(part, score)| Some((part, score.filter(|score| score.is_finite() && *score != 0.0)?)));
        // The first of equals.
        scored.reduce(|a, b| if b.1.abs() > a.1.abs() { b } else { a })
    }

    /// Its size for drawing: at least a pixel each way.
    pub(crate) fn size_px(&self) -> (f32, f32) {
        (self.info.width_px.max(1) as f32, self.info.height_px.max(1) as f32)
    }

    /// Its file as a `data:` URL, if the document has it and it is a picture.
    pub(crate) fn data_url(&self, document: &Document) -> Option<String> {
        file::data_url(document.pictures.get(self.image)?)
    }

    /// The tint between the centres of its parts as a `data:` URL, to be stretched over the picture.
    pub(crate) fn tint_url(&self, scores: &[Option<f32>], scale: &Scale) -> Option<String> {
        let (columns, rows) = self.mosaic.grid_size();
        let grid = self.mosaic.grid(&self.relevance(scores, false), columns, rows);
        file::rgba_url(columns, rows, &grid.rgba(scale))
    }
}

impl PicturePart<'_> {
    /// Its outline as the data of an SVG path, in pixels of the picture.
    pub(crate) fn outline(&self) -> String {
        let is_drawn =
            |rect: &&PixelRect| [rect.left_px, rect.top_px, rect.right_px, rect.bottom_px].iter().all(|px| px.is_finite());
        let of = |rect: &PixelRect| {
            format!("M{} {}H{}V{}H{}Z", rect.left_px, rect.top_px, rect.right_px, rect.bottom_px, rect.left_px)
        };
        self.rects.iter().filter(is_drawn).map(of).collect()
    }
}
