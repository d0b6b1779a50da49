//! One file from a server: resumed where it ended before, asked for again where the connection drops, and checked.

use super::blob::BlobSource;
use super::check::{self, Expected};
use super::js;
use super::progress::Progress;
use super::record::{Record, RecordedFile};
use super::request::{self, Answer, Failure};
use super::shelf::Shelf;
use super::sink::{Pieces, Sink};
use super::wanted::PlannedFile;
use crate::messages::LoadPhase;
use anyhow::{Error, Result, anyhow};
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use web_sys::Blob;
use weights::Mismatch;
use weights::text;

/// Attempts in a row that get no further than those before, until giving up.
const FRUITLESS_ATTEMPTS: u32 = 4;
const FIRST_PAUSE_MS: i32 = 500;
/// Bytes gathered before they are written.
const PIECE_BYTES: usize = 1 << 20;

/// A file that has come.
pub(super) struct Brought {
    /// What is now known of it.
    pub(super) recorded: RecordedFile,
    /// Its bytes, if they are not in the store.
    pub(super) loose: Option<Blob>,
    /// Why they are not, if they were meant to be.
    pub(super) not_kept: Option<String>,
}

/// A file on its way. Whoever lets go of it stops it, and what has come stays for the next time.
pub(super) struct Download<'a> {
    file: &'a PlannedFile,
    shelf: Option<&'a Shelf>,
    /// That of the whole model, as the store has it.
    record: Record,
    recorded: RecordedFile,
    sink: Sink,
    /// Of what is in the sink.
    digest: Sha256,
    /// Bytes in the sink and in `piece`.
    len_bytes: u64,
    piece: Vec<u8>,
    /// Whether more than one answer contributed.
    is_pieced_together: bool,
    not_kept: Option<String>,
}

impl<'a> Download<'a> {
    /// Opens the file on the shelf, if there is one, and hashes what is there already of the same version.
    pub(super) async fn new(
        file: &'a PlannedFile,
        shelf: Option<&'a Shelf>,
        record: Record,
        before: Option<&RecordedFile>,
        progress: &mut Progress<'_>,
    ) -> Result<Self> {
        let mut download = Self {
            file,
            shelf,
            record,
            recorded: file.recorded(),
            sink: Sink::Pieces(Pieces::default()),
            digest: Sha256::new(),
            len_bytes: 0,
            piece: Vec::with_capacity(PIECE_BYTES),
            is_pieced_together: false,
            not_kept: None,
        };
        let Some(shelf) = shelf else { return Ok(download) };
        download.take_up(shelf, before, progress).await;
        match shelf.writer(&file.name, download.len_bytes).await {
            Ok(writer) => download.sink = Sink::File(writer),
            Err(error) => {
                download.not_kept = Some(match js::kind(&error).as_str() {
                    "NoModificationAllowedError" => "another tab is writing them".to_owned(),
                    _ => js::message(&error),
                });
                // What lies there may be another tab's.
                download.shelf = None;
                download.restart(progress)?;
            }
        }
        Ok(download)
    }

    /// Goes on with what an earlier attempt left, if that is known to belong to the same file.
    async fn take_up(&mut self, shelf: &Shelf, before: Option<&RecordedFile>, progress: &mut Progress<'_>) {
        let before = before.filter(|before| self.file.continues(before));
        let (Some(before), Some(blob)) = (before, shelf.file(&self.file.name).await) else { return };
        let (left, whole) = (blob.size() as u64, self.recorded.len_bytes.or(before.len_bytes));
        if left == 0 || whole.is_none_or(|whole| left > whole) {
            return;
        }
        // What cannot be read, as while another tab writes it, is fetched.
        let digest = check::digest(&BlobSource::new(self.file.name.clone(), blob.into()), progress).await;
        let Ok(digest) = digest else { return };
        self.digest = digest;
        self.len_bytes = left;
        self.is_pieced_together = true;
        self.recorded.len_bytes = whole;
        if self.recorded.version.is_none() {
            self.recorded.version.clone_from(&before.version);
        }
    }

