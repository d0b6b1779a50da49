//! One file over HTTP: resumed where an earlier attempt ended, verified, moved into place whole.

use super::http::Http;
use super::lock::beside;
use super::verify::{Expected, hash_into};
use crate::progress::Progress;
use crate::say;
use crate::text;
use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use weights::Mismatch;

/// Attempts in a row that get no further than those before, until giving up.
const FRUITLESS_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Brings `url` to `target`. What has come so far is kept beside it if this fails half-way, and taken up by the next call.
///
/// Only a file whose hash is known is resumed: the hash of the whole says whether the pieces belonged together, which is
/// stronger than comparing entity tags, and holds across mirrors.
pub(crate) fn to_file(http: &Http, url: &str, target: &Path, expected: &Expected, progress: &mut Progress) -> Result<()> {
    let mut part = Part::open(beside(target, "part"), expected, progress)?;
    let result = bring(http, url, &mut part, expected, progress).and_then(|()| part.move_to(target));
    if result.is_err() && part.len_bytes == 0 {
        // Nothing worth keeping; a failure to tidy up must not hide the reason.
        let _ = fs::remove_file(&part.path);
    }
    result
}

/// Fills `part` with the right content.
fn bring(http: &Http, url: &str, part: &mut Part, expected: &Expected, progress: &mut Progress) -> Result<()> {
    let mut fruitless = 0;
    let mut connected = false;
    let mut started_over = false;
    let mut furthest = part.len_bytes;
    loop {
        if part.len_bytes == expected.len_bytes {
            match expected.compare(part.len_bytes, part.digest.clone()) {
                Ok(()) => return Ok(()),
                Err(mismatch) => {
                    let try_whole = part.is_pieced_together && !started_over;
                    part.restart()?;
                    if !try_whole {
                        bail!("the content is not what it should be: {mismatch}");
                    }
                    started_over = true;
                    say::warn(format_args!("resumed content is not what it should be ({mismatch}); starting over"));
                }
            }
        }
        progress.set(part.len_bytes);
        match attempt(http, url, part, expected, progress) {
            Ok(()) => connected = true,
            Err(Failure::Final(error)) => return Err(error),
            // A machine without internet is told at once; a connection that worked before is worth waiting for.
            Err(Failure::Connection(error)) if !connected => return Err(error),
            Err(Failure::Connection(error) | Failure::Transient(error)) => {
                connected = true;
                fruitless = if part.len_bytes > furthest { 0 } else { fruitless + 1 };
                furthest = furthest.max(part.len_bytes);
                if fruitless >= FRUITLESS_ATTEMPTS {
                    return Err(error);
                }
                if expected.sha256.is_none() {
                    part.restart()?;
                } else {
                    part.is_pieced_together = part.len_bytes > 0;
                }
                std::thread::sleep(FIRST_PAUSE * 2_u32.pow(fruitless));
            }
        }
    }
}

/// Why one attempt ended early.
enum Failure {
    /// No answer at all.
    Connection(anyhow::Error),
    /// Trying again may help.
    Transient(anyhow::Error),
    /// It will not.
    Final(anyhow::Error),
}

/// One request, from the end of `part` on; `Ok` when `part` has the expected length or starts over.
fn attempt(http: &Http, url: &str, part: &mut Part, expected: &Expected, progress: &mut Progress) -> Result<(), Failure> {
    let from = part.len_bytes;
    let response = http.get(url, from).map_err(|e| Failure::Connection(e.into()))?;
    match response.status() {
        StatusCode::OK => {
            if let Some(length) = number(response.headers(), &header::CONTENT_LENGTH).filter(|l| *l != expected.len_bytes) {
                let mismatch = Mismatch::Length { found: length, expected: expected.len_bytes };
                return Err(Failure::Final(anyhow!("the server's file is another: {mismatch}")));
            }
            // To a server that cannot resume, or one whose piece went missing, the whole is the answer.
            part.restart().map_err(Failure::Final)?;
            progress.set(0);
        }
        StatusCode::PARTIAL_CONTENT if continues(response.headers(), from, expected.len_bytes) => {}
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
            return part.restart().map_err(Failure::Final);
        }
        status => {
            let error = anyhow!("{}", status_line(status));
            let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            return Err(if passing { Failure::Transient(error) } else { Failure::Final(error) });
        }
    }
    receive(response, part, expected, progress)
}

