//! `--region X,Y,W,H[=FACTOR]`: from a rectangle of a picture to a factor for each of its positions.

use crate::args::usage_error;
use anyhow::{Result, bail};
use atman::{PixelRect, SeenImage, Text, positions_of_region};
use std::str::FromStr;

const EXPECTED: &str = "expected X,Y,W,H or X,Y,W,H=FACTOR in pixels of the picture, such as 8,8,16,16=0.1; with several pictures \
                        2:X,Y,W,H for the second";

/// A rectangle of a picture, and the factor on the attention that it gets, where one was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region {
    /// Which picture, from 0 on, if that was said.
    image: Option<usize>,
    rect: PixelRect,
    factor: Option<f32>,
}

impl FromStr for Region {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let (place, factor) = given.rsplit_once('=').map_or((given, None), |(place, factor)| (place, Some(factor)));
        let number = |text: &str| {
            let number = text.trim().parse().ok().filter(|number: &f32| number.is_finite());
            number.ok_or_else(|| format!("`{text}` is not a number; {EXPECTED}"))
        };
        let factor = factor.map(number).transpose()?;
        if let Some(factor) = factor.filter(|factor| *factor < 0.0) {
            return Err(format!("the factor is {factor}, but must be 0 or more"));
        }
        let (image, rect) = match place.split_once(':') {
            Some((image, rect)) => {
                let image = image.trim().parse().ok().and_then(|number: usize| number.checked_sub(1));
                (Some(image.ok_or_else(|| format!("pictures are counted from 1; {EXPECTED}"))?), rect)
            }
            None => (None, place),
        };
        let numbers: Vec<f32> = rect.split(',').map(number).collect::<Result<_, _>>()?;
        let [left_px, top_px, width_px, height_px] = numbers[..] else { return Err(EXPECTED.to_owned()) };
        if width_px <= 0.0 || height_px <= 0.0 {
            return Err(format!("the region is {width_px} x {height_px} pixels, and so holds nothing; {EXPECTED}"));
        }
        let rect = PixelRect { left_px, top_px, right_px: left_px + width_px, bottom_px: top_px + height_px };
        Ok(Self { image, rect, factor })
    }
}

impl Region {
    /// Which of so many pictures is meant.
    fn image_of(&self, n_images: usize) -> Result<usize> {
        let image = match (self.image, n_images) {
            (Some(image), _) => image,
            (None, 0 | 1) => 0,
            (None, _) => {
                return Err(usage_error(format!(
                    "there are {n_images} pictures; say which one a region is of: 2:X,Y,W,H=FACTOR"
                )));
            }
        };
        if image >= n_images {
            return Err(usage_error(format!("a region of picture {} is given, but there are {n_images}", image + 1)));
        }
        Ok(image)
    }
}

/// Makes sure that every region is of one of the pictures, before anything is computed.
pub(crate) fn check(regions: &[Region], n_images: usize) -> Result<()> {
    regions.iter().try_for_each(|region| region.image_of(n_images).map(drop))
}

/// Puts the factors of regions over those of the prompt's tokens. Of several a position gets the smallest; a region without a
/// factor has `usual_factor`.
pub(crate) fn put(regions: &[Region], prompt: &Text, images: &[SeenImage], usual_factor: f32, factors: &mut [f32]) -> Result<()> {
    let mut is_given = vec![false; factors.len()];
    for region in regions {
        let factor_of_region = region.factor.unwrap_or(usual_factor);
        let image = region.image_of(images.len())?;
        let positions = positions_of_region(prompt, images, image, region.rect);
        if positions.is_empty() {
            let PixelRect { left_px, top_px, right_px, bottom_px } = region.rect;
            let (width_px, height_px) = images.get(image).map_or((0, 0), |seen| (seen.info.width_px, seen.info.height_px));
            bail!(
                "no part of picture {} that the model tells apart lies mostly within {left_px},{top_px},{},{}; the picture has \
                 {width_px} x {height_px} pixels",
                image + 1,
                right_px - left_px,
                bottom_px - top_px
            );
        }
        for position in positions {
            if let (Some(factor), Some(is_given)) = (factors.get_mut(position), is_given.get_mut(position)) {
                *factor = if *is_given { factor.min(factor_of_region) } else { factor_of_region };
                *is_given = true;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region's picture, edges and factor.
    type Parsed = (Option<usize>, [f32; 4], Option<f32>);

    fn parsed(given: &str) -> Result<Parsed, String> {
        let Region { image, rect, factor } = given.parse()?;
        Ok((image, [rect.left_px, rect.top_px, rect.right_px, rect.bottom_px], factor))
    }

    #[test]
    fn a_region_names_a_picture_a_rectangle_and_a_factor() {
        assert_eq!(parsed("8,16,24,32"), Ok((None, [8.0, 16.0, 32.0, 48.0], None)));
        assert_eq!(parsed("0, 0, 4.5, 4 = 0.1"), Ok((None, [0.0, 0.0, 4.5, 4.0], Some(0.1))));
        assert_eq!(parsed("2:8,16,24,32=1.5"), Ok((Some(1), [8.0, 16.0, 32.0, 48.0], Some(1.5))));
        for (given, reason) in [
            ("", "not a number"),
            ("1,2,3", "expected X,Y,W,H"),
            ("1,2,3,4,5", "expected X,Y,W,H"),
            ("1,2,0,4", "holds nothing"),
            ("1,2,3,-4", "holds nothing"),
            ("1,2,3,x", "`x` is not a number"),
            ("1,2,3,inf", "not a number"),
            ("1,2,3,4=", "not a number"),
            ("1,2,3,4=-1", "0 or more"),
            ("0:1,2,3,4", "counted from 1"),
            ("one:1,2,3,4", "counted from 1"),
        ] {
            assert!(parsed(given).is_err_and(|error| error.contains(reason)), "{given}: {:?}", parsed(given));
        }
    }

    #[test]
    fn a_region_is_of_one_of_the_pictures() {
        let of = |given: &str, n_images| given.parse::<Region>().unwrap().image_of(n_images);
        assert_eq!(of("1,2,3,4", 1).unwrap(), 0);
        assert_eq!(of("2:1,2,3,4", 2).unwrap(), 1);
        assert!(of("1,2,3,4", 2).unwrap_err().to_string().contains("say which one"));
        assert!(of("3:1,2,3,4", 2).unwrap_err().to_string().contains("picture 3 is given, but there are 2"));
    }
}
