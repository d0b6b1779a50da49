//! Where in a picture it is that a question is about.

use anyhow::{Result, bail};
use atman::PixelRect;
use images::Picture;
use std::ops::Range;

/// The mean of red, green and blue from which on a pixel of a mask is white.
const WHITE: u32 = 128;

/// For each pixel of a picture whether the question is about it.
#[derive(Debug)]
pub(crate) struct Mask {
    width: usize,
    height: usize,
    is_white: Vec<bool>,
}

impl Mask {
    /// A mask for a picture of that size; one of another size is scaled, each pixel taking the nearest.
    ///
    /// # Errors
    /// When it is black or white all over, and so tells no place from others.
    pub(crate) fn new(mask: &Picture, width: usize, height: usize) -> Result<Self> {
        // The pixel of the mask that lies at the middle of the picture's pixel.
        let nearest = |at: usize, of: usize, to: usize| ((2 * at + 1) * to / (2 * of)).min(to.saturating_sub(1));
        let columns: Vec<usize> = (0..width).map(|x| nearest(x, width, mask.width())).collect();
        let white = |y: usize, x: usize| {
            let at = 3 * (nearest(y, height, mask.height()) * mask.width() + x);
            let pixel = mask.rgb().get(at..at + 3).unwrap_or_default();
            pixel.iter().map(|channel| u32::from(*channel)).sum::<u32>() >= 3 * WHITE
        };
        let is_white: Vec<bool> = (0..height).flat_map(|y| columns.iter().map(move |x| white(y, *x))).collect();
        if !is_white.contains(&true) {
            bail!("it has no white pixel; white is where in the picture it is that the question is about");
        }
        if !is_white.contains(&false) {
            bail!(
                "it is white all over, so that every place would be right; make black what the question is not about \
                 (what is transparent counts as white)"
            );
        }
        Ok(Self { width, height, is_white })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// How many pixels are white.
    pub(crate) fn n_white(&self) -> usize {
        self.is_white.iter().filter(|white| **white).count()
    }

    /// How many pixels of the rectangle are white.
    pub(crate) fn n_white_in(&self, rect: &PixelRect) -> usize {
        let (columns, rows) = pixels(rect, self.width, self.height);
        let lines = self.is_white.chunks_exact(self.width.max(1)).skip(rows.start).take(rows.len());
        let white = lines.flat_map(|line| line.get(columns.clone()).unwrap_or_default()).filter(|white| **white);
        white.count()
    }

    /// Whether the pixel in the middle of the rectangle is white. Of four that meet there, the one below and right.
    pub(crate) fn is_white_amid(&self, rect: &PixelRect) -> bool {
        let middle = |from: f32, to: f32, of: usize| (((from + to) / 2.0) as usize).min(of.saturating_sub(1));
        let x = middle(rect.left_px, rect.right_px, self.width);
        let y = middle(rect.top_px, rect.bottom_px, self.height);
        self.is_white.get(y * self.width + x).copied().unwrap_or(false)
    }
}

/// Columns and rows of the pixels whose centres lie in a rectangle of a picture of that size. Rectangles that share an edge
/// share no pixel.
pub(crate) fn pixels(rect: &PixelRect, width: usize, height: usize) -> (Range<usize>, Range<usize>) {
    // Casting takes what is below 0 to 0.
    let first = |edge: f32, of: usize| ((edge - 0.5).ceil() as usize).min(of);
    let range = |from: f32, to: f32, of: usize| first(from, of)..first(to, of).max(first(from, of));
    (range(rect.left_px, rect.right_px, width), range(rect.top_px, rect.bottom_px, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left_px: f32, top_px: f32, right_px: f32, bottom_px: f32) -> PixelRect {
        PixelRect { left_px, top_px, right_px, bottom_px }
    }

    fn grey(width: usize, height: usize, values: &[u8]) -> Picture {
        Picture::new(width, height, values.iter().flat_map(|value| [*value; 3]).collect()).unwrap()
    }

    #[test]
    fn white_begins_at_128_and_pixels_count_where_their_centres_are() {
        let mask = Mask::new(&grey(3, 2, &[127, 128, 255, 0, 0, 200]), 3, 2).unwrap();
        assert_eq!((mask.n_white(), mask.n_white_in(&rect(0.0, 0.0, 3.0, 2.0))), (3, 3));
        // The border at 1.5 goes through the middle of column 1, whose centre belongs to what begins there.
        assert_eq!(mask.n_white_in(&rect(0.0, 0.0, 1.5, 2.0)), 0);
        assert_eq!(mask.n_white_in(&rect(1.5, 0.0, 3.0, 1.0)), 2);
        assert_eq!(pixels(&rect(0.0, 0.0, 1.5, 2.0), 3, 2), (0..1, 0..2));
        assert_eq!(pixels(&rect(1.5, 1.0, 99.0, 99.0), 3, 2), (1..3, 1..2));
        assert!(mask.is_white_amid(&rect(0.0, 0.0, 3.0, 1.0)) && !mask.is_white_amid(&rect(0.0, 0.0, 3.0, 2.0)));
    }

    #[test]
    fn a_mask_of_another_size_is_scaled_by_the_nearest() {
        let mask = Mask::new(&grey(2, 1, &[0, 255]), 4, 3).unwrap();
        assert_eq!((mask.width(), mask.height(), mask.is_white), (4, 3, [false, false, true, true].repeat(3)));
        let mask = Mask::new(&grey(6, 1, &[255, 0, 255, 255, 0, 255]), 2, 1);
        assert!(mask.unwrap_err().to_string().contains("no white pixel"), "columns 1 and 4 are the middles");
    }

    #[test]
    fn a_mask_that_tells_no_place_from_others_is_refused() {
        let error = |value| Mask::new(&grey(2, 1, &[value; 2]), 8, 8).unwrap_err().to_string();
        assert!(error(127).contains("no white pixel; white is where"), "{}", error(127));
        assert!(error(128).contains("white all over"), "{}", error(128));
    }
}
