//! A device, a model on it, and what is being done with it.

use super::Beside;
use super::device::{self, Device};
use super::explain::Explaining;
use super::generate::Writing;
use super::heap;
use super::library::{Library, OpenedModel};
use super::pictures::Pictures;
use super::speed::Speed;
use crate::messages::{DeviceChoice, Event, LoadPhase, Memory, ModelFrom, ModelReport, Request};
use anyhow::{Context, Result};
use atman::Prompt;
use model::Model;
use web_sys::File;

/// What the worker holds between requests.
#[derive(Default)]
pub(super) struct Engine {
    // Before the device: its memory must be given back first.
    pub(super) loaded: Option<Loaded>,
    pub(super) device: Option<Device>,
    choice: DeviceChoice,
    library: Library,
    pub(super) pictures: Pictures,
    /// The last explanation, done or stopped.
    pub(super) explaining: Option<Explaining>,
    pub(super) writing: Option<Writing>,
    pub(super) speed: Speed,
    under_way: UnderWay,
    /// The device is to be lost at the next step.
    #[cfg(feature = "parity")]
    pub(super) loses_device: bool,
}

/// A model on the device, and the files that it came from, should it have to be loaded again.
pub(super) struct Loaded {
    pub(super) opened: OpenedModel,
    pub(super) model: Model,
}

/// What it takes to run something.
pub(super) struct Ready<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) device: &'a mut Device,
    pub(super) pictures: &'a mut Pictures,
}

/// What is to be said if it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnderWay {
    /// That it was stopped.
    #[default]
    Other,
    /// How far the explanation came.
    Explaining,
    /// How far the text came.
    Writing,
}

impl Engine {
    /// Carries one request out. Events before the last go to `post`; the last is returned.
    pub(super) async fn carry_out(&mut self, request: Request, beside: Beside, post: &dyn Fn(&Event)) -> Result<Event> {
        let Beside { files, bytes } = beside;
        self.under_way = match &request {
            Request::Explain(_) | Request::Continue | Request::Measure => UnderWay::Explaining,
            Request::Generate(_) => UnderWay::Writing,
            _ => UnderWay::Other,
        };
        match request {
            Request::Start { device } => self.start(device).await,
            Request::Describe { from } => self.library.describe(from, files).await.map(Event::Described),
            Request::Load { from } => self.load(from, files, post).await.map(Event::Loaded),
            Request::ListKept => Ok(Event::Kept(self.library.kept().await)),
            Request::Forget { id } => self.library.forget(&id).await.map(Event::Kept),
            Request::TakePicture { id, name } => Ok(Event::Picture(self.pictures.take(id, name, bytes))),
            Request::DropPicture { id } => {
                self.pictures.drop(id);
                Ok(Event::Dropped { id })
            }
            Request::Generate(asked) => self.generate(asked, post).await,
            Request::Plan { number, ask } => Ok(Event::Planned(self.plan(number, &ask).await)),
            Request::Explain(ask) => self.explain(ask, post).await,
            Request::Continue => self.go_on(post).await,
            Request::Measure => self.measure(post).await,
            Request::Cancel => Ok(Event::Cancelled),
            #[cfg(feature = "parity")]
            Request::Parity { golden } => {
                let loaded = self.loaded.as_ref().context("no model is loaded")?;
                let device = self.device.as_mut().context("no device has been chosen")?;
                super::parity::run(&golden, &loaded.model, device).await.map(Event::Parity)
            }
            #[cfg(feature = "parity")]
            Request::Shipped { golden } => {
                let loaded = self.loaded.as_ref().context("no model is loaded")?;
                let device = self.device.as_mut().context("no device has been chosen")?;
                let differences = super::parity::shipped(&golden, loaded, device).await?;
                Ok(Event::Shipped { differences })
            }
            #[cfg(feature = "parity")]
            Request::LoseDevice => {
                self.loses_device = true;
                Ok(Event::Cancelled)
            }
        }
    }

    /// What there is of a request that was stopped.
    pub(super) fn stopped(&mut self) -> Event {
        let partial = match self.under_way {
            UnderWay::Explaining => self.explained().ok(),
            UnderWay::Writing => self.writing.as_ref().map(|writing| Event::Generated(writing.stopped())),
            UnderWay::Other => None,
        };
        partial.unwrap_or(Event::Cancelled)
    }

