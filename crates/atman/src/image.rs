//! Pictures of a prompt, as an explanation names them.

use crate::AtmanError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A picture of the prompt. Its pixels are not kept: whoever shows an explanation brings them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// What it is called, such as its file's name.
    pub name: String,
    /// As decoded.
    pub width_px: u32,
    /// As decoded.
    pub height_px: u32,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A rectangle in a picture, in pixels of the picture as decoded, from its upper left corner; borders may lie within pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PixelRect {
    /// First column.
    pub left_px: f32,
    /// First row.
    pub top_px: f32,
    /// One past the last column.
    pub right_px: f32,
    /// One past the last row.
    pub bottom_px: f32,
}

impl PixelRect {
    /// The pixels that two have in common.
    pub(crate) fn overlap(&self, other: &PixelRect) -> f32 {
        let width = self.right_px.min(other.right_px) - self.left_px.max(other.left_px);
        let height = self.bottom_px.min(other.bottom_px) - self.top_px.max(other.top_px);
        width.max(0.0) * height.max(0.0)
    }
}

/// The part of a picture that a unit stands for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImagePart {
    /// Which of the prompt's pictures, from 0 on.
    pub image: usize,
    /// Where in it. One rectangle, or several where positions were given that do not make one.
    pub rects: Vec<PixelRect>,
}

/// How large units of a picture are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ImageGranularity {
    /// What one position of the model's view of the whole picture shows.
    #[default]
    Patch,
    /// Two by two patches.
    Blocks2,
    /// Four by four patches.
    Blocks4,
    /// The whole picture.
    Whole,
}

impl ImageGranularity {
    /// All of them, the finest first.
    pub const STEPS: [ImageGranularity; 4] =
        [ImageGranularity::Patch, ImageGranularity::Blocks2, ImageGranularity::Blocks4, ImageGranularity::Whole];

    /// The next finer one; `None` for patches.
    pub fn finer(self) -> Option<ImageGranularity> {
        match self {
            ImageGranularity::Whole => Some(ImageGranularity::Blocks4),
            ImageGranularity::Blocks4 => Some(ImageGranularity::Blocks2),
            ImageGranularity::Blocks2 => Some(ImageGranularity::Patch),
            ImageGranularity::Patch => None,
        }
    }

    /// Patches along each side of a unit; `None` for all of them.
    pub fn patches_per_side(self) -> Option<usize> {
        match self {
            ImageGranularity::Patch => Some(1),
            ImageGranularity::Blocks2 => Some(2),
            ImageGranularity::Blocks4 => Some(4),
            ImageGranularity::Whole => None,
        }
    }
}

impl fmt::Display for ImageGranularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ImageGranularity::Patch => "patch",
            ImageGranularity::Blocks2 => "2x2",
            ImageGranularity::Blocks4 => "4x4",
            ImageGranularity::Whole => "image",
        })
    }
}

impl FromStr for ImageGranularity {
    type Err = AtmanError;

    fn from_str(given: &str) -> Result<ImageGranularity, AtmanError> {
        ImageGranularity::STEPS.into_iter().find(|step| step.to_string() == given).ok_or_else(|| AtmanError::Setting {
            setting: "image granularity",
            found: given.to_owned(),
            expected: "patch, 2x2, 4x4 or image".to_owned(),
        })
    }
}

impl From<ImageGranularity> for String {
    fn from(granularity: ImageGranularity) -> String {
        granularity.to_string()
    }
}

impl TryFrom<String> for ImageGranularity {
    type Error = AtmanError;

    fn try_from(given: String) -> Result<ImageGranularity, AtmanError> {
        given.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granularities_read_as_they_are_written() {
        for step in ImageGranularity::STEPS {
            assert_eq!(step.to_string().parse::<ImageGranularity>().unwrap(), step);
        }
        let error = "3x3".parse::<ImageGranularity>().unwrap_err().to_string();
        assert_eq!(error, "image granularity is 3x3, expected patch, 2x2, 4x4 or image");
    }
}
