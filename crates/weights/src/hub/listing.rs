//! What a repository holds, and which of it is the model.

use super::is_relative_path;
use crate::text::one_line;
use serde::Deserialize;
use serde_json::Value;

/// The most of a listing that is worth reading: one of some thousand files takes a few hundred kB.
pub const LISTING_LIMIT_BYTES: u64 = 16 << 20;

/// Beside the weights, what describes them; those that are missing are not needed.
const DESCRIPTIONS: [&str; 10] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
];
/// File names of a message that lists them.
const MOST_LISTED: usize = 40;

/// Why a listing gives no model.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Not the hub's JSON.
    #[error("the answer is not a listing of files")]
    NotAListing(#[source] serde_json::Error),
    /// A listing without the commit that it is of.
    #[error("the answer names no commit")]
    NoCommit,
    /// A file was named that cannot stand alone.
    #[error("`{file}` is not a GGUF file, the only kind that can be named alone{}", listed(ggufs))]
    NotGguf {
        /// What was named.
        file: String,
        /// What could have been.
        ggufs: Vec<String>,
    },
    /// A file was named that is not there.
    #[error("the repository has no file `{file}`{}", listed(ggufs))]
    NoSuchFile {
        /// What was named.
        file: String,
        /// What could have been.
        ggufs: Vec<String>,
    },
    /// There are several models, and none was named.
    #[error("the repository has {} GGUF files; name one as owner/name:file.gguf{}", ggufs.len(), listed(ggufs))]
    SeveralGgufs {
        /// What can be named.
        ggufs: Vec<String>,
    },
    /// Pickled weights only.
    #[error(
        "the repository has only pickled weights (`{}`), which can run any program when read: refused; \
         look for a copy of the model in safetensors or GGUF",
        one_line(file, 120)
    )]
    OnlyPickles {
        /// One of them.
        file: String,
    },
    /// No weights that are known.
    #[error("the repository has neither a GGUF file nor safetensors with a config.json")]
    NoModel,
    /// A file without a size.
    #[error("the hub does not state the size of `{file}`")]
    NoSize {
        /// The file.
        file: String,
    },
}

/// What a repository holds at a revision.
#[derive(Debug, Deserialize)]
pub struct Listing {
    /// The commit that the revision means, 40 hexadecimal digits.
    #[serde(rename = "sha")]
    pub commit: String,
    siblings: Vec<Sibling>,
    #[serde(default, rename = "cardData")]
    card: Value,
    #[serde(default)]
    tags: Value,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Debug, Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

/// The files that make up a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// What form it comes in.
    pub kind: Kind,
    /// In the order in which to fetch them, small ones first.
    pub files: Vec<HubFile>,
}

/// One file of a repository, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFile {
    /// Its path in the repository, which leaves no folder that it is joined to.
    pub path: String,
    /// Its exact length.
    pub len_bytes: u64,
    /// SHA-256 in hexadecimal digits; the hub states none for small text files.
    pub sha256: Option<String>,
}

/// What form a model comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file has everything.
    Gguf,
    /// Weights, configuration and tokenizer beside each other.
    Safetensors,
}

impl Listing {
    /// Reads the hub's answer.
    ///
    /// # Errors
    /// When it is no listing or names no commit.
    pub fn parse(json: &[u8]) -> Result<Listing, HubError> {
        let listing: Listing = serde_json::from_slice(json).map_err(HubError::NotAListing)?;
        let is_commit = listing.commit.len() == 40 && listing.commit.bytes().all(|b| b.is_ascii_hexdigit());
        if is_commit { Ok(listing) } else { Err(HubError::NoCommit) }
    }

