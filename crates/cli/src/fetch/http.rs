//! Requests, with time-outs that let a machine without internet move on in seconds.

use std::time::Duration;
use ureq::config::RedirectAuthHeaders;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

const RESOLVE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(8);
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// Between two pieces of a body; a download as a whole may take as long as it needs.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes requests to one server, and tells it who asks.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    token: Option<String>,
}

impl Http {
    /// `token` goes to the servers that are asked, and not to others that they redirect to.
    pub(crate) fn new(token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(RESOLVE))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(FIRST_BYTE))
            .timeout_per_read(Some(SILENCE))
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(concat!("atman/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), token }
    }

    /// Asks for what is at `url` from byte `from` on; an error is one of the connection, a status is not.
    pub(crate) fn get(&self, url: &str, from: u64) -> Result<Response<Body>, ureq::Error> {
        // Lengths and hashes are of the file itself, so a server must not compress it.
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        request.call()
    }
}
