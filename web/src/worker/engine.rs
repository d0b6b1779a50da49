//! A device, a model on it, and what is being done with it.

use super::Beside;
use super::device::{self, Device};
use super::explain::Explaining;
use super::generate::Writing;
use super::heap;
use super::library::OpenedModel;
use super::pictures::Pictures;
use super::speed::Speed;
use crate::messages::{DeviceChoice, Event, LoadPhase, Memory, ModelReport, Request};
use anyhow::{Context, Result, bail, ensure};
use model::{Inventory, Model, ModelConfig};

/// What the worker holds between requests.
#[derive(Default)]
pub(super) struct Engine {
    // Before the device: its memory must be given back first.
    pub(super) loaded: Option<Loaded>,
    pub(super) device: Option<Device>,
    choice: DeviceChoice,
    /// A model that was on the device and is at hand, to be placed there again before it is next used: its device was lost, or
    /// another model was to take its place.
    displaced: Option<(OpenedModel, ModelReport)>,
    pub(super) pictures: Pictures,
    /// The last explanation, done or stopped; it stays until another has begun.
    pub(super) explaining: Option<Explaining>,
    pub(super) writing: Option<Writing>,
    pub(super) speed: Speed,
    pub(super) under_way: UnderWay,
    /// The device is to be lost at the next step.
    #[cfg(feature = "parity")]
    pub(super) loses_device: bool,
}

/// A model on the device, and the files that it came from, should it have to be loaded again.
pub(super) struct Loaded {
    pub(super) opened: OpenedModel,
    pub(super) model: Model,
    /// What the page was told of it.
    report: ModelReport,
}

/// What it takes to run something.
pub(super) struct Ready<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) device: &'a mut Device,
    pub(super) pictures: &'a mut Pictures,
}

/// What is to be said if it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum UnderWay {
    /// That it was stopped: there is nothing of it yet.
    #[default]
    Other,
    /// How far the explanation came.
    Explaining,
    /// How far the text came.
    Writing,
}

impl Engine {
    /// Carries one request out. Events before the last go to `post`; the last is returned.
    pub(super) async fn carry_out(&mut self, id: u32, request: Request, beside: Beside, post: &dyn Fn(Event)) -> Result<Event> {
        self.under_way = UnderWay::Other;
        match request {
            Request::Start { device } => self.start(device, post).await,
            Request::TakePicture { id, name } => Ok(Event::Picture(self.pictures.take(id, name, beside.bytes))),
            Request::DropPicture { id } => {
                self.pictures.drop(id);
                Ok(Event::Dropped { id })
            }
            Request::Generate(asked) => self.generate(asked, post).await,
            Request::Plan { ask } => Ok(Event::Planned(self.plan(&ask, post).await)),
            Request::Explain(ask) => self.explain(id, ask, post).await,
            Request::Continue { of } => self.go_on(of, post).await,
            Request::Measure { of, span } => self.measure(of, span, post).await,
            // Heard where requests come in, as what needs no engine is carried out there.
            Request::Cancel { .. }
            | Request::Describe { .. }
            | Request::Load { .. }
            | Request::ListKept
            | Request::Forget { .. } => {
                bail!("this is nothing that the engine does")
            }
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
            Request::Trap => std::arch::wasm32::unreachable(),
            #[cfg(feature = "parity")]
            #[expect(clippy::panic, reason = "that is what it is for")]
            Request::Panic => panic!("a test asked for it"),
            #[cfg(feature = "parity")]
            Request::LoseDevice => {
                self.loses_device = true;
                Ok(Event::Cancelled)
            }
        }
    }

    /// What there is of a request that was stopped.
    pub(super) fn stopped(&self) -> Event {
        let partial = match self.under_way {
            UnderWay::Explaining => self.explained().ok(),
            UnderWay::Writing => self.writing.as_ref().map(|writing| Event::Generated(writing.stopped())),
            UnderWay::Other => None,
        };
        partial.unwrap_or(Event::Cancelled)
    }

    async fn start(&mut self, choice: DeviceChoice, post: &dyn Fn(Event)) -> Result<Event> {
        let had_model = self.displace();
        (self.displaced, self.device) = (None, None);
        if had_model {
            post(Event::Unloaded);
        }
        self.choice = choice;
        let (device, report) = device::choose(choice).await?;
        self.device = Some(device);
        Ok(Event::Device(report))
    }

    /// Places a model whose files are all here. Only now is the one before let go, and its files stay at hand until this one is
    /// there: see [`Engine::fall_back`].
    pub(super) async fn load(&mut self, id: u32, opened: OpenedModel, post: &dyn Fn(Event)) -> Result<Event> {
        self.under_way = UnderWay::Other;
        ensure!(self.device.is_some(), "no device has been chosen");
        if self.displace() {
            post(Event::Unloaded);
        }
        self.pictures.forget_seen();
        // Not measured before it is asked for: the first explanation is waited for, and tells.
        self.speed = Speed::default();
        let device = self.device.as_mut().context("no device has been chosen")?;
        let opened = OpenedModel { asked: id, ..opened };
        let model = place(&opened, device, self.choice, post).await?;
        let report = report(&opened, &model, device);
        self.displaced = None;
        self.loaded = Some(Loaded { opened, model, report: report.clone() });
        Ok(Event::Loaded(report))
    }

