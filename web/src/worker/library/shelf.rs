//! The folder of one model: its files, and the records that say what they should be.
//!
//! A model's `begun.json` is there as soon as fetching begins, its `kept.json` once all files are there and checked.

use super::js;
use super::record::Record;
use super::sink::Writer;
use super::store::folder;
use js_sys::{AsyncIterator, IteratorNext, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetFileOptions, FileSystemSyncAccessHandle};

const BEGUN: &str = "begun.json";
const COMPLETE: &str = "kept.json";
/// The model's files have a folder of their own, so that none can pass for a record.
const FILES: &str = "files";
/// A record takes some hundred bytes a file.
const RECORD_LIMIT_BYTES: f64 = 1e6;

/// One model's folder.
pub(super) struct Shelf {
    folder: FileSystemDirectoryHandle,
    files: FileSystemDirectoryHandle,
}

impl Shelf {
    pub(super) async fn open(models: &FileSystemDirectoryHandle, id: &str, create: bool) -> Result<Shelf, JsValue> {
        let own = folder(models, id, create).await?;
        let files = folder(&own, FILES, create).await?;
        Ok(Shelf { folder: own, files })
    }

    /// The record of a complete model.
    pub(super) async fn complete(&self) -> Option<Record> {
        read(&self.folder, COMPLETE).await
    }

    /// The record of a model of which something is here.
    pub(super) async fn begun(&self) -> Option<Record> {
        read(&self.folder, BEGUN).await
    }

    /// Writes down what is being fetched.
    pub(super) async fn begin(&self, record: &Record) -> Result<(), JsValue> {
        write(&self.folder, BEGUN, record).await
    }

    /// Writes down that everything is here and checked.
    pub(super) async fn complete_with(&self, record: &Record) -> Result<(), JsValue> {
        write(&self.folder, COMPLETE, record).await
    }

    /// A file's content as it is now, if it is there.
    pub(super) async fn file(&self, name: &str) -> Option<File> {
        content(&self.files, name).await
    }

    /// Opens a file for writing after its first `len_bytes`, or fails if another tab is writing it.
    pub(super) async fn writer(&self, name: &str, len_bytes: u64) -> Result<Writer, JsValue> {
        Writer::new(access(&self.files, name).await?, len_bytes)
    }

    /// Deletes a file. Whether that succeeds matters to nobody who goes on without it.
    pub(super) async fn remove_file(&self, name: &str) {
        let _ = JsFuture::from(self.files.remove_entry(name)).await;
    }

    /// Bytes of all files.
    pub(super) async fn len_bytes(&self) -> u64 {
        let entries: AsyncIterator = self.files.values();
        let mut sum = 0.0;
        while let Ok(next) = entries.next() {
            let Ok(next) = JsFuture::from(next).await else { break };
            let next: IteratorNext = next.unchecked_into();
            if next.done() {
                break;
            }
            let file: FileSystemFileHandle = next.value().unchecked_into();
            // One that is being written may not be readable.
            if let Ok(file) = JsFuture::from(file.get_file()).await {
                sum += file.unchecked_into::<File>().size();
            }
        }
        sum as u64
    }
}

async fn handle(folder: &FileSystemDirectoryHandle, name: &str, create: bool) -> Result<FileSystemFileHandle, JsValue> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(create);
    Ok(JsFuture::from(folder.get_file_handle_with_options(name, &options)).await?.unchecked_into())
}

async fn content(folder: &FileSystemDirectoryHandle, name: &str) -> Option<File> {
    let handle = handle(folder, name, false).await.ok()?;
    Some(JsFuture::from(handle.get_file()).await.ok()?.unchecked_into())
}

/// Exclusive access to a file. Whoever stops waiting for it does not keep it.
async fn access(folder: &FileSystemDirectoryHandle, name: &str) -> Result<FileSystemSyncAccessHandle, JsValue> {
    let handle = handle(folder, name, true).await?;
    if js::property(&handle, "createSyncAccessHandle").is_none() {
        return Err(js_sys::Error::new("its files can only be read here").into());
    }
    let mut pending = Pending(Some(handle.create_sync_access_handle()));
    let Some(promise) = pending.0.clone() else { return Err(JsValue::UNDEFINED) };
    let access = JsFuture::from(promise).await;
    pending.0 = None;
    Ok(access?.unchecked_into())
}

/// A handle that has been asked for. If nobody waits any more it is closed as soon as it comes.
struct Pending(Option<Promise>);

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(promise) = self.0.take() {
            wasm_bindgen_futures::spawn_local(async move {
                if let Ok(handle) = JsFuture::from(promise).await {
                    handle.unchecked_into::<FileSystemSyncAccessHandle>().close();
                }
            });
        }
    }
}

async fn read(folder: &FileSystemDirectoryHandle, name: &str) -> Option<Record> {
    let file = content(folder, name).await?;
    if file.size() > RECORD_LIMIT_BYTES {
        return None;
    }
    let bytes = Uint8Array::new(&JsFuture::from(file.array_buffer()).await.ok()?).to_vec();
    // One that was cut short by a crash is as good as none.
    serde_json::from_slice(&bytes).ok()
}

async fn write(folder: &FileSystemDirectoryHandle, name: &str, record: &Record) -> Result<(), JsValue> {
    let text = serde_json::to_string(record).map_err(|error| js_sys::Error::new(&error.to_string()))?;
    let mut writer = Writer::new(access(folder, name).await?, 0)?;
    writer.write(text.as_bytes())?;
    writer.finish()
}