    /// The licence as the repository names it, from its card or its tags.
    pub fn licence(&self) -> Option<String> {
        let tags = self.tags.as_array().into_iter().flatten().filter_map(Value::as_str);
        let tag = || tags.into_iter().find_map(|tag| tag.strip_prefix("license:"));
        let card = &self.card;
        // `other` says no more than that the name stands in another field.
        let named = card["license_name"].as_str().filter(|_| card["license"].as_str() == Some("other"));
        let licence = named.or(card["license"].as_str()).or_else(tag)?;
        Some(one_line(licence, 80)).filter(|licence| !licence.is_empty())
    }

    /// Chooses what to fetch: the GGUF file that is named or the only one; else safetensors with what describes them.
    ///
    /// Pickled weights are refused, whatever they are called: reading them runs whatever program they contain.
    ///
    /// # Errors
    /// When there is no such model, or more than one.
    pub fn select(&self, wanted: Option<&str>) -> Result<Selection, HubError> {
        let ggufs: Vec<&str> = self.paths().filter(|path| path.ends_with(".gguf")).collect();
        let owned = || ggufs.iter().map(|path| (*path).to_owned()).collect();
        if let Some(wanted) = wanted {
            if !wanted.ends_with(".gguf") {
                return Err(HubError::NotGguf { file: wanted.to_owned(), ggufs: owned() });
            }
            if !ggufs.contains(&wanted) {
                return Err(HubError::NoSuchFile { file: wanted.to_owned(), ggufs: owned() });
            }
            return self.selection(Kind::Gguf, &[wanted]);
        }
        if let [only] = ggufs[..] {
            return self.selection(Kind::Gguf, &[only]);
        }
        let has = |name: &str| self.paths().any(|path| path == name);
        let weights: Vec<&str> = if has("model.safetensors") {
            vec!["model.safetensors"]
        } else {
            self.paths().filter(|path| is_weight_shard(path)).collect()
        };
        if !weights.is_empty() && has("config.json") {
            let index = (weights.len() > 1).then_some("model.safetensors.index.json");
            let files: Vec<&str> = DESCRIPTIONS.into_iter().chain(index).filter(|name| has(name)).chain(weights).collect();
            return self.selection(Kind::Safetensors, &files);
        }
        if !ggufs.is_empty() {
            return Err(HubError::SeveralGgufs { ggufs: owned() });
        }
        let is_pickle = |path: &&str| [".bin", ".pt", ".pth", ".pkl", ".ckpt"].iter().any(|end| path.ends_with(end));
        Err(match self.paths().find(is_pickle) {
            Some(pickle) => HubError::OnlyPickles { file: pickle.to_owned() },
            None => HubError::NoModel,
        })
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        // A path that would leave the folder is no file of a model.
        self.siblings.iter().map(|sibling| sibling.rfilename.as_str()).filter(|path| is_relative_path(path))
    }

    fn selection(&self, kind: Kind, paths: &[&str]) -> Result<Selection, HubError> {
        let file = |path: &&str| {
            let sibling = self.siblings.iter().find(|sibling| sibling.rfilename == *path);
            let lfs = sibling.and_then(|s| s.lfs.as_ref());
            let len_bytes = lfs.and_then(|lfs| lfs.size).or(sibling.and_then(|s| s.size));
            let len_bytes = len_bytes.ok_or_else(|| HubError::NoSize { file: (*path).to_owned() })?;
            let sha256 = lfs.and_then(|lfs| lfs.sha256.clone());
            Ok(HubFile { path: (*path).to_owned(), len_bytes, sha256 })
        };
        Ok(Selection { kind, files: paths.iter().map(file).collect::<Result<_, _>>()? })
    }
}

/// `model-00001-of-00004.safetensors` at the top of the repository.
fn is_weight_shard(path: &str) -> bool {
    let Some(middle) = path.strip_prefix("model-").and_then(|p| p.strip_suffix(".safetensors")) else { return false };
    middle.split_once("-of-").is_some_and(|(i, n)| [i, n].iter().all(|d| d.bytes().all(|b| b.is_ascii_digit())))
}

