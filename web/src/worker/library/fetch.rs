//! A model from a server into the store, or past it where that cannot be.

use super::blob::BlobSource;
use super::download::Download;
use super::lock::Lock;
use super::progress::Progress;
use super::record::Record;
use super::shelf::Shelf;
use super::store::{self, Store};
use super::wanted::{Plan, Wanted};
use anyhow::{Context, Result};
use weights::text;

/// A model's files, all here and checked.
pub(super) struct Fetched {
    /// Their bytes, in the order of the record.
    pub(super) sources: Vec<BlobSource>,
    /// What they are.
    pub(super) record: Record,
    /// Why they are not kept, in a sentence for people.
    pub(super) not_kept: Option<String>,
    /// Where they lie, if they are to be kept: nothing says yet that they are complete.
    place: Option<Place>,
}

struct Place {
    shelf: Shelf,
    _lock: Lock,
}

/// Fetches what is missing of a model.
pub(super) async fn fetch(
    wanted: &Wanted,
    plan: &Plan,
    store: &Result<Store, String>,
    progress: &mut Progress<'_>,
) -> Result<Fetched> {
    let (place, mut not_kept) = match place(wanted, plan, store).await {
        Ok(place) => (Some(place), None),
        Err(reason) => (None, Some(reason)),
    };
    let shelf = place.as_ref().map(|place| &place.shelf);
    let outcome = bring(wanted, plan, shelf, progress).await;
    let (record, loose, reason) = match outcome {
        Ok(brought) => brought,
        Err(error) => {
            // An empty folder would be listed as a model.
            if let (Ok(store), Some(place)) = (store, &place)
                && place.shelf.len_bytes().await == 0
            {
                store.remove(&wanted.id).await?;
            }
            return Err(error);
        }
    };
    if let Some(reason) = reason {
        let reason = text::one_line(&reason, 200);
        not_kept = Some(format!("The browser could not store the model's files ({reason})."));
    }
    let mut sources = Vec::new();
    for (file, blob) in record.files.iter().zip(loose) {
        let blob = match (blob, shelf) {
            (Some(blob), _) => blob,
            (None, Some(shelf)) => {
                let kept = shelf.file(&file.name).await;
                kept.with_context(|| format!("{} is gone from this browser's store; load the model again", file.name))?.into()
            }
            (None, None) => continue,
        };
        sources.push(BlobSource::new(file.name.clone(), blob));
    }
    Ok(Fetched { sources, record, not_kept, place })
}

impl Fetched {
    /// Writes down that the model is complete, if it is to be kept, and lets other tabs have it.
    pub(super) async fn keep(&mut self, store: &Result<Store, String>, id: &str) {
        let Some(place) = self.place.take() else { return };
        if self.not_kept.is_none() {
            if let Err(error) = place.shelf.complete_with(&self.record).await {
                self.not_kept = Some(format!("The browser could not store the model's files ({}).", super::js::message(&error)));
            }
        } else if let Ok(store) = store
            && place.shelf.len_bytes().await == 0
        {
            // Nothing of it is there, and a failure to tidy up is no reason to fail.
            let _ = store.remove(id).await;
        }
    }

    /// Deletes what has been fetched.
    pub(super) async fn discard(&mut self, store: &Result<Store, String>, id: &str) {
        if let (Ok(store), Some(_place)) = (store, self.place.take()) {
            // The reason for this is told; that it failed is no more news.
            let _ = store.remove(id).await;
        }
    }
}

/// The shelf for a model and the right to write it, or why it is not to be kept, in a sentence.
async fn place(wanted: &Wanted, plan: &Plan, store: &Result<Store, String>) -> Result<Place, String> {
    let store = store.as_ref().map_err(Clone::clone)?;
    let lock = Lock::take(&wanted.id).await;
    let lock = lock.ok_or("Another tab is fetching this model and keeps it; this one has a copy of its own for now.")?;
    let here = match store.find(&wanted.id).await {
        Some(shelf) => shelf.len_bytes().await,
        None => 0,
    };
    if let (Some(free), Some(total)) = (store::free_bytes().await, plan.total_bytes()) {
        let missing = total.saturating_sub(here);
        if missing > free {
            let (missing, free) = (text::bytes(missing), text::bytes(free));
            return Err(format!("The browser gives this site no more than {free}, and the model needs {missing}."));
        }
    }
    let shelf = store.make(&wanted.id).await;
    let shelf = shelf.map_err(|error| format!("The browser could not make room for it ({}).", super::js::message(&error)))?;
    Ok(Place { shelf, _lock: lock })
}

/// Brings each file: the record with all that is now known, the bytes of those not in the store, and why they are not.
async fn bring(
    wanted: &Wanted,
    plan: &Plan,
    shelf: Option<&Shelf>,
    progress: &mut Progress<'_>,
) -> Result<(Record, Vec<Option<web_sys::Blob>>, Option<String>)> {
    let before = match shelf {
        Some(shelf) => shelf.begun().await,
        None => None,
    };
    let mut record = plan.record(wanted);
    if let Some(shelf) = shelf {
        // What was known of earlier pieces stays known until a file is begun anew.
        for file in before.iter().flat_map(|before| &before.files) {
            if plan.files.iter().any(|planned| planned.name == file.name && planned.continues(file)) {
                record.set(file);
            }
        }
        // If even this cannot be written, the files will tell.
        let _ = shelf.begin(&record).await;
    }
    let (mut loose, mut not_kept) = (Vec::new(), None);
    for file in &plan.files {
        let before = before.as_ref().and_then(|before| before.file(&file.name));
        let download = Download::new(file, shelf, record.clone(), before, progress).await?;
        let brought = download.run(progress).await?;
        record.set(&brought.recorded);
        loose.push(brought.loose);
        not_kept = not_kept.or(brought.not_kept);
    }
    Ok((record, loose, not_kept))
}
