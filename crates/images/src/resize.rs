//! Resizing by Lanczos' filter, in the integers of Pillow's `Image.resize` (13), so that it gives the same bytes.

use crate::Picture;
use std::borrow::Cow;
use std::f64::consts::PI;

/// Half the width of the filter where a picture is enlarged.
const SUPPORT: f64 = 3.0;
/// Bits of a coefficient after its point: with 8 of a value, and 2 for coefficients that are negative or sum to more than 1 on
/// one side, sums fit in 32.
const PRECISION_BITS: u32 = 22;

/// What a pixel of the result is made of: source pixels from `first` on, each with its coefficient.
struct Window {
    first: usize,
    coefficients: Vec<i32>,
}

/// The picture at another size. `width` and `height` are at least 1.
///
/// Bytes are rounded after each of the two passes, so that their order can be seen: Pillow 13 begins with the height where it
/// falls by more than twice what the width falls by, and otherwise with the width, as older ones always do.
pub(crate) fn resize(picture: &Picture, width: usize, height: usize) -> Picture {
    let falls_by = |from: usize, to: usize| from as i64 - to as i64;
    let (narrower, lower) = (falls_by(picture.width, width), falls_by(picture.height, height));
    if lower > 0 && lower > 2 * narrower {
        return wide(low(Cow::Borrowed(picture), height), width).into_owned();
    }
    low(wide(Cow::Borrowed(picture), width), height).into_owned()
}

fn wide(picture: Cow<'_, Picture>, width: usize) -> Cow<'_, Picture> {
    if width == picture.width { picture } else { Cow::Owned(horizontally(&picture, width)) }
}

fn low(picture: Cow<'_, Picture>, height: usize) -> Cow<'_, Picture> {
    if height == picture.height { picture } else { Cow::Owned(vertically(&picture, height)) }
}

fn horizontally(picture: &Picture, width: usize) -> Picture {
    let windows = windows(picture.width, width);
    let mut rgb = Vec::with_capacity(3 * width * picture.height);
    for row in picture.rgb.chunks_exact(3 * picture.width) {
        let (pixels, _) = row.as_chunks::<3>();
        for window in &windows {
            let mut sums = [HALF; 3];
            for (pixel, coefficient) in pixels.iter().skip(window.first).zip(&window.coefficients) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*coefficient));
                }
            }
            rgb.extend(sums.map(byte));
        }
    }
    Picture { width, height: picture.height, rgb }
}

fn vertically(picture: &Picture, height: usize) -> Picture {
    let row_bytes = 3 * picture.width;
    let mut rgb = Vec::with_capacity(row_bytes * height);
    let mut sums = vec![HALF; row_bytes];
    for window in windows(picture.height, height) {
        sums.fill(HALF);
        let rows = picture.rgb.chunks_exact(row_bytes).skip(window.first);
        for (row, coefficient) in rows.zip(&window.coefficients) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*coefficient));
            }
        }
        rgb.extend(sums.iter().copied().map(byte));
    }
    Picture { width: picture.width, height, rgb }
}

/// One half, for rounding.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

fn byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// The windows of all `to` pixels along a side of `from` pixels.
fn windows(from: usize, to: usize) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    // Where a picture is made smaller the filter is as wide as a pixel of the result.
    let stretch = scale.max(1.0);
    let support = SUPPORT * stretch;
    let window = |i: usize| {
        let center = (i as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end).map(|x| lanczos((x as f64 - center + 0.5) / stretch)).collect();
        let total: f64 = weights.iter().sum();
        let fixed = |weight: &f64| {
            let normed = if total == 0.0 { *weight } else { weight / total };
            (normed * f64::from(1u32 << PRECISION_BITS)).round() as i32
        };
        Window { first, coefficients: weights.iter().map(fixed).collect() }
    };
    (0..to).map(window).collect()
}

/// `sinc(x) sinc(x / 3)` within its support (Duchon 1979).
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if (-SUPPORT..SUPPORT).contains(&x) { sinc(x) * sinc(x / SUPPORT) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_sum_to_one_and_windows_lie_within() {
        for (from, to) in [(1, 7), (7, 1), (64, 64), (640, 64), (10, 333), (333, 10)] {
            for window in windows(from, to) {
                let sum: i32 = window.coefficients.iter().sum();
                assert!((sum - (1 << PRECISION_BITS)).abs() <= window.coefficients.len() as i32, "{from} to {to}: {sum}");
                assert!(!window.coefficients.is_empty() && window.first + window.coefficients.len() <= from);
            }
        }
    }

    #[test]
    fn a_plain_picture_stays_plain_at_any_size() {
        let plain = Picture::new(5, 3, [9, 200, 255].repeat(15)).unwrap();
        for (width, height) in [(1, 1), (64, 64), (2, 90), (5, 4)] {
            let resized = resize(&plain, width, height);
            assert_eq!(resized, Picture::new(width, height, [9, 200, 255].repeat(width * height)).unwrap());
        }
        assert_eq!(resize(&plain, 5, 3), plain);
    }
}
