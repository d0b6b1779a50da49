//! A model on a device, ready to be asked.

use crate::built_in;
use crate::device;
use crate::fetch;
use crate::hashes;
use crate::name::{self, ModelName};
use crate::progress::Progress;
use crate::say;
use crate::store::Store;
use crate::text;
use anyhow::{Context, Result};
use gpu::Wish;
use images::ImageProcessor;
use kernels::Executor;
use model::{Inventory, LoadProgress, Model, ModelConfig};
use report::ModelInfo;
use std::path::{Path, PathBuf};
use std::time::Instant;
use weights::catalogue::{CatalogueEntry, DEFAULT};
use weights::{Checkpoint, ModelFiles};

/// A model's files, opened and not yet loaded.
pub(crate) struct Opened {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) config: ModelConfig,
    name: String,
    origin: Origin,
    /// Whether prompts go into its chat template unless the user says otherwise.
    prefers_chat: bool,
}

/// Where the files are.
enum Origin {
    /// In this program.
    BuiltIn(&'static CatalogueEntry),
    /// A file or a folder.
    Path(PathBuf),
}

/// The model that is named, or the default; one that is not here is fetched.
pub(crate) fn open(named: Option<&str>) -> Result<Opened> {
    let store = Store::from_environment()?;
    let meant = name::resolve(named, store.folder())?;
    let entry = if let ModelName::Catalogue(entry) = &meant { Some(*entry) } else { None };
    let (files, origin) = match entry.filter(|entry| entry.is_built_in()) {
        Some(entry) => (built_in::files(), Origin::BuiltIn(entry)),
        None => {
            let path = match store.locate(&meant) {
                Some(path) => path,
                None => fetch::model(&store, &meant)?,
            };
            (ModelFiles::from_path(&path)?, Origin::Path(path))
        }
    };
    let name = named.unwrap_or(DEFAULT.name).to_owned();
    let context = || format!("{name} cannot be used");
    let checkpoint = pollster::block_on(Checkpoint::open(files)).with_context(context)?;
    for notice in checkpoint.notices() {
        say::warn(format_args!("note: {notice}"));
    }
    let inventory = Inventory::of(&checkpoint).with_context(context)?;
    let left_over = inventory.to_string();
    if !left_over.is_empty() {
        say::note(format_args!("note: {left_over}"));
    }
    let config = inventory.config;
    Ok(Opened { checkpoint, config, name, origin, prefers_chat: entry.is_some_and(|entry| entry.chat) })
}

impl Opened {
    /// Which model it is. The first time it reads all of its files.
    pub(crate) fn info(&self, model: &Model) -> Result<ModelInfo> {
        let name = match &self.origin {
            Origin::BuiltIn(entry) => entry.name.to_owned(),
            // Not the path, which says who lives on this machine.
            Origin::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        };
        let formats = model.formats().iter().map(ToString::to_string).collect();
        Ok(ModelInfo { name, sha256: Some(self.sha256()?), formats })
    }

    /// Tells the model from others. Reads all of its files.
    pub(crate) fn sha256(&self) -> Result<String> {
        match &self.origin {
            Origin::BuiltIn(entry) => Ok(entry.sha256()),
            Origin::Path(path) => sha256(path),
        }
    }

    /// As the user names it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How pictures are prepared for it.
    pub(crate) fn image_processor(&self) -> Result<ImageProcessor> {
        let settings = self.checkpoint.image_processor();
        let settings = settings.with_context(|| {
            let name = &self.name;
            format!("{name} does not say how its pictures are prepared: preprocessor_config.json is missing beside its weights")
        })?;
        Ok(ImageProcessor::read(&self.name, settings)?)
    }

    /// Whether a prompt goes into the chat template, if the user does not say.
    pub(crate) fn prefers_chat(&self) -> bool {
        self.prefers_chat
    }
}

/// SHA-256 of a file; of a folder, of the model's files in it.
fn sha256(path: &Path) -> Result<String> {
    if path.is_file() {
        return hashes::sha256(path);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("cannot list {}", path.display()))?;
    let is_part = |kind: &std::ffi::OsStr| kind == "gguf" || kind == "safetensors" || kind == "json";
    files.retain(|file| file.is_file() && file.extension().is_some_and(is_part));
    let named = |file: PathBuf| Ok((file.file_name().unwrap_or_default().to_string_lossy().into_owned(), hashes::sha256(&file)?));
    Ok(weights::model_sha256(files.into_iter().map(named).collect::<Result<_>>()?))
}

/// A model whose weights a device holds.
pub(crate) struct Engine<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) model: Model,
    pub(crate) executor: Box<dyn Executor>,
    wish: Wish,
}

impl<'a> Engine<'a> {
    /// Chooses a device, loads the weights, and says so on stderr.
    pub(crate) async fn load(opened: &'a Opened, wish: Wish) -> Result<Self> {
        let device = device::open(wish, &opened.config.uses(&opened.checkpoint)).await?;
        say::note(format_args!("device: {}", device.reason));
        let mut executor = device.executor;
        let model = load(&opened.checkpoint, executor.as_mut()).await?;
        Ok(Self { opened, model, executor, wish })
    }

    /// Makes everything anew after the device was lost.
    pub(crate) async fn reload(&mut self) -> Result<()> {
        say::warn(format_args!("the device was lost; it is opened again, and the work goes on where it was"));
        *self = Self::load(self.opened, self.wish).await?;
        Ok(())
    }
}

async fn load(checkpoint: &Checkpoint, executor: &mut dyn Executor) -> Result<Model> {
    let started = Instant::now();
    let mut progress = None;
    let mut tell = |report: LoadProgress| {
        let progress = progress.get_or_insert_with(|| Progress::only_in_terminal("loading", report.total_bytes));
        progress.set(report.loaded_bytes);
    };
    let model = Model::load(checkpoint, executor, &mut tell).await?;
    drop(progress);
    let formats: Vec<String> = model.formats().iter().map(ToString::to_string).collect();
    let held = text::bytes(executor.stats().weight_bytes);
    let took = started.elapsed().as_secs_f64();
    say::note(format_args!("model: {}, {} ({held} of weights, loaded in {took:.1} s)", model.name(), formats.join(", ")));
    Ok(model)
}
