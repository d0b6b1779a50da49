//! Which model is wanted from a server, and what its files must be.

use super::check::Expected;
use super::js;
use super::record::{Record, RecordedFile};
use super::request;
use crate::messages::{ModelFrom, SiteFile};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use web_sys::Url;
use weights::hub::{self, LISTING_LIMIT_BYTES, Listing, Repository};
use weights::text::hex;

/// A model that a server has, before the server is asked.
pub(super) struct Wanted {
    /// Its name in the store.
    pub(super) id: String,
    /// What a person calls it.
    pub(super) name: String,
    /// As it was asked for.
    pub(super) from: ModelFrom,
    place: Place,
}

enum Place {
    Site { url: String, expected: Expected },
    Folder { url: String, files: Vec<SiteFile> },
    Hub(Repository),
}

/// A model's files, as the server has them.
pub(super) struct Plan {
    /// Its licence as its publisher names it.
    pub(super) licence: Option<String>,
    /// What to fetch, in this order.
    pub(super) files: Vec<PlannedFile>,
}

/// One file to fetch.
#[derive(Clone)]
pub(super) struct PlannedFile {
    /// Its name in the store, and for people.
    pub(super) name: String,
    /// Its address.
    pub(super) url: String,
    /// What it must be.
    pub(super) expected: Expected,
    /// See [`RecordedFile::version`]; `None` where only the server's answer tells.
    pub(super) commit: Option<String>,
    /// Whether the browser may take it from its cache, where the page has begun to fetch it there.
    pub(super) may_be_cached: bool,
}

impl Wanted {
    /// Understands an address or the name of a repository.
    pub(super) fn new(from: &ModelFrom) -> Result<Wanted> {
        let (name, key, place) = match from {
            ModelFrom::Site { url, len_bytes, sha256 } => {
                let absolute = absolute(url)?;
                let name = file_name(&absolute.pathname());
                let expected = Expected { len_bytes: *len_bytes, sha256: sha256.clone() };
                (name, absolute.href(), Place::Site { url: absolute.href(), expected })
            }
            ModelFrom::SiteFolder { name, url, files } => {
                let url = absolute(url)?.href();
                (name.clone(), url.clone(), Place::Folder { url, files: files.clone() })
            }
            ModelFrom::Hub { repository } => {
                let text = repository.trim();
                let parsed = Repository::parse(text);
                let parsed = parsed.with_context(|| {
                    let text = weights::text::one_line(text, 120);
                    format!("`{text}` is no repository: write owner/name, owner/name@revision or owner/name:file.gguf")
                })?;
                (parsed.text(), parsed.text(), Place::Hub(parsed))
            }
            ModelFrom::Kept { .. } | ModelFrom::Picked => bail!("this model is not on a server"),
        };
        let hash = hex(&Sha256::digest(&key));
        let id = format!("{}-{}", safe(&name), hash.get(..8).unwrap_or_default());
        Ok(Wanted { id, name, from: from.clone(), place })
    }

    /// Whether what the store has is what is wanted, as far as that is known here.
    pub(super) fn is(&self, record: &Record) -> bool {
        match (&self.place, record.files.as_slice()) {
            (Place::Site { expected, .. }, [file]) => {
                let is_hash = |hash: &String| file.sha256.as_ref().is_some_and(|kept| kept.eq_ignore_ascii_case(hash));
                expected.len_bytes.is_none_or(|len| file.len_bytes == Some(len)) && expected.sha256.as_ref().is_none_or(is_hash)
            }
            (Place::Site { .. } | Place::Folder { .. }, _) => false,
            // Whoever wants a repository's newest files deletes those kept.
            (Place::Hub(_), files) => !files.is_empty(),
        }
    }

