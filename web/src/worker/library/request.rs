//! Asking a server for a file, from some byte on.

use super::js;
use anyhow::{Error, Result, anyhow};
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, ReadableStreamReadResult, ReferrerPolicy, RequestCache, RequestInit,
    Response,
};
use weights::text::one_line;

/// A server that says nothing for so long is taken to be gone.
const SILENCE_MS: i32 = 60_000;

/// Why a server's answer is of no use.
pub(super) enum Failure {
    /// There was none.
    Connection(Error),
    /// Trying again may help.
    Transient(Error),
    /// It will not.
    Final(Error),
    /// The server's file does not go on from there.
    Stale,
}

impl Failure {
    /// For people.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Connection(error) | Self::Transient(error) | Self::Final(error) => error,
            Self::Stale => anyhow!("the server's file does not go on from there"),
        }
    }
}

/// A file on its way. To let go of it stops it.
pub(super) struct Answer {
    /// The first byte that comes; `None` where the server hides it.
    pub(super) start: Option<u64>,
    /// Length of the whole file, if the server says.
    pub(super) total_bytes: Option<u64>,
    /// What changes with the file: an entity tag, or when it was changed last.
    pub(super) version: Option<String>,
    url: String,
    reader: Option<ReadableStreamDefaultReader>,
    // Last, so that it is there as long as the rest.
    _abort: Abort,
}

struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for what is at `url`, from byte `from` on if that is not 0 and the file's version is still `version`, if given.
///
/// The browser keeps no copy of its own unless it `may_cache`: models would be there twice.
pub(super) async fn get(url: &str, from: u64, version: Option<&str>, may_cache: bool) -> Result<Answer, Failure> {
    let (abort, init) = init(from, version, may_cache).map_err(|error| Failure::Final(js::failure(&error)))?;
    let response = js::within(js::scope().fetch_with_str_and_init(url, &init), SILENCE_MS).await;
    let response: Response = match response {
        Some(Ok(response)) => response.unchecked_into(),
        Some(Err(error)) => {
            return Err(Failure::Connection(anyhow!("{url} could not be reached: {}", js::message(&error))));
        }
        None => return Err(Failure::Transient(anyhow!("{url} gave no answer for {} s", SILENCE_MS / 1000))),
    };
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let number = |name: &str| header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let (start, total_bytes) = match response.status() {
        // What was compressed for the way has another length than what comes out.
        200 => (Some(0), number("Content-Length").filter(|_| header("Content-Encoding").is_none())),
        206 if from > 0 => match header("Content-Range").map(|range| content_range(&range)) {
            Some(Some((start, total))) => (Some(start), total),
            Some(None) => return Err(Failure::Stale),
            None => (None, None),
        },
        206 | 416 => return Err(Failure::Stale),
        status => return Err(refusal(url, status, &response.status_text())),
    };
    let reader = response.body().map(|body| body.get_reader().unchecked_into());
    // A weak tag says that a file means the same, not that it is the same.
    let tag = header("ETag").filter(|tag| !tag.starts_with("W/"));
    let version = tag.or_else(|| header("Last-Modified"));
    Ok(Answer { start, total_bytes, version, url: url.to_owned(), reader, _abort: abort })
}

fn init(from: u64, version: Option<&str>, may_cache: bool) -> Result<(Abort, RequestInit), wasm_bindgen::JsValue> {
    let abort = Abort(AbortController::new()?);
    let headers = Headers::new()?;
    if from > 0 {
        headers.set("Range", &format!("bytes={from}-"))?;
        if let Some(version) = version {
            headers.set("If-Range", version)?;
        }
    }
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_signal(Some(&abort.0.signal()));
    init.set_cache(if may_cache { RequestCache::Default } else { RequestCache::NoStore });
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    Ok((abort, init))
}

/// A status that brings no file, with what to do about it.
fn refusal(url: &str, status: u16, text: &str) -> Failure {
    let advice = match status {
        401 | 403 => ". It is private, or wants to be signed in to; download the files yourself and pick them here",
        404 => ". There is no such file, repository or revision; check the name",
        429 => ". Too much is asked of the server; try again later",
        500.. => ". Try again later",
        _ => "",
    };
    let error = anyhow!("{url} could not be loaded: the server answered {status} {}{advice}", one_line(text, 80));
    if status >= 500 || status == 429 { Failure::Transient(error) } else { Failure::Final(error) }
}

/// First byte and whole length in `bytes 100-199/1234`; the length may be `*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, length) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    Some((start, if length == "*" { None } else { Some(length.trim().parse().ok()?) }))
}

impl Answer {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Uint8Array>, Failure> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let read: ReadableStreamReadResult = match js::within(reader.read(), SILENCE_MS).await {
            Some(Ok(read)) => read.unchecked_into(),
            Some(Err(error)) => {
                return Err(Failure::Transient(anyhow!("{} broke off: {}", self.url, js::message(&error))));
            }
            None => return Err(Failure::Transient(anyhow!("{} broke off: nothing came for a minute", self.url))),
        };
        Ok(if read.get_done() == Some(true) { None } else { read.get_value().dyn_into().ok() })
    }
}
