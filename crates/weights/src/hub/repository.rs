//! How a repository is named.

/// `owner/name`, optionally `@revision` and `:file.gguf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Who keeps it.
    pub owner: String,
    /// What it is called.
    pub name: String,
    /// Branch, tag or commit.
    pub revision: Option<String>,
    /// Path of one GGUF file in the repository.
    pub file: Option<String>,
}

impl Repository {
    /// The revision asked for, or the branch that the hub shows.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// `owner/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// As it was typed.
    pub fn text(&self) -> String {
        let revision = self.revision.as_ref().map(|r| format!("@{r}")).unwrap_or_default();
        let file = self.file.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        format!("{}/{}{revision}{file}", self.owner, self.name)
    }

    /// Reads a name; `None` where the text is none, which paths are not.
    pub fn parse(text: &str) -> Option<Self> {
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
pub fn is_relative_path(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', ' ']))
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
}
