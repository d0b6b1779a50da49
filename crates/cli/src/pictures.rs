//! Pictures of a prompt: from files to what the model sees.

use crate::engine::{Engine, Opened};
use crate::fetch::sha256_of;
use anyhow::{Context, Result, bail};
use atman::SeenImage;
use report::PictureFile;
use std::path::{Path, PathBuf};
use weights::catalogue::DEFAULT;

/// A picture's file.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Its name without folders, which say who lives on this machine.
    name: String,
    bytes: Vec<u8>,
}

impl Picture {
    /// Reads a file, and makes sure that it is a picture.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the picture {}", path.display()))?;
        images::decode(&bytes).with_context(|| path.display().to_string())?;
        Ok(Self { name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes })
    }

    /// Tells its file from others.
    pub(crate) fn sha256(&self) -> String {
        sha256_of(&self.bytes)
    }

    /// For the reports that show it.
    pub(crate) fn into_file(self) -> PictureFile {
        PictureFile { bytes: self.bytes }
    }
}

/// Reads files that are pictures.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Picture>> {
    paths.iter().map(|path| Picture::read(path)).collect()
}

/// Makes sure that the model can be shown pictures. `argument` is how these were given.
pub(crate) fn check(opened: &Opened, argument: &str) -> Result<()> {
    if opened.config.vision.is_none() {
        bail!("{} reads text only; leave out {argument}, or use --model {}", opened.name(), DEFAULT.name);
    }
    opened.image_processor().map(drop)
}

/// Takes pictures through the model's vision tower.
pub(crate) async fn see(pictures: &[Picture], engine: &mut Engine<'_>) -> Result<Vec<SeenImage>> {
    let mut seen = Vec::with_capacity(pictures.len());
    if pictures.is_empty() {
        return Ok(seen);
    }
    let processor = engine.opened.image_processor()?;
    for Picture { name, bytes } in pictures {
        seen.push(SeenImage::see(name, bytes, &processor, &engine.model, engine.executor.as_mut()).await?);
    }
    Ok(seen)
}