    /// What to fetch. Asks the hub where it is there.
    pub(super) async fn plan(&self) -> Result<Plan> {
        match &self.place {
            Place::Site { url, expected } => {
                let (name, url, expected) = (safe(&self.name), url.clone(), expected.clone());
                let file = PlannedFile { name, url, expected, commit: None, may_be_cached: false };
                Ok(Plan { licence: None, files: vec![file] })
            }
            Place::Folder { url, files } => {
                let file = |file: &SiteFile| PlannedFile {
                    name: file.name.clone(),
                    url: format!("{url}{}", file.name),
                    expected: Expected { len_bytes: Some(file.len_bytes), sha256: Some(file.sha256.clone()) },
                    commit: None,
                    may_be_cached: true,
                };
                Ok(Plan { licence: None, files: files.iter().map(file).collect() })
            }
            Place::Hub(repository) => {
                let listing = list(repository).await?;
                let licence = listing.licence();
                let selection = listing.select(repository.file.as_deref());
                let selection = selection.with_context(|| format!("{} has no model to load", repository.text()))?;
                let file = |file: hub::HubFile| PlannedFile {
                    url: hub::file_url(hub::DEFAULT_ENDPOINT, &repository.id(), &listing.commit, &file.path),
                    name: file.path.replace('/', "--"),
                    expected: Expected { len_bytes: Some(file.len_bytes), sha256: file.sha256 },
                    commit: Some(listing.commit.clone()),
                    may_be_cached: false,
                };
                Ok(Plan { licence, files: selection.files.into_iter().map(file).collect() })
            }
        }
    }
}

impl PlannedFile {
    /// What is known before anything is fetched.
    pub(super) fn recorded(&self) -> RecordedFile {
        RecordedFile {
            name: self.name.clone(),
            len_bytes: self.expected.len_bytes,
            sha256: self.expected.sha256.clone(),
            version: self.commit.clone(),
        }
    }

    /// Whether a file that is all there is this one: by its content, or else by its name in the same commit.
    fn is(&self, kept: &RecordedFile) -> bool {
        match (&self.expected.sha256, &kept.sha256) {
            (Some(expected), Some(kept)) => expected.eq_ignore_ascii_case(kept),
            _ => self.commit.is_some() && self.commit == kept.version && self.name == kept.name,
        }
    }

    /// Whether what was fetched of `before` may be a part of this file.
    pub(super) fn continues(&self, before: &RecordedFile) -> bool {
        match (&self.expected.sha256, &self.commit) {
            // The hash of the whole will say whether the pieces belong together.
            (Some(hash), _) => before.sha256.as_ref().is_none_or(|known| known.eq_ignore_ascii_case(hash)),
            (None, Some(commit)) => before.version.as_ref() == Some(commit),
            // The server is asked for that very version.
            (None, None) => before.version.is_some(),
        }
    }
}

impl Plan {
    /// Whether a complete model of the store holds just these files, whatever it is called there and wherever it came from.
    pub(super) fn is(&self, record: &Record) -> bool {
        let is_kept = |file: &PlannedFile| record.files.iter().any(|kept| file.is(kept));
        self.files.len() == record.files.len() && self.files.iter().all(is_kept)
    }

    /// Bytes of all files, if they are known.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.expected.len_bytes).sum()
    }

    /// What is known before anything is fetched.
    pub(super) fn record(&self, wanted: &Wanted) -> Record {
        Record {
            name: wanted.name.clone(),
            from: wanted.from.clone(),
            licence: self.licence.clone(),
            files: self.files.iter().map(PlannedFile::recorded).collect(),
        }
    }
}

async fn list(repository: &Repository) -> Result<Listing> {
    let url = hub::listing_url(hub::DEFAULT_ENDPOINT, repository);
    let asking = || format!("asking the hub about {} at {}", repository.id(), repository.revision());
    let fetch = async {
        let mut answer = request::get(&url, 0, None, false).await?;
        let mut text = Vec::new();
        while let Some(piece) = answer.next().await? {
            if text.len() as u64 + u64::from(piece.length()) > LISTING_LIMIT_BYTES {
                break;
            }
            text.extend(piece.to_vec());
        }
        Ok(text)
    };
    let text = fetch.await.map_err(request::Failure::into_error).with_context(asking)?;
    ensure!(!text.is_empty(), "{}: the answer is empty", asking());
    Listing::parse(&text).with_context(asking)
}

/// An address, seen from the worker's own, without a fragment.
fn absolute(url: &str) -> Result<Url> {
    let absolute = Url::new_with_base(url, &js::scope().location().href());
    let absolute = absolute.ok().with_context(|| format!("`{url}` is no address"))?;
    absolute.set_hash("");
    Ok(absolute)
}

/// The last part of an address' path, as people write it.
fn file_name(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let decoded = js_sys::decode_uri_component(last).map_or_else(|_| last.to_owned(), String::from);
    let name = weights::text::one_line(&decoded, 80);
    if name.is_empty() { "model".to_owned() } else { name }
}

/// A name that every file system takes, and that does not begin with a dot.
fn safe(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = name.chars().map(plain).take(80).collect();
    let name = name.trim_matches('.');
    if name.is_empty() { "model".to_owned() } else { name.to_owned() }
}
