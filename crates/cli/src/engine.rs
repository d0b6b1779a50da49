//! A model on a device, ready to be asked.

use crate::device;
use crate::fetch;
use crate::name;
use crate::progress::Progress;
use crate::store::Store;
use crate::text;
use anyhow::{Context, Result};
use gpu::Wish;
use kernels::Executor;
use model::{LoadProgress, Model, ModelConfig};
use report::ModelInfo;
use std::path::{Path, PathBuf};
use std::time::Instant;
use weights::{Checkpoint, ModelFiles};

/// A model's files, opened and not yet loaded.
pub(crate) struct Opened {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) config: ModelConfig,
    path: PathBuf,
}

/// The model that is named; one that is not here is fetched.
pub(crate) fn open(named: &str) -> Result<Opened> {
    let store = Store::from_environment()?;
    let name = name::resolve(named, store.folder())?;
    let path = match store.locate(&name) {
        Some(path) => path,
        None => fetch::model(&store, &name)?,
    };
    let files = ModelFiles::from_path(&path)?;
    let context = || format!("{named} cannot be used");
    let checkpoint = pollster::block_on(Checkpoint::open(files)).with_context(context)?;
    let (config, _) = ModelConfig::read(checkpoint.name(), checkpoint.config()).with_context(context)?;
    Ok(Opened { checkpoint, config, path })
}

impl Opened {
    /// Which model it is. Reads all of its files.
    pub(crate) fn info(&self, model: &Model) -> Result<ModelInfo> {
        Ok(ModelInfo {
            // Not the path, which says who lives on this machine.
            name: self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned(),
            sha256: Some(sha256(&self.path)?),
            formats: model.formats().iter().map(ToString::to_string).collect(),
        })
    }
}

/// SHA-256 of a file; of a folder, of the model's files in it.
fn sha256(path: &Path) -> Result<String> {
    if path.is_file() {
        return fetch::sha256(path);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("cannot list {}", path.display()))?;
    let is_part = |kind: &std::ffi::OsStr| kind == "gguf" || kind == "safetensors" || kind == "json";
    files.retain(|file| file.is_file() && file.extension().is_some_and(is_part));
    let named = |file: PathBuf| Ok((file.file_name().unwrap_or_default().to_string_lossy().into_owned(), fetch::sha256(&file)?));
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
        let device = device::open(wish).await?;
        eprintln!("device: {}", device.reason);
        let mut executor = device.executor;
        let model = load(&opened.checkpoint, executor.as_mut()).await?;
        Ok(Self { opened, model, executor, wish })
    }

    /// Makes everything anew after the device was lost.
    pub(crate) async fn reload(&mut self) -> Result<()> {
        eprintln!("the device was lost; it is opened again, and the work goes on where it was");
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
    eprintln!("model: {}, {} ({held} of weights, loaded in {took:.1} s)", model.name(), formats.join(", "));
    Ok(model)
}
