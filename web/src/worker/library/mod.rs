//! Models: fetched, kept in this browser, checked and opened.
//!
//! No file is ever whole in WebAssembly's memory. Fetched files go into the origin's private file system, where later visits
//! find them; where that is denied or full the browser holds their pieces as long as the page is there.

mod beginning;
mod blob;
mod carried;
mod check;
mod download;
mod facts;
mod fetch;
mod js;
mod lock;
mod progress;
mod record;
mod request;
mod shelf;
mod sink;
mod store;
mod wanted;

use crate::messages::{Kept, LoadPhase, ModelFacts, ModelFrom};
use anyhow::{Context, Result, anyhow, bail, ensure};
use blob::BlobSource;
use check::Expected;
use lock::Lock;
use progress::Progress;
use record::Record;
use shelf::Shelf;
use store::Store;
use wanted::Wanted;
use web_sys::File;
use weights::hub::HubError;
use weights::{ByteSource, Checkpoint, ModelFiles, is_system_file};

/// The files of which a model may consist, where several are picked.
const KINDS: [&str; 4] = [".gguf", ".safetensors", ".json", ".jinja"];

/// Brings models here.
#[derive(Clone, Copy)]
pub(in crate::worker) struct Library;

/// A model whose files are all here and checked.
pub(in crate::worker) struct OpenedModel {
    /// The number of the request that asked for it.
    pub(in crate::worker) asked: u32,
    /// Configuration, tokenizer, and where the tensors lie.
    pub(in crate::worker) checkpoint: Checkpoint,
    /// File or repository.
    pub(in crate::worker) name: String,
    /// See [`weights::model_sha256`].
    pub(in crate::worker) sha256: String,
    /// Its licence as its publisher names it.
    pub(in crate::worker) licence: Option<String>,
    /// Bytes of all files.
    pub(in crate::worker) file_bytes: u64,
    /// Why it was not kept, if it was meant to be, in a sentence.
    pub(in crate::worker) not_kept: Option<String>,
}

impl Library {
    /// Says what a model is and takes. Reads listings and headers only.
    pub(in crate::worker) async fn describe(&self, from: ModelFrom, files: Vec<File>) -> Result<ModelFacts> {
        let wanted = match &from {
            ModelFrom::Picked => {
                let (name, sources) = picked(files)?;
                return facts::of_sources(name, None, sources).await;
            }
            ModelFrom::Kept { id } => {
                let (_, shelf, record) = kept(id).await?;
                let sources = sources(&shelf, &record).await?;
                return facts::of_sources(record.name, record.licence, sources).await;
            }
            ModelFrom::Site { .. } | ModelFrom::SiteFolder { .. } | ModelFrom::Hub { .. } => Wanted::new(&from)?,
        };
        let store = Store::open().await.ok();
        let shelf = match &store {
            Some(store) => store.find(&wanted.id).await,
            None => None,
        };
        if let Some(shelf) = &shelf
            && let Some(record) = shelf.complete().await.filter(|record| wanted.is(record))
            && let Ok(sources) = sources(shelf, &record).await
        {
            return facts::of_sources(record.name, record.licence, sources).await;
        }
        let plan = match wanted.plan().await {
            Ok(plan) => plan,
            Err(error) => match error.downcast_ref::<HubError>() {
                Some(HubError::SeveralGgufs { ggufs }) => {
                    return Ok(ModelFacts { name: wanted.name, choices: ggufs.clone(), ..ModelFacts::default() });
                }
                _ => return Err(error),
            },
        };
        if let Some(store) = &store
            && let Some((_, shelf, record)) = store.same(&plan).await
            && let Ok(sources) = sources(&shelf, &record).await
        {
            return facts::of_sources(record.name, record.licence, sources).await;
        }
        let here = match shelf {
            Some(shelf) => shelf.begun().await.map(|record| (shelf, record)),
            None => None,
        };
        facts::of_plan(&wanted, &plan, here).await
    }

    /// Brings a model's files here, checks and opens them. `progress` is told the phase, the bytes of files that are done,
    /// which never go back, and all of them, 0 while that is not known. To stop waiting stops fetching; what has come of a
    /// file stays for the next time.
    pub(in crate::worker) async fn open(
        &self,
        from: ModelFrom,
        files: Vec<File>,
        progress: &mut dyn FnMut(LoadPhase, u64, u64),
    ) -> Result<OpenedModel> {
        if let ModelFrom::SiteFolder { .. } = &from {
            let wanted = Wanted::new(&from)?;
            return carried::open(&wanted, &wanted.plan().await?, progress).await;
        }
        let mut progress = Progress::new(progress);
        match &from {
            ModelFrom::Picked => {
                let (name, sources) = picked(files)?;
                progress.begin(Some(sources.iter().map(ByteSource::len_bytes).sum()));
                let mut hashes = Vec::new();
                for source in &sources {
                    let hash = check::check(source, &Expected::default(), &mut progress).await?;
                    hashes.push((source.name().to_owned(), hash.map_err(|mismatch| anyhow!("{mismatch}"))?));
                }
                opened(name, None, sources, weights::model_sha256(hashes)).await
            }
            ModelFrom::Kept { id } => {
                let (store, shelf, record) = kept(id).await?;
                let sources = sources(&shelf, &record).await;
                match check_kept(&record, sources, &mut progress).await {
                    Ok(sources) => of_record(&record, sources).await,
                    Err(error) => {
                        let deleted = if delete(&store, id).await { " It has been deleted here." } else { "" };
                        bail!("the kept model {} is damaged: {error:#}.{deleted} Load it again from where it came", record.name)
                    }
                }
            }
            ModelFrom::Site { .. } | ModelFrom::SiteFolder { .. } | ModelFrom::Hub { .. } => {
                self.open_from_server(&Wanted::new(&from)?, &mut progress).await
            }
        }
    }