fn listed(ggufs: &[String]) -> String {
    let lines = ggufs.iter().take(MOST_LISTED).map(|path| format!("\n  {}", one_line(path, 120)));
    let mut lines: String = lines.collect();
    if ggufs.len() > MOST_LISTED {
        lines.push_str(&format!("\n  and {} more", ggufs.len() - MOST_LISTED));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let sibling = |name: &&str| Sibling { rfilename: (*name).to_owned(), size: Some(3), lfs: None };
        let siblings = names.iter().map(sibling).collect();
        Listing { commit: "0".repeat(40), siblings, card: Value::Null, tags: Value::Null }
    }

    fn selected(names: &[&str], wanted: Option<&str>) -> Result<(Kind, Vec<String>), HubError> {
        let selection = listing(names).select(wanted)?;
        Ok((selection.kind, selection.files.into_iter().map(|file| file.path).collect()))
    }

    #[test]
    fn the_only_gguf_is_chosen_and_several_need_a_name() {
        assert_eq!(selected(&["README.md", "a.gguf"], None).unwrap(), (Kind::Gguf, vec!["a.gguf".into()]));
        let error = selected(&["a.gguf", "b.gguf"], None).unwrap_err().to_string();
        assert!(error.contains("owner/name:file.gguf\n  a.gguf\n  b.gguf"), "{error}");
        assert_eq!(selected(&["a.gguf", "q/b.gguf"], Some("q/b.gguf")).unwrap().1, ["q/b.gguf"]);
        assert!(selected(&["a.gguf"], Some("c.gguf")).unwrap_err().to_string().contains("no file `c.gguf`\n  a.gguf"));
        assert!(selected(&["a.gguf", "model.bin"], Some("model.bin")).is_err());
    }

    #[test]
    fn safetensors_come_with_their_descriptions_and_nothing_else() {
        let one = ["config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json", "onnx/model.onnx", "README.md"];
        let (kind, files) = selected(&one, None).unwrap();
        assert_eq!((kind, files.join(" ").as_str()), (Kind::Safetensors, "config.json tokenizer.json model.safetensors"));
        let sharded = [
            "config.json",
            "consolidated.safetensors",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
        ];
        assert_eq!(selected(&sharded, None).unwrap().1.len(), 4);
    }

    #[test]
    fn pickles_and_paths_that_leave_the_folder_are_refused() {
        let error = selected(&["config.json", "pytorch_model.bin"], None).unwrap_err().to_string();
        assert!(error.contains("pickled weights (`pytorch_model.bin`)"), "{error}");
        assert!(selected(&["../a.gguf", "/b.gguf", "c/..\\d.gguf"], None).unwrap_err().to_string().contains("neither"));
    }

    #[test]
    fn the_licence_is_the_cards_or_a_tags() {
        let licence = |rest: &str| {
            let json = format!(r#"{{"sha":"{}","siblings":[]{rest}}}"#, "a".repeat(40));
            Listing::parse(json.as_bytes()).unwrap().licence()
        };
        assert_eq!(licence(r#","cardData":{"license":"mit"},"tags":["license:apache-2.0"]"#).as_deref(), Some("mit"));
        assert_eq!(licence(r#","tags":["gguf","license:apache-2.0"]"#).as_deref(), Some("apache-2.0"));
        assert_eq!(licence(r#","cardData":{"license":"other","license_name":"gemma"}"#).as_deref(), Some("gemma"));
        assert_eq!(licence(r#","cardData":{"license":["mit"]},"tags":{}"#), None);
        assert_eq!(licence(r#","cardData":null"#), None);
    }

    #[test]
    fn an_answer_without_a_commit_is_refused() {
        assert!(matches!(Listing::parse(b"<html>"), Err(HubError::NotAListing(_))));
        assert!(matches!(Listing::parse(br#"{"sha":"main","siblings":[]}"#), Err(HubError::NoCommit)));
    }
}
