//! What a model sees of a picture: resized, cut into tiles and normalised.

use crate::resize::resize;
use crate::{Area, ImageProcessor, Picture, PixelValues, Prepared, Tile};

/// The longest side of a picture whatever a model asks for.
const MAX_SIDE_PX: usize = 4096;

impl ImageProcessor {
    /// Prepares a picture.
    ///
    /// It is brought to the size that the model asks for, then squeezed into one tile, or brought to whole multiples of a
    /// tile, cut, and followed by the whole of it squeezed into one. All of this works on bytes, as Hugging Face's processor
    /// with Pillow does; then they are rescaled and normalised.
    pub fn prepare(&self, picture: &Picture) -> Prepared {
        let (width, height) = self.first_size(picture.width, picture.height);
        let mut picture = resize(picture, width, height);
        let (mut rows, mut cols) = (0, 0);
        let mut tiles = Vec::new();
        if self.splits {
            let (width, height) = self.whole_tiles(width, height);
            picture = resize(&picture, width, height);
            if width > self.tile_px || height > self.tile_px {
                (rows, cols) = (height / self.tile_px, width / self.tile_px);
            }
        }
        for (row, col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
            let area = Area::WHOLE.part(row, col, rows, cols);
            tiles.push(Tile { area, pixels: self.pixels(&picture, row * self.tile_px, col * self.tile_px) });
        }
        let whole = resize(&picture, self.tile_px, self.tile_px);
        tiles.push(Tile { area: Area::WHOLE, pixels: self.pixels(&whole, 0, 0) });
        Prepared { tiles, rows, cols }
    }

    /// The longer side becomes what is asked for, and the shorter one follows, rounded up to an even number.
    fn first_size(&self, width: usize, height: usize) -> (usize, usize) {
        let ratio = width as f64 / height as f64;
        let even = |side: f64| (side as usize).next_multiple_of(2).max(1);
        let longest = self.longest_edge_px;
        let (width, height) =
            if width >= height { (longest, even(longest as f64 / ratio)) } else { (even(longest as f64 * ratio), longest) };
        // Rounding up may have made the shorter side the longer one by a pixel, and that beyond the limit.
        let ratio = width as f64 / height as f64;
        if width >= height && width > MAX_SIDE_PX {
            (MAX_SIDE_PX, ((MAX_SIDE_PX as f64 / ratio) as usize).max(1))
        } else if height > width && height > MAX_SIDE_PX {
            (((MAX_SIDE_PX as f64 * ratio) as usize).max(1), MAX_SIDE_PX)
        } else {
            (width, height)
        }
    }

    /// Both sides as whole multiples of a tile, the longer one first and the shorter after it.
    fn whole_tiles(&self, width: usize, height: usize) -> (usize, usize) {
        let ratio = width as f64 / height as f64;
        let whole = |side: usize| side.div_ceil(self.tile_px) * self.tile_px;
        // A side of no pixels would be a picture of none; a tile is the least there is.
        if width >= height {
            let width = whole(width);
            (width, whole(((width as f64 / ratio) as usize).max(1)))
        } else {
            let height = whole(height);
            (whole(((height as f64 * ratio) as usize).max(1)), height)
        }
    }

    /// The tile whose upper left pixel is at `top` and `left`, as `[3, tile, tile]` values.
    fn pixels(&self, picture: &Picture, top: usize, left: usize) -> PixelValues {
        let side_px = self.tile_px;
        let mut values = Vec::with_capacity(3 * side_px * side_px);
        for channel in 0..3 {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let value = |byte: u8| ((f64::from(byte) * self.rescale) as f32 - mean) / std;
            // 256 values at most: computing them once is as exact, and quick.
            let table: Vec<f32> = (0..=255).map(value).collect();
            for row in picture.rgb.chunks_exact(3 * picture.width).skip(top).take(side_px) {
                let bytes = row.iter().skip(3 * left + channel).step_by(3).take(side_px);
                values.extend(bytes.map(|byte| table.get(usize::from(*byte)).copied().unwrap_or_default()));
            }
        }
        PixelValues { side_px, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn processor(longest: usize, tile: usize, splits: bool) -> ImageProcessor {
        let settings =
            json!({"size": {"longest_edge": longest}, "max_image_size": {"longest_edge": tile}, "do_image_splitting": splits});
        ImageProcessor::read("m", &settings).unwrap()
    }

    fn plain(width: usize, height: usize) -> Picture {
        Picture::new(width, height, [0, 51, 255].repeat(width * height)).unwrap()
    }

    #[test]
    fn a_picture_is_cut_into_rows_of_tiles_and_followed_by_the_whole() {
        // 100 x 50 becomes 128 x 64, four by two tiles of 32.
        let prepared = processor(128, 32, true).prepare(&plain(100, 50));
        assert_eq!((prepared.rows, prepared.cols, prepared.tiles.len()), (2, 4, 9));
        assert_eq!(prepared.tiles[5].area, Area { left: 0.25, top: 0.5, right: 0.5, bottom: 1.0 });
        assert_eq!(prepared.tiles[8].area, Area::WHOLE);
        for tile in &prepared.tiles {
            assert_eq!((tile.pixels.side_px(), tile.pixels.values().len()), (32, 3 * 32 * 32));
            let [red, green, blue] = [0, 1, 2].map(|channel| tile.pixels.values()[channel * 1024 + 77]);
            assert!((red + 1.0).abs() < 1e-6 && (green + 0.6).abs() < 1e-6 && (blue - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn one_tile_is_not_cut_whatever_its_picture() {
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (64, 64), (63, 65)] {
            for (processor, splits) in [(processor(64, 64, false), false), (processor(64, 64, true), true)] {
                let prepared = processor.prepare(&plain(width, height));
                assert_eq!((prepared.rows, prepared.cols, prepared.tiles.len()), (0, 0, 1), "{width} x {height}, {splits}");
            }
        }
    }

    #[test]
    fn the_shorter_side_is_even_and_at_least_one() {
        let processor = processor(64, 32, true);
        assert_eq!(processor.first_size(100, 50), (64, 32));
        assert_eq!(processor.first_size(64, 63), (64, 64));
        assert_eq!(processor.first_size(1000, 1), (64, 1));
        assert_eq!(processor.first_size(1, 1000), (1, 64));
        assert_eq!(processor.first_size(30, 41), (46, 64));
        assert_eq!(processor.whole_tiles(46, 64), (64, 64));
        assert_eq!(processor.whole_tiles(1, 64), (32, 64));
    }
}
