//! How a model is named.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use weights::catalogue::{self, CATALOGUE, CatalogueEntry};
use weights::hub::{Repository, is_relative_path};

/// What a user's name for a model means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelName {
    /// A file or folder that exists.
    Path(PathBuf),
    /// An entry of the catalogue.
    Catalogue(&'static CatalogueEntry),
    /// A repository of the Hugging Face hub.
    Repository(Repository),
}

/// What `text` names; without one the default. A file or folder that exists wins, then the catalogue, then a file of the models folder, then the hub.
pub(crate) fn resolve(text: Option<&str>, models: &Path) -> Result<ModelName> {
    let Some(text) = text else { return Ok(ModelName::Catalogue(&catalogue::DEFAULT)) };
    if Path::new(text).exists() {
        return Ok(ModelName::Path(text.into()));
    }
    if let Some(entry) = catalogue::find(text) {
        return Ok(ModelName::Catalogue(entry));
    }
    if is_relative_path(text) && !text.contains('/') && models.join(text).is_file() {
        return Ok(ModelName::Path(models.join(text)));
    }
    if let Some(repository) = Repository::parse(text) {
        return Ok(ModelName::Repository(repository));
    }
    let names = CATALOGUE.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
    bail!(
        "no model `{text}`: no such file or folder here, and not in the catalogue\n  \
         catalogue:  {names}\n  \
         or a repository of the hub:  owner/name, owner/name@revision, owner/name:file.gguf\n  \
         or the path of a file or folder on this machine"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_wins_and_nothing_known_lists_the_catalogue() {
        let models = tempfile::tempdir().unwrap();
        std::fs::write(models.path().join("mine.gguf"), b"x").unwrap();
        assert_eq!(resolve(Some("mine.gguf"), models.path()).unwrap(), ModelName::Path(models.path().join("mine.gguf")));
        let exists = models.path().to_str().unwrap();
        assert_eq!(resolve(Some(exists), models.path()).unwrap(), ModelName::Path(models.path().into()));
        assert!(matches!(resolve(Some("SMOLLM2-135m-instruct"), models.path()).unwrap(), ModelName::Catalogue(_)));
        assert!(matches!(resolve(None, models.path()).unwrap(), ModelName::Catalogue(entry) if entry.is_built_in()));
        let error = resolve(Some("smollm3"), models.path()).unwrap_err().to_string();
        assert!(error.contains("smollm2-135m-instruct") && error.contains("owner/name@revision"), "{error}");
    }
}