fn receive(response: Response<Body>, part: &mut Part, expected: &Expected, progress: &mut Progress) -> Result<(), Failure> {
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; 1 << 18];
    loop {
        let n = match body.read(&mut piece) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Transient(anyhow!("the connection broke: {error}"))),
        };
        if n == 0 && part.len_bytes < expected.len_bytes {
            let error = anyhow!("the connection ended after {} of {} bytes", part.len_bytes, expected.len_bytes);
            return Err(Failure::Transient(error));
        }
        if n == 0 {
            return Ok(());
        }
        if n as u64 > expected.len_bytes.saturating_sub(part.len_bytes) {
            return Err(Failure::Final(anyhow!("the server sends more than the expected {} bytes", expected.len_bytes)));
        }
        part.append(piece.get(..n).unwrap_or_default()).map_err(Failure::Final)?;
        progress.add(n as u64);
    }
}

/// Whether a partial answer starts at `from`, within a whole of `total` bytes: `Content-Range: bytes 100-199/200`.
fn continues(headers: &HeaderMap, from: u64, total: u64) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let Some((positions, whole)) = range.and_then(|r| r.trim().strip_prefix("bytes ")).and_then(|r| r.split_once('/')) else {
        return false;
    };
    let first = positions.split_once('-').and_then(|(first, _)| first.trim().parse().ok());
    first == Some(from) && (whole == "*" || whole.parse() == Ok(total))
}

fn number(headers: &HeaderMap, name: &header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// A status as a reason, with what to do about it.
pub(crate) fn status_line(status: StatusCode) -> String {
    let name = status.canonical_reason().unwrap_or("unknown status");
    let advice = match status.as_u16() {
        401 => ": no such repository, or one that needs a token in HF_TOKEN",
        403 => ": the token in HF_TOKEN does not give access; its owner may have to accept the model's terms on the hub",
        404 => ": no such repository, revision or file",
        _ => "",
    };
    format!("HTTP {} {name}{advice}", status.as_u16())
}

/// What has come so far.
struct Part {
    path: PathBuf,
    file: File,
    digest: Sha256,
    len_bytes: u64,
    /// Whether more than one answer contributed.
    is_pieced_together: bool,
}

impl Part {
    /// Opens and hashes what an earlier attempt left.
    fn open(path: PathBuf, expected: &Expected, progress: &mut Progress) -> Result<Self> {
        let failed = || format!("cannot use {}", path.display());
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).with_context(failed)?;
        let left = file.metadata().with_context(failed)?.len();
        let mut digest = Sha256::new();
        let mut len_bytes = 0;
        if left > 0 && left <= expected.len_bytes && expected.sha256.is_some() {
            say::note(format_args!("resuming: {} are there from before", text::bytes(left)));
            len_bytes = hash_into(&mut file, &mut digest, |bytes| progress.add(bytes)).with_context(failed)?;
        }
        let mut part = Self { path, file, digest, len_bytes, is_pieced_together: len_bytes > 0 };
        if len_bytes == 0 {
            part.restart()?;
        }
        Ok(part)
    }

    fn restart(&mut self) -> Result<()> {
        let failed = |path: &Path| format!("cannot empty {}", path.display());
        self.file.set_len(0).with_context(|| failed(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).with_context(|| failed(&self.path))?;
        self.digest = Sha256::new();
        self.len_bytes = 0;
        self.is_pieced_together = false;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).with_context(|| format!("cannot write {}", self.path.display()))?;
        self.digest.update(bytes);
        self.len_bytes = self.len_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Everything is on disk before the name is: a crash leaves either no file or the right one.
    fn move_to(&self, target: &Path) -> Result<()> {
        self.file.sync_all().with_context(|| format!("cannot write {}", self.path.display()))?;
        fs::rename(&self.path, target).with_context(|| format!("cannot move {} to {}", self.path.display(), target.display()))
    }
}