    /// Brings what is missing, and checks the whole.
    pub(super) async fn run(mut self, progress: &mut Progress<'_>) -> Result<Brought> {
        let (mut fruitless, mut furthest) = (0, self.len_bytes);
        let (mut connected, mut started_over) = (false, false);
        loop {
            if self.recorded.len_bytes == Some(self.len_bytes) {
                match self.compare()? {
                    Ok(sha256) => return self.finish(sha256).await,
                    Err(mismatch) => {
                        let is_worth_another = self.is_pieced_together && !started_over;
                        self.restart(progress)?;
                        if !is_worth_another {
                            return Err(self.wrong(&mismatch));
                        }
                        started_over = true;
                    }
                }
            }
            match self.attempt(progress).await {
                Ok(()) => connected = true,
                Err(Failure::Stale) if self.len_bytes > 0 => self.restart(progress)?,
                // Without a network one is told at once; a connection that worked before is worth waiting for.
                Err(Failure::Connection(error)) if !connected => return Err(error),
                Err(Failure::Connection(error) | Failure::Transient(error)) => {
                    connected = true;
                    fruitless = if self.len_bytes > furthest { 0 } else { fruitless + 1 };
                    furthest = furthest.max(self.len_bytes);
                    if fruitless >= FRUITLESS_ATTEMPTS {
                        return Err(self.given_up(&error));
                    }
                    if self.recorded.sha256.is_none() && self.recorded.version.is_none() {
                        // Nothing could tell whether the pieces belong together.
                        self.restart(progress)?;
                    }
                    self.is_pieced_together = self.len_bytes > 0;
                    js::sleep(FIRST_PAUSE_MS << fruitless).await;
                }
                Err(other) => return Err(other.into_error()),
            }
        }
    }

    /// One request, from where the file ends so far.
    async fn attempt(&mut self, progress: &mut Progress<'_>) -> Result<(), Failure> {
        let from = self.len_bytes;
        // A commit is part of the address.
        let version = self.recorded.version.as_deref().filter(|_| self.file.commit.is_none());
        let mut answer = request::get(&self.file.url, from, version, self.file.may_be_cached).await?;
        if answer.start == Some(0) && from > 0 {
            // From a server that ignores ranges, or whose file has changed, all of it comes.
            self.restart(progress).map_err(Failure::Final)?;
        }
        self.learn(&answer).await?;
        if let Some(whole) = self.recorded.len_bytes {
            progress.expect(whole);
        }
        while let Some(bytes) = answer.next().await? {
            let count = u64::from(bytes.length());
            if let Some(whole) = self.recorded.len_bytes.filter(|whole| self.len_bytes.saturating_add(count) > *whole) {
                return Err(Failure::Final(anyhow!("{} has more than the {whole} bytes that were expected", self.file.url)));
            }
            self.append(&bytes).map_err(Failure::Final)?;
            progress.add(LoadPhase::Fetching, count);
        }
        let so_far = self.len_bytes;
        match self.recorded.len_bytes {
            Some(whole) if so_far < whole => {
                let (so_far, whole) = (text::bytes(so_far), text::bytes(whole));
                Err(Failure::Transient(anyhow!("{} ended after {so_far} of {whole}", self.file.url)))
            }
            _ => {
                self.recorded.len_bytes = Some(so_far);
                Ok(())
            }
        }
    }

