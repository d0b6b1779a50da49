//! Models kept in the origin's private file system: a folder each, with the files and what is known of them.

use super::js;
use super::record::Record;
use super::shelf::Shelf;
use super::wanted::Plan;
use crate::messages::KeptModel;
use anyhow::{Result, anyhow};
use js_sys::{AsyncIterator, Function, IteratorNext, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FileSystemDirectoryHandle, FileSystemGetDirectoryOptions, FileSystemHandle, FileSystemRemoveOptions};

/// The folder of all models.
const MODELS: &str = "models";

/// The models kept in this browser for this site.
pub(super) struct Store {
    models: FileSystemDirectoryHandle,
}

impl Store {
    /// Opens it.
    ///
    /// # Errors
    /// Why this browser keeps nothing, in a sentence for people.
    pub(super) async fn open() -> Result<Store, String> {
        let denied = |why: &str| format!("This browser does not let the page keep files ({why}).");
        let storage = js::property(&js::scope().navigator(), "storage");
        let storage = storage.ok_or_else(|| denied("it has no storage for pages from this address"))?;
        // Not in every browser, and a missing function would end the worker.
        let get = js::property(&storage, "getDirectory").and_then(|get| get.dyn_into::<Function>().ok());
        let get = get.ok_or_else(|| denied("it has no private file system"))?;
        let open = async {
            let root: Promise = get.call0(&storage)?.unchecked_into();
            let root: FileSystemDirectoryHandle = JsFuture::from(root).await?.unchecked_into();
            folder(&root, MODELS, true).await
        };
        let models = open.await.map_err(|error: JsValue| denied(&js::message(&error)))?;
        Ok(Store { models })
    }

    /// The folder of a model, made if need be.
    pub(super) async fn make(&self, id: &str) -> Result<Shelf, JsValue> {
        Shelf::open(&self.models, id, true).await
    }

    /// The folder of a model, if there is one.
    pub(super) async fn find(&self, id: &str) -> Option<Shelf> {
        Shelf::open(&self.models, id, false).await.ok()
    }

    /// Deletes a model or what there is of it. Nothing may be writing it: see [`super::lock`].
    pub(super) async fn remove(&self, id: &str) -> Result<()> {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        match JsFuture::from(self.models.remove_entry_with_options(id, &options)).await {
            Ok(_) => Ok(()),
            Err(error) if js::kind(&error) == "NotFoundError" => Ok(()),
            Err(error) => Err(anyhow!("{id} could not be deleted: {}", js::message(&error))),
        }
    }

    /// All models, by name.
    pub(super) async fn list(&self) -> Result<Vec<KeptModel>> {
        let mut models = Vec::new();
        for (id, shelf) in self.shelves().await? {
            models.push(describe(id, &shelf).await);
        }
        models.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(models)
    }

    /// The complete model that holds just what a plan would fetch, under whatever name it was fetched.
    pub(super) async fn same(&self, plan: &Plan) -> Option<(String, Shelf, Record)> {
        for (id, shelf) in self.shelves().await.ok()? {
            if let Some(record) = shelf.complete().await.filter(|record| plan.is(record)) {
                return Some((id, shelf, record));
            }
        }
        None
    }

    async fn shelves(&self) -> Result<Vec<(String, Shelf)>> {
        let failed = |error: JsValue| anyhow!("the kept models could not be listed: {}", js::message(&error));
        let mut shelves = Vec::new();
        let entries: AsyncIterator = self.models.values();
        loop {
            let next = entries.next().map_err(failed)?;
            let next: IteratorNext = JsFuture::from(next).await.map_err(failed)?.unchecked_into();
            if next.done() {
                return Ok(shelves);
            }
            let id = next.value().unchecked_into::<FileSystemHandle>().name();
            // What is deleted meanwhile by another tab is no longer of interest.
            if let Some(shelf) = self.find(&id).await {
                shelves.push((id, shelf));
            }
        }
    }
}

async fn describe(id: String, shelf: &Shelf) -> KeptModel {
    let bytes = shelf.len_bytes().await;
    let (record, is_complete) = match shelf.complete().await {
        Some(record) => (Some(record), true),
        None => (shelf.begun().await, false),
    };
    let total_bytes = record.as_ref().and_then(Record::total_bytes).unwrap_or_default().max(bytes);
    let sha256 = record.as_ref().filter(|_| is_complete).map(Record::sha256);
    let (name, from, licence) = match record {
        Some(Record { name, from, licence, .. }) => (name, Some(from), licence),
        None => (id.clone(), None, None),
    };
    KeptModel { id, name, bytes, total_bytes, is_complete, from, licence, sha256 }
}

/// A folder within another.
pub(super) async fn folder(
    parent: &FileSystemDirectoryHandle,
    name: &str,
    create: bool,
) -> Result<FileSystemDirectoryHandle, JsValue> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(create);
    Ok(JsFuture::from(parent.get_directory_handle_with_options(name, &options)).await?.unchecked_into())
}

/// Bytes that this site may still take, if the browser says.
pub(super) async fn free_bytes() -> Option<u64> {
    let storage = js::property(&js::scope().navigator(), "storage")?;
    let estimate: Function = js::property(&storage, "estimate")?.dyn_into().ok()?;
    let estimate: Promise = estimate.call0(&storage).ok()?.unchecked_into();
    let estimate = JsFuture::from(estimate).await.ok()?;
    let number = |name| js::property(&estimate, name)?.as_f64();
    Some((number("quota")? - number("usage")?).max(0.0) as u64)
}
