//! A device, and the model on it.

use super::device::{self, Device};
use super::heap;
use super::source::{HttpSource, PickedFile};
use crate::messages::{Event, Memory, ModelFrom, ModelReport, Request};
use anyhow::{Context, Result, ensure};
use model::Model;
use web_sys::{File, Url};
use weights::{ByteSource, Checkpoint, ModelFiles};

/// What the worker holds between requests.
#[derive(Default)]
pub(super) struct Engine {
    // Before the device: its memory must be given back first.
    model: Option<Model>,
    device: Option<Device>,
}

impl Engine {
    /// Carries one request out. Events before the last go to `post`; the last is returned.
    pub(super) async fn carry_out(&mut self, request: Request, files: Vec<File>, post: &dyn Fn(&Event)) -> Result<Event> {
        match request {
            Request::Start { device } => {
                self.model = None;
                self.device = None;
                let (device, report) = device::choose(device).await?;
                self.device = Some(device);
                Ok(Event::Device(report))
            }
            Request::Load { from } => self.load(from, files, post).await.map(Event::Loaded),
            Request::Cancel => Ok(Event::Cancelled),
            #[cfg(feature = "parity")]
            Request::Parity { golden } => {
                let model = self.model.as_ref().context("no model is loaded")?;
                let device = self.device.as_mut().context("no device has been chosen")?;
                super::parity::run(&golden, model, device).await.map(Event::Parity)
            }
        }
    }

    async fn load(&mut self, from: ModelFrom, files: Vec<File>, post: &dyn Fn(&Event)) -> Result<ModelReport> {
        self.model = None;
        let device = self.device.as_mut().context("no device has been chosen")?;
        let checkpoint = Checkpoint::open(ModelFiles::new(sources(from, files).await?)).await?;
        let mut progress = |progress: model::LoadProgress| {
            post(&Event::Progress { loaded_bytes: progress.loaded_bytes, total_bytes: progress.total_bytes });
        };
        let model = Model::load(&checkpoint, device.executor(), &mut progress).await?;
        let config = model.config();
        let formats: Vec<String> = model.formats().iter().map(ToString::to_string).collect();
        let description = format!(
            "{} with {} layers of width {}, stored as {}",
            model.family().name,
            config.n_layers,
            config.d_model,
            formats.join(", ")
        );
        let report = ModelReport { name: model.name().to_owned(), description, memory: memory(device) };
        self.model = Some(model);
        Ok(report)
    }
}

/// Bytes now in use.
pub(super) fn memory(device: &mut Device) -> Memory {
    let stats = device.executor().stats();
    Memory { weight_bytes: stats.weight_bytes, peak_buffer_bytes: stats.peak_bytes, heap_bytes: heap::high_water_bytes() }
}

/// A model's files by name.
async fn sources(from: ModelFrom, files: Vec<File>) -> Result<Vec<(String, Box<dyn ByteSource>)>> {
    let mut sources: Vec<Box<dyn ByteSource>> = Vec::new();
    match from {
        ModelFrom::Picked => {
            ensure!(!files.is_empty(), "no file was picked");
            sources.extend(files.into_iter().map(|file| Box::new(PickedFile::new(file)) as Box<dyn ByteSource>));
        }
        ModelFrom::Web { base, urls } => {
            for url in urls {
                let absolute = Url::new_with_base(&url, &base).ok().with_context(|| format!("`{url}` is no address"))?;
                sources.push(Box::new(HttpSource::open(&absolute.href()).await?));
            }
        }
    }
    Ok(sources.into_iter().map(|source| (source.name().to_owned(), source)).collect())
}