    /// Holds an answer against what is known, and writes down what it adds to that.
    async fn learn(&mut self, answer: &Answer) -> Result<(), Failure> {
        let is_known_place = answer.start == Some(self.len_bytes) || answer.start.is_none() && self.recorded.sha256.is_some();
        if !is_known_place {
            return Err(Failure::Stale);
        }
        if let (Some(found), Some(expected)) = (answer.total_bytes, self.recorded.len_bytes)
            && found != expected
        {
            if self.len_bytes > 0 {
                return Err(Failure::Stale);
            }
            let error = anyhow!("{} is another file: it has {found} bytes, expected {expected}", self.file.url);
            return Err(Failure::Final(error));
        }
        let before = self.recorded.clone();
        self.recorded.len_bytes = self.recorded.len_bytes.or(answer.total_bytes);
        if self.file.commit.is_none() {
            if self.len_bytes > 0 && self.recorded.sha256.is_none() && self.recorded.version != answer.version {
                return Err(Failure::Stale);
            }
            self.recorded.version.clone_from(&answer.version);
        }
        if let (Some(shelf), Sink::File(_)) = (self.shelf, &self.sink)
            && before != self.recorded
        {
            self.record.set(&self.recorded);
            // Without it a resumption starts over, that is all.
            let _ = shelf.begin(&self.record).await;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &Uint8Array) -> Result<()> {
        let mut at = 0;
        while at < bytes.length() {
            let used = self.piece.len();
            let room = u32::try_from(PIECE_BYTES.saturating_sub(used))?;
            let end = at.saturating_add(room).min(bytes.length());
            self.piece.resize(used.saturating_add(end.saturating_sub(at) as usize), 0);
            bytes.subarray(at, end).copy_to(self.piece.get_mut(used..).unwrap_or_default());
            at = end;
            if self.piece.len() >= PIECE_BYTES {
                self.flush()?;
            }
        }
        self.len_bytes = self.len_bytes.saturating_add(u64::from(bytes.length()));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if !self.piece.is_empty() {
            let reason = self.sink.write(&self.piece)?;
            self.digest.update(&self.piece);
            self.piece.clear();
            self.not_kept = reason.or(self.not_kept.take());
        }
        Ok(())
    }

    fn restart(&mut self, progress: &mut Progress<'_>) -> Result<()> {
        progress.back(self.len_bytes);
        self.piece.clear();
        self.sink.restart()?;
        self.digest = Sha256::new();
        self.len_bytes = 0;
        self.is_pieced_together = false;
        self.recorded = self.file.recorded();
        Ok(())
    }

    fn compare(&mut self) -> Result<Result<String, Mismatch>> {
        self.flush()?;
        let expected = Expected { len_bytes: self.recorded.len_bytes, sha256: self.recorded.sha256.clone() };
        Ok(expected.compare(self.len_bytes, self.digest.clone()))
    }

    async fn finish(mut self, sha256: String) -> Result<Brought> {
        let sink = std::mem::replace(&mut self.sink, Sink::Pieces(Pieces::default()));
        let loose = sink.finish()?;
        if let (Some(shelf), Some(_)) = (self.shelf, &loose) {
            shelf.remove_file(&self.file.name).await;
        }
        let recorded = RecordedFile { sha256: Some(sha256), ..self.recorded.clone() };
        Ok(Brought { recorded, loose, not_kept: self.not_kept.take() })
    }

    /// What has come is not the file.
    fn wrong(&self, mismatch: &Mismatch) -> Error {
        anyhow!(
            "{} is not the file it should be: {mismatch}. What had come has been deleted. Load it again; if that does not help, \
             the copy at {} is damaged or has been replaced",
            self.file.name,
            self.file.url
        )
    }

    fn given_up(&self, error: &Error) -> Error {
        let so_far = text::bytes(self.len_bytes);
        let kept = if matches!(self.sink, Sink::File(_)) && self.len_bytes > 0 { ", and that is kept" } else { "" };
        anyhow!("{error:#}. So far {so_far} have come{kept}. Check the connection and load the model again to go on")
    }
}

impl Drop for Download<'_> {
    fn drop(&mut self) {
        // For the next time; if it fails, that begins a little earlier.
        let _ = self.flush();
    }
}