    async fn start(&mut self, choice: DeviceChoice) -> Result<Event> {
        (self.loaded, self.explaining, self.writing) = (None, None, None);
        self.device = None;
        self.choice = choice;
        let (device, report) = device::choose(choice).await?;
        self.device = Some(device);
        Ok(Event::Device(report))
    }

    async fn load(&mut self, from: ModelFrom, files: Vec<File>, post: &dyn Fn(&Event)) -> Result<ModelReport> {
        (self.loaded, self.explaining, self.writing) = (None, None, None);
        self.pictures.forget_seen();
        let device = self.device.as_mut().context("no device has been chosen")?;
        // As many bytes again are to be placed on the device: the bar goes on where fetching ends.
        let mut progress = |phase, done_bytes: u64, total_bytes: u64| {
            post(&Event::Progress { phase, done_bytes, total_bytes: total_bytes.saturating_mul(2) });
        };
        let opened = self.library.open(from, files, &mut progress).await?;
        let model = place(&opened, device, post).await?;
        let config = model.config();
        let formats: Vec<String> = model.formats().iter().map(ToString::to_string).collect();
        let description = format!(
            "{} with {} layers of width {}, stored as {}",
            model.family().name,
            config.n_layers,
            config.d_model,
            formats.join(", ")
        );
        // Not measured before it is asked for: the first explanation is waited for, and tells.
        self.speed = Speed::default();
        let report = ModelReport {
            name: opened.name.clone(),
            description,
            n_layers: config.n_layers,
            has_chat_template: opened.checkpoint.chat_template().is_some(),
            answers_after_space: ends_bare(&opened),
            sees_pictures: config.vision.is_some(),
            max_positions: config.max_positions,
            not_kept: opened.not_kept.clone(),
            memory: memory(device),
        };
        self.loaded = Some(Loaded { opened, model });
        Ok(report)
    }

    /// Makes everything anew after the device was lost.
    pub(super) async fn rebuild(&mut self, post: &dyn Fn(&Event)) -> Result<()> {
        post(&Event::Rebuilding);
        let Some(Loaded { opened, .. }) = self.loaded.take() else { return Ok(()) };
        self.device = None;
        let (mut device, report) = device::choose(self.choice).await?;
        post(&Event::Device(report));
        let model = place(&opened, &mut device, post).await?;
        self.device = Some(device);
        self.loaded = Some(Loaded { opened, model });
        Ok(())
    }

    /// What it takes to run something.
    pub(super) fn ready(&mut self) -> Result<Ready<'_>> {
        let loaded = self.loaded.as_ref().context("no model is loaded: choose one first")?;
        let device = self.device.as_mut().context("no device has been chosen")?;
        Ok(Ready { loaded, device, pictures: &mut self.pictures })
    }
}

/// Whether the chat template ends with a word or a mark, so that what comes after begins with a space.
fn ends_bare(opened: &OpenedModel) -> bool {
    let prompt = Prompt::chat("?", None, 0, &opened.checkpoint);
    prompt.is_ok_and(|prompt| prompt.text.ends_with(|last: char| !last.is_whitespace() && last != '>'))
}

/// Places a model's weights on the device: the second half of loading.
async fn place(opened: &OpenedModel, device: &mut Device, post: &dyn Fn(&Event)) -> Result<Model> {
    let file_bytes = opened.file_bytes;
    let mut progress = |progress: model::LoadProgress| {
        let placed = progress.loaded_bytes as f64 / progress.total_bytes.max(1) as f64;
        let done_bytes = file_bytes.saturating_add((placed * file_bytes as f64) as u64);
        post(&Event::Progress { phase: LoadPhase::Placing, done_bytes, total_bytes: file_bytes.saturating_mul(2) });
    };
    Ok(Model::load(&opened.checkpoint, device.executor(), &mut progress).await?)
}

/// Bytes now in use.
pub(super) fn memory(device: &mut Device) -> Memory {
    let stats = device.executor().stats();
    Memory { weight_bytes: stats.weight_bytes, peak_buffer_bytes: stats.peak_bytes, heap_bytes: heap::high_water_bytes() }
}