    /// Takes up the model that was there before one that was not loaded after all, where there was one: it is placed on the
    /// device again when it is used.
    pub(super) fn fall_back(&self) -> Option<ModelReport> {
        self.displaced.as_ref().map(|(_, report)| report.clone())
    }

    /// Makes everything anew after the device was lost.
    pub(super) async fn rebuild(&mut self, post: &dyn Fn(Event)) -> Result<()> {
        post(Event::Rebuilding);
        self.displace();
        self.device = None;
        self.replace(post).await
    }

    /// Takes the model from the device. Its files stay at hand.
    fn displace(&mut self) -> bool {
        if let Some(explaining) = &mut self.explaining {
            explaining.end();
        }
        if let Some(Loaded { opened, report, .. }) = self.loaded.take() {
            self.displaced = Some((opened, report));
        }
        self.displaced.is_some()
    }

    /// Places a displaced model on the device again, if there is one. Whoever stops this leaves it to the next who needs it.
    pub(super) async fn replace(&mut self, post: &dyn Fn(Event)) -> Result<()> {
        let Some((opened, _)) = &self.displaced else { return Ok(()) };
        let device = match &mut self.device {
            Some(device) => device,
            none => {
                let (device, report) = device::choose(self.choice).await?;
                post(Event::Device(report));
                none.insert(device)
            }
        };
        let model = place(opened, device, self.choice, post).await?;
        self.loaded = self.displaced.take().map(|(opened, report)| Loaded { opened, model, report });
        Ok(())
    }

    /// See [`OpenedModel::sha256`]: that of the model that is loaded.
    pub(super) fn model_sha256(&self) -> Option<&str> {
        let loaded = self.loaded.as_ref().map(|loaded| &loaded.opened);
        loaded.or(self.displaced.as_ref().map(|(opened, _)| opened)).map(|opened| opened.sha256.as_str())
    }

    /// What it takes to run something.
    pub(super) fn ready(&mut self) -> Result<Ready<'_>> {
        let loaded = self.loaded.as_ref().context("no model is loaded: choose one first")?;
        let device = self.device.as_mut().context("no device has been chosen")?;
        Ok(Ready { loaded, device, pictures: &mut self.pictures })
    }
}

/// What a model is that has been placed on the device.
fn report(opened: &OpenedModel, model: &Model, device: &mut Device) -> ModelReport {
    let config = model.config();
    let formats: Vec<String> = model.formats().iter().map(ToString::to_string).collect();
    let description = format!(
        "{} with {} layers of width {}, stored as {}",
        model.family().name,
        config.n_layers,
        config.d_model,
        formats.join(", ")
    );
    ModelReport {
        asked: opened.asked,
        name: opened.name.clone(),
        description,
        sha256: opened.sha256.clone(),
        file_bytes: opened.file_bytes,
        licence: opened.licence.clone(),
        device: device.executor().describe(),
        n_layers: config.n_layers,
        has_chat_template: opened.checkpoint.chat_template().is_some_and(|template| template.refused().is_none()),
        sees_pictures: config.vision.is_some(),
        max_positions: config.max_positions,
        notices: notices(opened),
        not_kept: opened.not_kept.clone(),
        memory: memory(device),
    }
}

/// What a person should know of the model's files, and what of them is left over.
fn notices(opened: &OpenedModel) -> Vec<String> {
    let of_files = opened.checkpoint.notices().iter().map(ToString::to_string);
    let left_over = Inventory::of(&opened.checkpoint).map(|inventory| inventory.to_string()).unwrap_or_default();
    of_files.chain((!left_over.is_empty()).then_some(left_over)).collect()
}

/// Places a model's weights on the device: the second half of loading.
async fn place(opened: &OpenedModel, device: &mut Device, choice: DeviceChoice, post: &dyn Fn(Event)) -> Result<Model> {
    // Before anything of it is believed, the device computes right what the model uses.
    let (config, _) = ModelConfig::read(opened.checkpoint.name(), opened.checkpoint.config())?;
    if let Some(report) = device.suit(&config.uses(&opened.checkpoint), choice).await? {
        post(Event::Device(report));
    }
    let file_bytes = opened.file_bytes;
    let mut progress = |progress: model::LoadProgress| {
        let placed = progress.loaded_bytes as f64 / progress.total_bytes.max(1) as f64;
        let done_bytes = file_bytes.saturating_add((placed * file_bytes as f64) as u64);
        post(Event::Progress { phase: LoadPhase::Placing, done_bytes, total_bytes: file_bytes.saturating_mul(2) });
    };
    Ok(Model::load(&opened.checkpoint, device.executor(), &mut progress).await?)
}

/// Bytes now in use.
pub(super) fn memory(device: &mut Device) -> Memory {
    let stats = device.executor().stats();
    Memory { weight_bytes: stats.weight_bytes, peak_buffer_bytes: stats.peak_bytes, heap_bytes: heap::high_water_bytes() }
}
