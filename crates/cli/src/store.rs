//! The models folder: where what was fetched lies, and what is in it.

use crate::name::ModelName;
use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use weights::catalogue::{CATALOGUE, CatalogueEntry, CatalogueFile, Origin};
use weights::hub::{Repository, is_relative_path};

/// The folder of fetched models.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// What was fetched for one name of a repository. Written last, so that its presence means that all files are there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Manifest {
    /// The repository as it was named.
    pub(crate) name: String,
    /// The commit that the revision meant when it was fetched.
    pub(crate) commit: String,
    /// What to open, relative to the repository's folder: a GGUF file, or a folder of safetensors.
    pub(crate) open: String,
    pub(crate) files: Vec<ManifestFile>,
}

/// One file of a [`Manifest`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ManifestFile {
    /// Relative to the repository's folder, with `/`.
    pub(crate) path: String,
    pub(crate) len_bytes: u64,
    /// SHA-256 as the hub states it; it states none for small text files.
    pub(crate) sha256: Option<String>,
}

/// A model found in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Stored {
    /// What to type to name it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) len_bytes: u64,
}

impl Store {
    /// `ATMAN_MODELS`, or `atman/models` in the platform's cache folder.
    pub(crate) fn from_environment() -> Result<Self> {
        if let Some(folder) = std::env::var_os("ATMAN_MODELS").filter(|value| !value.is_empty()) {
            return Ok(Self { folder: folder.into() });
        }
        let platform = etcetera::base_strategy::choose_native_strategy()
            .context("no home folder is known; name a folder for models in ATMAN_MODELS")?;
        Ok(Self { folder: platform.cache_dir().join("atman").join("models") })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a catalogued file lies that was fetched.
    pub(crate) fn catalogued_path(&self, file: &CatalogueFile) -> PathBuf {
        self.folder.join(file.name)
    }

    /// Where the files of a repository at a revision lie.
    pub(crate) fn repository_folder(&self, repository: &Repository) -> PathBuf {
        let revision = repository.revision().replace('/', "--");
        self.folder.join("hub").join(&repository.owner).join(&repository.name).join(revision)
    }

    /// Where the record of what was fetched for this name lies.
    pub(crate) fn manifest_path(&self, repository: &Repository) -> PathBuf {
        let which = repository.file.as_ref().map_or("default".to_owned(), |file| format!("file-{}", file.replace('/', "--")));
        self.repository_folder(repository).join(format!("{which}.fetched.json"))
    }

    /// The record of what was fetched for this name, if it can be read.
    pub(crate) fn manifest(&self, repository: &Repository) -> Option<Manifest> {
        let manifest: Manifest = serde_json::from_slice(&fs::read(self.manifest_path(repository)).ok()?).ok()?;
        let inside = |path: &str| is_relative_path(path);
        (inside(&manifest.open) && manifest.files.iter().all(|file| inside(&file.path))).then_some(manifest)
    }

    /// Where a named model is on this machine: there, and of the right length. Content is verified when it is fetched.
    pub(crate) fn locate(&self, name: &ModelName) -> Option<PathBuf> {
        let has_len = |path: &Path, len_bytes| fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == len_bytes);
        match name {
            ModelName::Path(path) => path.exists().then(|| path.clone()),
            ModelName::Catalogue(entry) => match &entry.origin {
                Origin::Fetched { file, .. } => Some(self.catalogued_path(file)).filter(|path| has_len(path, file.len_bytes)),
                // In no folder: it is in this program.
                Origin::BuiltIn { .. } => None,
            },
            ModelName::Repository(repository) => {
                let folder = self.repository_folder(repository);
                let manifest = self.manifest(repository)?;
                let whole = manifest.files.iter().all(|file| has_len(&folder.join(&file.path), file.len_bytes));
                whole.then(|| folder.join(manifest.open))
            }
        }
    }

    /// The models in the folder, sorted by name. A folder that is not there holds none.
    pub(crate) fn list(&self) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        for path in children(&self.folder)? {
            let Some(file_name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            let len_bytes = fs::metadata(&path).map_or(0, |m| m.len());
            if file_name.starts_with('.') || !path.is_file() || !file_name.ends_with(".gguf") {
                continue;
            }
            // An unfinished or foreign file does not pass for the catalogued one.
            let is_entry = |entry: &&CatalogueEntry| match &entry.origin {
                Origin::Fetched { file, .. } => file.name == file_name && file.len_bytes == len_bytes,
                Origin::BuiltIn { .. } => false,
            };
            let name = CATALOGUE.iter().find(is_entry).map_or(file_name, |entry| entry.name);
            found.push(Stored { name: name.to_owned(), path: path.clone(), len_bytes });
        }
        for owner in children(&self.folder.join("hub"))? {
            for repository in children(&owner)? {
                for revision in children(&repository)? {
                    found.extend(children(&revision)?.iter().filter_map(|path| stored_repository(path)));
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

fn stored_repository(manifest_path: &Path) -> Option<Stored> {
    if !manifest_path.to_str()?.ends_with(".fetched.json") {
        return None;
    }
    let manifest: Manifest = serde_json::from_slice(&fs::read(manifest_path).ok()?).ok()?;
    let len_bytes = manifest.files.iter().map(|file| file.len_bytes).sum();
    Some(Stored { name: manifest.name, path: manifest_path.parent()?.join(manifest.open), len_bytes })
}

/// What a folder holds; nothing if it is not there.
fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
    };
    entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()
        .with_context(|| format!("cannot list {}", folder.display()))
}
