//! A model of which the site has each file: fetched at once, all files side by side, and kept by whoever keeps the site.

use super::blob::BlobSource;
use super::download::{Brought, Download};
use super::progress::Progress;
use super::wanted::{Plan, PlannedFile, Wanted};
use super::{OpenedModel, opened};
use crate::messages::LoadPhase;
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Fetches, checks and opens it. `progress` is that of [`super::Library::open`].
pub(super) async fn open(wanted: &Wanted, plan: &Plan, progress: &mut dyn FnMut(LoadPhase, u64, u64)) -> Result<OpenedModel> {
    let total_bytes = plan.total_bytes().unwrap_or_default();
    let done = RefCell::new((vec![0; plan.files.len()], progress));
    let done = &done;
    // Each file counts for itself; what is told is their sum.
    let bring = |(number, file): (usize, &PlannedFile)| {
        let record = plan.record(wanted);
        let file = file.clone();
        let work = async move {
            let mut tell = |phase, done_bytes, _| {
                let (each, progress) = &mut *done.borrow_mut();
                if let Some(slot) = each.get_mut(number) {
                    *slot = done_bytes;
                }
                progress(phase, each.iter().sum(), total_bytes);
            };
            let mut progress = Progress::new(&mut tell);
            Download::new(&file, None, record, None, &mut progress).await?.run(&mut progress).await
        };
        Box::pin(work) as Work<'_>
    };
    let mut sources = Vec::new();
    let mut hashes = Vec::new();
    for brought in all(plan.files.iter().enumerate().map(bring).collect()).await {
        let Brought { recorded, loose, .. } = brought?;
        let blob = loose.with_context(|| format!("{} was not held", recorded.name))?;
        sources.push(BlobSource::new(recorded.name.clone(), blob));
        hashes.push((recorded.name, recorded.sha256.unwrap_or_default()));
    }
    opened(wanted.name.clone(), None, sources, weights::model_sha256(hashes)).await
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<Brought>> + 'a>>;

/// The outcomes of all, in their order. Each goes on whenever any of them can.
async fn all(mut works: Vec<Work<'_>>) -> Vec<Result<Brought>> {
    let mut outcomes: Vec<Option<Result<Brought>>> = works.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (work, outcome) in works.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let Poll::Ready(done) = work.as_mut().poll(context)
            {
                *outcome = Some(done);
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
