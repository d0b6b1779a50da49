//! The beginning of a file on a server: enough for its header, and no more of it is fetched.

use super::blob::past_end;
use super::request::{self, Answer};
use anyhow::{Context, Result};
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::io;
use weights::{ByteSource, Reading};

/// The most that is fetched; headers are smaller.
const LIMIT_BYTES: u64 = 80 << 20;

/// Reads what has come of a plain answer, and waits for as much more as is asked for. Works on any server; to let go of it
/// ends the answer.
pub(super) struct Beginning {
    name: String,
    len_bytes: u64,
    stream: RefCell<Option<Stream>>,
}

struct Stream {
    answer: Answer,
    /// What has come, held by JavaScript.
    pieces: Vec<Uint8Array>,
    len_bytes: u64,
}

impl Beginning {
    /// Asks for the file. Its length is the server's, or `len_bytes`.
    pub(super) async fn open(name: &str, url: &str, len_bytes: Option<u64>) -> Result<Self> {
        let answer = request::get(url, 0, None, false).await.map_err(request::Failure::into_error)?;
        let len_bytes = answer.total_bytes.or(len_bytes);
        let len_bytes = len_bytes.with_context(|| format!("{url}: the server does not say how long the file is"))?;
        let stream = RefCell::new(Some(Stream { answer, pieces: Vec::new(), len_bytes: 0 }));
        Ok(Self { name: name.to_owned(), len_bytes, stream })
    }

    async fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let past_end = || past_end(&self.name, offset, into.len(), self.len_bytes);
        let end = offset.checked_add(into.len() as u64).filter(|end| *end <= self.len_bytes.min(LIMIT_BYTES));
        let end = end.ok_or_else(past_end)?;
        // Out of its place while it is waited for: whoever stops waiting has no more use for it.
        let mut stream = self.stream.take().ok_or_else(|| io::Error::other(format!("{}: reading was stopped", self.name)))?;
        while stream.len_bytes < end {
            let piece = stream.answer.next().await;
            let piece = piece.map_err(|failure| io::Error::other(format!("{:#}", failure.into_error())))?;
            let piece = piece.ok_or_else(past_end)?;
            stream.len_bytes = stream.len_bytes.saturating_add(u64::from(piece.length()));
            stream.pieces.push(piece);
        }
        copy(&stream.pieces, offset, into);
        self.stream.replace(Some(stream));
        Ok(())
    }
}

/// Copies from pieces that lie one after another.
fn copy(pieces: &[Uint8Array], offset: u64, mut into: &mut [u8]) {
    let mut start = 0_u64;
    let mut offset = offset;
    for piece in pieces {
        let len = piece.length();
        if let Ok(from) = u32::try_from(offset.saturating_sub(start))
            && from < len
            && !into.is_empty()
        {
            let count = len.saturating_sub(from).min(u32::try_from(into.len()).unwrap_or(u32::MAX));
            if let Some(front) = into.get_mut(..count as usize) {
                piece.subarray(from, from.saturating_add(count)).copy_to(front);
            }
            into = into.get_mut(count as usize..).unwrap_or_default();
            offset = offset.saturating_add(u64::from(count));
        }
        start = start.saturating_add(u64::from(len));
    }
}

impl ByteSource for Beginning {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        Box::pin(self.read(offset, into))
    }
}
