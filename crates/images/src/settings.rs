//! How a model wants its pictures: the settings of its image processor.

use crate::ImageError;
use serde_json::Value;

/// The names of the family's image processors.
const KINDS: [&str; 2] = ["Idefics3ImageProcessor", "SmolVLMImageProcessor"];
/// Pillow's number of the Lanczos filter.
const LANCZOS: u64 = 1;
/// The largest tile that is made.
const MAX_TILE_PX: u64 = 4096;
/// The most tiles in a row or column.
const MAX_TILES: usize = 16;

/// An image processor of the Idefics3 family.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProcessor {
    /// The longer side, in pixels, that a picture is first brought to.
    pub(crate) longest_edge_px: usize,
    /// The side of a tile.
    pub(crate) tile_px: usize,
    /// Whether pictures are cut into tiles; otherwise each is squeezed into one.
    pub(crate) splits: bool,
    /// What bytes are multiplied by.
    pub(crate) rescale: f64,
    /// Subtracted from each channel.
    pub(crate) mean: [f32; 3],
    /// What each channel is divided by.
    pub(crate) std: [f32; 3],
}

impl ImageProcessor {
    /// Reads the settings of a model's `preprocessor_config.json`; what is missing has the family's defaults. `model` is its
    /// name, for messages.
    ///
    /// # Errors
    /// When a setting makes no sense, or asks for what this does not do.
    pub fn read(model: &str, settings: &Value) -> Result<ImageProcessor, ImageError> {
        let reader = Reader { model, settings };
        let kind = settings["image_processor_type"].as_str().unwrap_or("Idefics3ImageProcessor");
        // SmolVLM's is the same under its own name. Endings say what it is written with.
        if !KINDS.iter().any(|known| kind.starts_with(known)) {
            return Err(reader.wrong("image_processor_type", kind, KINDS.join(" or ")));
        }
        if !reader.switch("do_resize")? {
            return Err(reader.wrong("do_resize", false, "true: pictures of other sizes than the model's cannot be taken"));
        }
        let resample = settings["resample"].as_u64().unwrap_or(LANCZOS);
        if resample != LANCZOS {
            return Err(reader.wrong("resample", resample, "1, Lanczos"));
        }
        let (rescales, normalises) = (reader.switch("do_rescale")?, reader.switch("do_normalize")?);
        let processor = ImageProcessor {
            longest_edge_px: reader.longest_edge("size", 4 * 364)?,
            tile_px: reader.longest_edge("max_image_size", 364)?,
            splits: reader.switch("do_image_splitting")?,
            rescale: if rescales { reader.number("rescale_factor", 1.0 / 255.0)? } else { 1.0 },
            mean: if normalises { reader.channels("image_mean")? } else { [0.0; 3] },
            std: if normalises { reader.channels("image_std")? } else { [1.0; 3] },
        };
        if let Some(zero) = processor.std.iter().find(|std| **std <= 0.0) {
            return Err(reader.wrong("image_std", zero, "positive numbers"));
        }
        let tiles = processor.longest_edge_px.div_ceil(processor.tile_px);
        if processor.splits && tiles > MAX_TILES {
            let expected = format!("at most {MAX_TILES} times max_image_size, {}", processor.tile_px);
            return Err(reader.wrong("size.longest_edge", processor.longest_edge_px, expected));
        }
        Ok(processor)
    }

    /// The side of a tile, in pixels.
    pub fn tile_px(&self) -> usize {
        self.tile_px
    }
}

struct Reader<'a> {
    model: &'a str,
    settings: &'a Value,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, found: impl ToString, expected: impl ToString) -> ImageError {
        ImageError::Setting {
            model: self.model.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// A switch, on where it is missing.
    fn switch(&self, key: &str) -> Result<bool, ImageError> {
        match &self.settings[key] {
            Value::Null => Ok(true),
            value => value.as_bool().ok_or_else(|| self.wrong(key, value, "true or false")),
        }
    }

    fn number(&self, key: &str, default: f64) -> Result<f64, ImageError> {
        match &self.settings[key] {
            Value::Null => Ok(default),
            value => value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| self.wrong(key, value, "a number")),
        }
    }

    fn longest_edge(&self, key: &str, default: usize) -> Result<usize, ImageError> {
        let size = &self.settings[key];
        if size.is_null() {
            return Ok(default);
        }
        let edge = size["longest_edge"].as_u64().filter(|edge| (1..=MAX_TILE_PX).contains(edge));
        let edge = edge.and_then(|edge| usize::try_from(edge).ok());
        edge.ok_or_else(|| self.wrong(key, size, format!("a longest_edge of 1 to {MAX_TILE_PX}")))
    }

    /// A number for each channel, or one for all.
    fn channels(&self, key: &str) -> Result<[f32; 3], ImageError> {
        let value = &self.settings[key];
        let finite = |value: &Value| value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
        let all = match value {
            Value::Null => Some([0.5; 3]),
            Value::Array(each) => each.iter().map(finite).collect::<Option<Vec<_>>>().and_then(|each| each.try_into().ok()),
            one => finite(one).map(|number| [number; 3]),
        };
        all.ok_or_else(|| self.wrong(key, value, "three numbers"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn missing_settings_have_the_familys_defaults() {
        let processor = ImageProcessor::read("m", &json!({})).unwrap();
        assert_eq!((processor.longest_edge_px, processor.tile_px, processor.splits), (1456, 364, true));
        assert_eq!((processor.rescale, processor.mean, processor.std), (1.0 / 255.0, [0.5; 3], [0.5; 3]));
        let off = json!({"do_rescale": false, "do_normalize": false, "do_image_splitting": false});
        let processor = ImageProcessor::read("m", &off).unwrap();
        assert_eq!((processor.rescale, processor.mean, processor.std, processor.splits), (1.0, [0.0; 3], [1.0; 3], false));
    }

    #[test]
    fn settings_that_cannot_be_followed_are_named() {
        for (settings, expected) in [
            (json!({"resample": 3}), "m: image processor setting resample is 3, expected 1, Lanczos"),
            (json!({"do_resize": false}), "do_resize is false"),
            (json!({"do_rescale": 1}), "do_rescale is 1, expected true or false"),
            (json!({"image_mean": [0.5, 0.5]}), "image_mean is [0.5,0.5], expected three numbers"),
            (json!({"image_std": [0.5, 0.0, 1.0]}), "image_std is 0, expected positive numbers"),
            (json!({"size": {"height": 4, "width": 4}}), "expected a longest_edge of 1 to 4096"),
            (json!({"max_image_size": {"longest_edge": 0}}), "max_image_size is {\"longest_edge\":0}"),
            (json!({"max_image_size": {"longest_edge": 8}}), "size.longest_edge is 1456, expected at most 16 times"),
            (json!({"image_processor_type": "CLIPImageProcessor"}), "expected Idefics3ImageProcessor or SmolVLMImageProcessor"),
        ] {
            let error = ImageProcessor::read("m", &settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
