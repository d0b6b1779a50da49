//! What can be wrong with a picture or with what is asked for it.

/// Errors of reading and preparing pictures.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// None of the formats that are read.
    #[error("this is not a picture in one of the formats PNG, JPEG and WebP")]
    Format,
    /// A file of a known format that does not decode.
    #[error("the picture cannot be read: {reason}")]
    Damaged {
        /// What the decoder found.
        reason: String,
    },
    /// More pixels than are read.
    #[error("the picture has {width} x {height} pixels; the most that is read is {} million", limit / 1_000_000)]
    TooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The most pixels that are read.
        limit: u64,
    },
    /// A setting of the model's image processor that is missing, makes no sense, or is not supported.
    #[error("{model}: image processor setting {key} is {found}, expected {expected}")]
    Setting {
        /// The model's name.
        model: String,
        /// Which setting.
        key: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
}
