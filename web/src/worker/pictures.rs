//! The pictures that the page handed over, and what the loaded model saw in them.

use super::engine::Loaded;
use super::turn::turn;
use crate::messages::PictureReport;
use anyhow::{Context, Result, bail};
use atman::SeenImage;
use images::ImageProcessor;
use kernels::Executor;
use std::collections::HashMap;

/// Pictures by the numbers that the page gave them.
#[derive(Default)]
pub(super) struct Pictures {
    held: HashMap<u32, Held>,
}

struct Held {
    name: String,
    /// As the file has them.
    bytes: Vec<u8>,
    /// What the loaded model made of it, once it was asked about it.
    seen: Option<SeenImage>,
}

impl Pictures {
    /// Takes a picture in, unless it is none.
    pub(super) fn take(&mut self, id: u32, name: String, bytes: Vec<u8>) -> PictureReport {
        match images::decode(&bytes) {
            Ok(picture) => {
                let (width_px, height_px) = (picture.width(), picture.height());
                self.held.insert(id, Held { name, bytes, seen: None });
                PictureReport { id, width_px, height_px, problem: None }
            }
            Err(error) => PictureReport { id, width_px: 0, height_px: 0, problem: Some(error.to_string()) },
        }
    }

    /// Lets a picture go.
    pub(super) fn drop(&mut self, id: u32) {
        self.held.remove(&id);
    }

    /// Forgets what a model saw, since another takes its place.
    pub(super) fn forget_seen(&mut self) {
        self.held.values_mut().for_each(|held| held.seen = None);
    }

    /// The pictures of these numbers, as the model sees them; each is looked at once.
    pub(super) async fn see(&mut self, ids: &[u32], loaded: &Loaded, executor: &mut dyn Executor) -> Result<Vec<SeenImage>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let name = &loaded.opened.name;
        if loaded.model.config().vision.is_none() {
            bail!("{name} reads text only: it sees no pictures");
        }
        let settings = loaded.opened.checkpoint.image_processor();
        let settings = settings.with_context(|| {
            format!("{name} sees pictures, but preprocessor_config.json, which says how they are prepared, is missing")
        })?;
        let processor = ImageProcessor::read(name, settings)?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let held = self.held.get_mut(id).context("a picture of this question is gone: add it again")?;
            let seen = match &held.seen {
                Some(seen) => seen.clone(),
                None => {
                    turn().await;
                    SeenImage::see(&held.name, &held.bytes, &processor, &loaded.model, executor).await?
                }
            };
            held.seen = Some(seen.clone());
            all.push(seen);
        }
        Ok(all)
    }
}
