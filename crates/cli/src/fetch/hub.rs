//! Asking the Hugging Face hub.

use super::download::status_line;
use super::http::Http;
use super::verify::Expected;
use anyhow::{Context, Result, anyhow};
use std::io::Read;
use weights::hub::{self, HubFile, LISTING_LIMIT_BYTES, Listing, Repository};

/// The hub, or the mirror that `HF_ENDPOINT` names.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) http: Http,
    endpoint: String,
}

impl Hub {
    /// As `HF_ENDPOINT` and `HF_TOKEN` say.
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| hub::DEFAULT_ENDPOINT.to_owned());
        Self { http: Http::new(variable("HF_TOKEN")), endpoint: endpoint.trim_end_matches('/').to_owned() }
    }

    /// Where a file of a repository can be downloaded.
    pub(crate) fn file_url(&self, repository: &str, revision: &str, path: &str) -> String {
        hub::file_url(&self.endpoint, repository, revision, path)
    }

    /// Asks what a repository holds.
    pub(crate) fn list(&self, repository: &Repository) -> Result<Listing> {
        let url = hub::listing_url(&self.endpoint, repository);
        let asking = || format!("asking {} about {} at {}", self.endpoint, repository.id(), repository.revision());
        let response = self.http.get(&url, 0).with_context(asking)?;
        let status = response.status();
        if !status.is_success() {
            return Err(anyhow!(status_line(status)).context(asking()));
        }
        let mut text = Vec::new();
        let body = response.into_body().into_reader().take(LISTING_LIMIT_BYTES).read_to_end(&mut text);
        // As text: a connection's broken pipe must not pass for one of our output's, which is no failure.
        body.map_err(|error| anyhow!("the connection broke: {error}")).with_context(asking)?;
        Listing::parse(&text).with_context(asking)
    }
}

impl From<&HubFile> for Expected {
    fn from(file: &HubFile) -> Self {
        Self { len_bytes: file.len_bytes, sha256: file.sha256.clone() }
    }
}