    async fn open_from_server(&self, wanted: &Wanted, progress: &mut Progress<'_>) -> Result<OpenedModel> {
        let store = Store::open().await;
        if let Ok(store) = &store
            && let Some(shelf) = store.find(&wanted.id).await
            && let Some(record) = shelf.complete().await
        {
            if wanted.is(&record)
                && let Ok(sources) = check_kept(&record, sources(&shelf, &record).await, progress).await
            {
                return of_record(&record, sources).await;
            }
            // Damaged, or not what this address now has: it is fetched anew.
            delete(store, &wanted.id).await;
        }
        let plan = wanted.plan().await?;
        // Kept under another name.
        if let Ok(store) = &store
            && let Some((_, shelf, record)) = store.same(&plan).await
            && let Ok(sources) = check_kept(&record, sources(&shelf, &record).await, progress).await
        {
            return of_record(&record, sources).await;
        }
        progress.begin(plan.total_bytes());
        let mut fetched = fetch::fetch(wanted, &plan, &store, progress).await?;
        match of_record(&fetched.record, std::mem::take(&mut fetched.sources)).await {
            Ok(model) => {
                fetched.keep(&store, &wanted.id).await;
                Ok(OpenedModel { not_kept: fetched.not_kept.take(), ..model })
            }
            Err(error) => {
                fetched.discard(&store, &wanted.id).await;
                Err(error)
            }
        }
    }

    /// The models in this browser.
    pub(in crate::worker) async fn kept(&self) -> Kept {
        let free_bytes = store::free_bytes().await;
        let models = match Store::open().await {
            Ok(store) => store.list().await.map_err(|error| error.to_string()),
            Err(denied) => Err(denied),
        };
        match models {
            Ok(models) => Kept { models, free_bytes, denied: None },
            Err(denied) => Kept { models: Vec::new(), free_bytes, denied: Some(denied) },
        }
    }

    /// Deletes one of them; gives the others.
    pub(in crate::worker) async fn forget(&self, id: &str) -> Result<Kept> {
        let store = Store::open().await.map_err(|denied| anyhow!(denied))?;
        let lock = Lock::take(id).await;
        ensure!(lock.is_some(), "another tab is fetching this model; stop it there, then delete it");
        store.remove(id).await?;
        drop(lock);
        Ok(self.kept().await)
    }
}

/// The files that the person picked, and what to call them together.
fn picked(mut files: Vec<File>) -> Result<(String, Vec<BlobSource>)> {
    ensure!(!files.is_empty(), "no file was picked");
    if files.len() > 1 {
        // A folder may have much else, such as the same weights in another form.
        let is_part = |name: &str| KINDS.iter().any(|kind| name.ends_with(kind)) && !is_system_file(name);
        files.retain(|file| is_part(&file.name()));
    }
    let weights = files.iter().find(|file| KINDS.iter().take(2).any(|kind| file.name().ends_with(kind)));
    let name = weights.or(files.first()).map(File::name).context("none of these files is part of a model")?;
    Ok((name, files.into_iter().map(|file| BlobSource::new(file.name(), file.into())).collect()))
}

/// A complete model of the store.
async fn kept(id: &str) -> Result<(Store, Shelf, Record)> {
    let store = Store::open().await.map_err(|denied| anyhow!(denied))?;
    let shelf = store.find(id).await.with_context(|| format!("no model `{id}` is kept in this browser"))?;
    let record = shelf.complete().await;
    let record = record.context("this model has not come whole; load it from where it comes to go on fetching it")?;
    Ok((store, shelf, record))
}

/// A kept model's files.
async fn sources(shelf: &Shelf, record: &Record) -> Result<Vec<BlobSource>> {
    let mut sources = Vec::new();
    for file in &record.files {
        let blob = shelf.file(&file.name).await.with_context(|| format!("{} is missing", file.name))?;
        sources.push(BlobSource::new(file.name.clone(), blob.into()));
    }
    Ok(sources)
}

/// Reads all of a kept model.
async fn check_kept(record: &Record, sources: Result<Vec<BlobSource>>, progress: &mut Progress<'_>) -> Result<Vec<BlobSource>> {
    let sources = sources?;
    progress.begin(record.total_bytes());
    for (file, source) in record.files.iter().zip(&sources) {
        let expected = Expected { len_bytes: file.len_bytes, sha256: file.sha256.clone() };
        if let Err(mismatch) = check::check(source, &expected, progress).await? {
            bail!("{}: {mismatch}", file.name);
        }
    }
    Ok(sources)
}

/// Deletes a model unless another tab is at work on it.
async fn delete(store: &Store, id: &str) -> bool {
    match Lock::take(id).await {
        Some(_lock) => store.remove(id).await.is_ok(),
        None => false,
    }
}

async fn of_record(record: &Record, sources: Vec<BlobSource>) -> Result<OpenedModel> {
    opened(record.name.clone(), record.licence.clone(), sources, record.sha256()).await
}

async fn opened(name: String, licence: Option<String>, sources: Vec<BlobSource>, sha256: String) -> Result<OpenedModel> {
    let file_bytes = sources.iter().map(ByteSource::len_bytes).sum();
    let files = sources.into_iter().map(|source| (source.name().to_owned(), Box::new(source) as Box<dyn ByteSource>)).collect();
    let checkpoint = Checkpoint::open(ModelFiles::new(files)).await?;
    let licence = licence.or_else(|| facts::licence(&checkpoint));
    Ok(OpenedModel { asked: 0, checkpoint, name, sha256, licence, file_bytes, not_kept: None })
}
