//! A decoded picture, and what a model sees of it.

/// A decoded picture: 8 bits a channel, red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row, at least 1.
    pub(crate) width: usize,
    /// Rows, at least 1.
    pub(crate) height: usize,
    /// `[height, width, 3]`.
    pub(crate) rgb: Vec<u8>,
}

impl Picture {
    /// A picture of `[height, width, 3]` bytes; `None` if they are not so many, or none.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Picture> {
        let bytes = width.checked_mul(height)?.checked_mul(3)?;
        (bytes > 0 && rgb.len() == bytes).then_some(Picture { width, height, rgb })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The same at another size, at least 1 pixel each way, by Lanczos' filter as Pillow does it.
    pub fn resized(&self, width: usize, height: usize) -> Picture {
        crate::resize::resize(self, width.max(1), height.max(1))
    }

    /// Its bytes, `[height, width, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

/// Normalised pixels of a square, as a vision tower takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelValues {
    pub(crate) side_px: usize,
    pub(crate) values: Vec<f32>,
}

impl PixelValues {
    /// A square of `[3, side_px, side_px]` values; `None` if they are not so many.
    pub fn new(side_px: usize, values: Vec<f32>) -> Option<PixelValues> {
        let count = side_px.checked_mul(side_px)?.checked_mul(3)?;
        (values.len() == count).then_some(PixelValues { side_px, values })
    }

    /// Pixels of a side.
    pub fn side_px(&self) -> usize {
        self.side_px
    }

    /// The values, `[3, side_px, side_px]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// A part of a picture, in parts of its width and height: 0 is left and top, 1 right and bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

impl Area {
    /// The whole picture.
    pub const WHOLE: Area = Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// The part in `row` and `col` of this one divided into `rows` and `cols` equal parts; `rows` and `cols` are at least 1.
    pub fn part(&self, row: usize, col: usize, rows: usize, cols: usize) -> Area {
        let x = |col: usize| self.left + (self.right - self.left) * col as f64 / cols as f64;
        let y = |row: usize| self.top + (self.bottom - self.top) * row as f64 / rows as f64;
        Area { left: x(col), top: y(row), right: x(col + 1), bottom: y(row + 1) }
    }
}

/// What a model sees of a part of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Which part.
    pub area: Area,
    /// Its pixels.
    pub pixels: PixelValues,
}

/// A picture as a model takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The tiles row by row, then the whole picture; the whole picture alone where it is not cut.
    pub tiles: Vec<Tile>,
    /// Rows of tiles; 0 where it is not cut.
    pub rows: usize,
    /// Tiles in a row; 0 where it is not cut.
    pub cols: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_contradict_the_bytes_give_no_picture() {
        assert!(Picture::new(2, 1, vec![0; 6]).is_some());
        assert!(Picture::new(2, 1, vec![0; 7]).is_none());
        assert!(Picture::new(0, 1, vec![]).is_none());
        assert!(Picture::new(usize::MAX, 2, vec![]).is_none());
        assert!(PixelValues::new(2, vec![0.0; 12]).is_some() && PixelValues::new(2, vec![0.0; 4]).is_none());
    }

    #[test]
    fn parts_of_an_area_lie_within_it() {
        let tile = Area::WHOLE.part(1, 0, 2, 4);
        assert_eq!(tile, Area { left: 0.0, top: 0.5, right: 0.25, bottom: 1.0 });
        assert_eq!(tile.part(0, 1, 2, 2), Area { left: 0.125, top: 0.5, right: 0.25, bottom: 0.75 });
    }
}
