//! The Hugging Face hub: what a repository holds, and which of it is the model.

use super::download::status_line;
use super::http::{Http, encode_path};
use super::verify::Expected;
use crate::name::{Repository, is_relative_path};
use crate::text;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use std::io::Read;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// A repository of some thousand files takes a few hundred kB.
const LISTING_BYTES: u64 = 16 << 20;

/// The hub, or the mirror that `HF_ENDPOINT` names.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) http: Http,
    endpoint: String,
}

/// What a repository holds at a revision.
#[derive(Debug, Deserialize)]
pub(crate) struct Listing {
    /// The commit that the revision means.
    #[serde(rename = "sha")]
    pub(crate) commit: String,
    siblings: Vec<Sibling>,
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
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) kind: Kind,
    /// Paths in the repository, and what each must be.
    pub(crate) files: Vec<(String, Expected)>,
}

/// What form a model comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One file has everything.
    Gguf,
    /// Weights, configuration and tokenizer beside each other.
    Safetensors,
}

/// Beside the weights, what describes them; those that are missing are not needed.
const DESCRIPTIONS: [&str; 6] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
];

impl Hub {
    /// As `HF_ENDPOINT` and `HF_TOKEN` say.
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        Self { http: Http::new(variable("HF_TOKEN")), endpoint: endpoint.trim_end_matches('/').to_owned() }
    }

    /// Where a file of a repository can be downloaded.
    pub(crate) fn file_url(&self, repository: &str, revision: &str, path: &str) -> String {
        format!("{}/{repository}/resolve/{}/{}", self.endpoint, encode_revision(revision), encode_path(path))
    }

    /// Asks what a repository holds.
    pub(crate) fn list(&self, repository: &Repository) -> Result<Listing> {
        let Repository { owner, name, .. } = repository;
        let revision = encode_revision(repository.revision());
        let url = format!("{}/api/models/{owner}/{name}/revision/{revision}?blobs=true", self.endpoint);
        let asking = || format!("asking {} about {owner}/{name} at {}", self.endpoint, repository.revision());
        let response = self.http.get(&url, 0).with_context(asking)?;
        let status = response.status();
        if !status.is_success() {
            return Err(anyhow!(status_line(status)).context(asking()));
        }
        let mut text = Vec::new();
        let body = response.into_body().into_reader().take(LISTING_BYTES).read_to_end(&mut text);
        // As text: a connection's broken pipe must not pass for one of our output's, which is no failure.
        body.map_err(|error| anyhow!("the connection broke: {error}")).with_context(asking)?;
        let listing: Listing =
            serde_json::from_slice(&text).context("the answer is not a listing of files").with_context(asking)?;
        if listing.commit.len() != 40 || !listing.commit.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(anyhow!("the answer names no commit").context(asking()));
        }
        Ok(listing)
    }
}

/// A revision is one segment of an address, slashes and all.
fn encode_revision(revision: &str) -> String {
    encode_path(revision).replace('/', "%2F")
}

impl Listing {
    /// Chooses what to fetch: the GGUF file that is named or the only one; else safetensors with what describes them.
    ///
    /// Pickled weights are refused, whatever they are called: reading them runs whatever program they contain.
    pub(crate) fn select(&self, wanted: Option<&str>) -> Result<Selection> {
        let ggufs: Vec<&str> = self.paths().filter(|path| path.ends_with(".gguf")).collect();
        if let Some(wanted) = wanted {
            if !wanted.ends_with(".gguf") {
                bail!("`{wanted}` is not a GGUF file, the only kind that can be named alone{}", listed(&ggufs));
            }
            if !ggufs.contains(&wanted) {
                bail!("the repository has no file `{wanted}`{}", listed(&ggufs));
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
            bail!("the repository has {} GGUF files; name one as owner/name:file.gguf{}", ggufs.len(), listed(&ggufs));
        }
        let is_pickle = |path: &str| [".bin", ".pt", ".pth", ".pkl", ".ckpt"].iter().any(|end| path.ends_with(end));
        if let Some(pickle) = self.paths().find(|path| is_pickle(path)) {
            bail!(
                "the repository has only pickled weights (`{}`), which can run any program when read: refused; \
                 look for a copy of the model in safetensors or GGUF",
                text::one_line(pickle, 120)
            );
        }
        bail!("the repository has neither a GGUF file nor safetensors with a config.json")
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        // A path that would leave the folder is no file of a model.
        self.siblings.iter().map(|sibling| sibling.rfilename.as_str()).filter(|path| is_relative_path(path))
    }

    fn selection(&self, kind: Kind, paths: &[&str]) -> Result<Selection> {
        let expected = |path: &&str| {
            let sibling = self.siblings.iter().find(|sibling| sibling.rfilename == *path);
            let lfs = sibling.and_then(|s| s.lfs.as_ref());
            let len_bytes = lfs.and_then(|lfs| lfs.size).or(sibling.and_then(|s| s.size));
            let len_bytes = len_bytes.ok_or_else(|| anyhow!("the hub does not state the size of `{path}`"))?;
            let sha256 = lfs.and_then(|lfs| lfs.sha256.clone());
            Ok(((*path).to_owned(), Expected { len_bytes, sha256 }))
        };
        Ok(Selection { kind, files: paths.iter().map(expected).collect::<Result<_>>()? })
    }
}

/// `model-00001-of-00004.safetensors` at the top of the repository.
fn is_weight_shard(path: &str) -> bool {
    let Some(middle) = path.strip_prefix("model-").and_then(|p| p.strip_suffix(".safetensors")) else { return false };
    middle.split_once("-of-").is_some_and(|(i, n)| [i, n].iter().all(|d| d.bytes().all(|b| b.is_ascii_digit())))
}

fn listed(ggufs: &[&str]) -> String {
    const MOST: usize = 40;
    let mut lines: String = ggufs.iter().take(MOST).map(|path| format!("\n  {}", text::one_line(path, 120))).collect();
    if ggufs.len() > MOST {
        lines.push_str(&format!("\n  and {} more", ggufs.len() - MOST));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let sibling = |name: &&str| Sibling { rfilename: (*name).to_owned(), size: Some(3), lfs: None };
        Listing { commit: "0".repeat(40), siblings: names.iter().map(sibling).collect() }
    }

    fn selected(names: &[&str], wanted: Option<&str>) -> Result<(Kind, Vec<String>)> {
        let selection = listing(names).select(wanted)?;
        Ok((selection.kind, selection.files.into_iter().map(|(path, _)| path).collect()))
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
}
