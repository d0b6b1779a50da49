//! How a model is named.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use weights::catalogue::{self, CATALOGUE, CatalogueEntry};

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

/// `owner/name`, optionally `@revision` and `:file.gguf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Branch, tag or commit.
    pub(crate) revision: Option<String>,
    /// Path of one GGUF file in the repository.
    pub(crate) file: Option<String>,
}

impl Repository {
    /// The revision asked for, or the branch that the hub shows.
    pub(crate) fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// As it was typed.
    pub(crate) fn text(&self) -> String {
        let revision = self.revision.as_ref().map(|r| format!("@{r}")).unwrap_or_default();
        let file = self.file.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        format!("{}/{}{revision}{file}", self.owner, self.name)
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, file) = split_optional(text, ':')?;
        let (id, revision) = split_optional(head, '@')?;
        let (owner, name) = id.split_once('/')?;
        let is_plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        // A slip in a file's path is told as such, not looked for on the network.
        let is_file_name = [".gguf", ".safetensors"].iter().any(|end| id.ends_with(end));
        let known = is_plain(owner)
            && is_plain(name)
            && !is_file_name
            && revision.is_none_or(|r| r.split('/').all(is_plain))
            && file.is_none_or(is_relative_path);
        known.then(|| Self {
            owner: owner.into(),
            name: name.into(),
            revision: revision.map(Into::into),
            file: file.map(Into::into),
        })
    }
}

/// Splits at the first `separator`; `None` if nothing follows it.
fn split_optional(text: &str, separator: char) -> Option<(&str, Option<&str>)> {
    match text.split_once(separator) {
        Some((_, "")) => None,
        Some((head, tail)) => Some((head, Some(tail))),
        None => Some((text, None)),
    }
}

/// Whether a path that came from elsewhere stays inside the folder it is joined to, on every platform.
pub(crate) fn is_relative_path(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', ' ']))
}

/// What `text` names. A file or folder that exists wins, then the catalogue, then a file of the models folder, then the hub.
pub(crate) fn resolve(text: &str, models: &Path) -> Result<ModelName> {
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

    fn repository(text: &str) -> Option<(String, String, Option<String>, Option<String>)> {
        Repository::parse(text).map(|r| (r.owner, r.name, r.revision, r.file))
    }

    #[test]
    fn a_repository_may_carry_a_revision_and_a_file() {
        let parts = |o: &str, n: &str, r: Option<&str>, f: Option<&str>| {
            Some((o.to_owned(), n.to_owned(), r.map(str::to_owned), f.map(str::to_owned)))
        };
        assert_eq!(repository("o/n-1.7B"), parts("o", "n-1.7B", None, None));
        assert_eq!(repository("o/n@refs/pr/1"), parts("o", "n", Some("refs/pr/1"), None));
        assert_eq!(repository("o/n:q/a@b.gguf"), parts("o", "n", None, Some("q/a@b.gguf")));
        assert_eq!(repository("o/n@v1:a.gguf"), parts("o", "n", Some("v1"), Some("a.gguf")));
        let text = "o/n@v1:a.gguf";
        assert_eq!(Repository::parse(text).map(|r| r.text()).as_deref(), Some(text));
    }

    /// What looks like a path must not turn into a request to the network, nor a name into a path outside the folder.
    #[test]
    fn paths_and_fragments_are_not_repositories() {
        for text in [
            "",
            "n",
            "/n",
            "o/",
            "./n",
            "../n",
            "~/n",
            "a/b/c",
            "o/n:",
            "o/n@",
            "o/n:../a",
            "o/n:/a",
            "o/n@../x",
            "o/.n",
            "models/a.gguf",
            "a b/c",
            "C:\\a",
            "o/n:a\\..\\b",
            "o/n:c:d",
        ] {
            assert_eq!(repository(text), None, "{text}");
        }
    }

    #[test]
    fn what_exists_wins_and_nothing_known_lists_the_catalogue() {
        let models = tempfile::tempdir().unwrap();
        std::fs::write(models.path().join("mine.gguf"), b"x").unwrap();
        assert_eq!(resolve("mine.gguf", models.path()).unwrap(), ModelName::Path(models.path().join("mine.gguf")));
        let exists = models.path().to_str().unwrap();
        assert_eq!(resolve(exists, models.path()).unwrap(), ModelName::Path(models.path().into()));
        assert!(matches!(resolve("SMOLLM2-135m-instruct", models.path()).unwrap(), ModelName::Catalogue(_)));
        let error = resolve("smollm3", models.path()).unwrap_err().to_string();
        assert!(error.contains("smollm2-135m-instruct") && error.contains("owner/name@revision"), "{error}");
    }
}
