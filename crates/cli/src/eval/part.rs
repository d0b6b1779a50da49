//! What gets one score, and how much of it is right.

use super::mask::{Mask, pixels};
use atman::metrics::Group;
use atman::{PixelRect, Unit};

/// The width of the centre blob: its standard deviation, in parts of the picture's width and height.
const BLOB_DEVIATION: f32 = 0.25;

/// A unit of what is asked about: a token of a text, or a patch of a picture.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) unit: Unit,
    /// Where in the picture it is.
    pub(crate) rect: Option<PixelRect>,
    /// Items that are measured: 1, or pixels.
    pub(crate) count: usize,
    /// How many of these are the answer, or what the question is about.
    pub(crate) relevant: usize,
    /// Of a patch: whether its middle is what the question is about.
    pub(crate) is_hit: bool,
    /// Of a patch: the centre blob's height at its middle.
    pub(crate) blob: f32,
}

impl Part {
    /// A token of a text.
    pub(crate) fn token(unit: Unit, is_answer: bool) -> Self {
        Self { unit, rect: None, count: 1, relevant: usize::from(is_answer), is_hit: false, blob: 0.0 }
    }

    /// A patch of the picture with that mask; `None` of a unit that is no part of it. Every pixel counts with the patch that
    /// its centre lies in; what no patch shows is left out.
    pub(crate) fn patch(unit: Unit, mask: &Mask) -> Option<Self> {
        let rect = *unit.image.as_ref()?.rects.first()?;
        let (columns, rows) = pixels(&rect, mask.width(), mask.height());
        let off_centre = |from: f32, to: f32, side: usize| (from + to) / 2.0 / side.max(1) as f32 - 0.5;
        let x = off_centre(rect.left_px, rect.right_px, mask.width());
        let y = off_centre(rect.top_px, rect.bottom_px, mask.height());
        Some(Self {
            unit,
            rect: Some(rect),
            count: columns.len() * rows.len(),
            relevant: mask.n_white_in(&rect),
            is_hit: mask.is_white_amid(&rect),
            blob: (-(x * x + y * y) / (2.0 * BLOB_DEVIATION * BLOB_DEVIATION)).exp(),
        })
    }

    /// Its items with that score.
    pub(crate) fn group(&self, score: f32) -> Group {
        Group { score, count: self.count, relevant: self.relevant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atman::ImagePart;
    use images::Picture;

    #[test]
    fn patches_share_out_the_pixels_and_the_blob_is_highest_amid() {
        // 12 pixels a side, white in the left third of the upper half.
        let white = |i: usize| if i / 12 < 6 && i % 12 < 4 { [255; 3] } else { [0; 3] };
        let mask = Mask::new(&Picture::new(12, 12, (0..144).flat_map(white).collect()).unwrap(), 12, 12).unwrap();
        let side = 12.0 / 8.0;
        let rect = |i: usize| {
            let (x, y) = ((i % 8) as f32 * side, (i / 8) as f32 * side);
            PixelRect { left_px: x, top_px: y, right_px: x + side, bottom_px: y + side }
        };
        let unit = |i: usize| Unit { image: Some(ImagePart { image: 0, rects: vec![rect(i)] }), ..Unit::default() };
        let parts: Vec<Part> = (0..64).filter_map(|i| Part::patch(unit(i), &mask)).collect();
        assert_eq!(parts.iter().map(|part| part.count).sum::<usize>(), 144);
        assert_eq!(parts.iter().map(|part| part.relevant).sum::<usize>(), 24);
        assert!(parts[0].is_hit && !parts[7].is_hit && !parts[63].is_hit);
        // The middles of the corner patches are 7/16 off in both directions.
        let expected = (-2.0_f32 * (7.0_f32 / 16.0).powi(2) / 0.125).exp();
        assert!((parts[0].blob - expected).abs() < 1e-6 && (parts[63].blob - expected).abs() < 1e-6);
        assert!(parts.iter().all(|part| part.blob <= parts[27].blob));
        assert!(Part::patch(Unit::default(), &mask).is_none());
    }
}
