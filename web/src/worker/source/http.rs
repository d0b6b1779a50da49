//! A file on a web server, read by HTTP range requests.

use super::{PIECE_BYTES, Piece, message, past_end};
use anyhow::{Context, Result, bail};
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::io;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestInit, Response, WorkerGlobalScope};
use weights::{ByteSource, Reading};

/// Pieces kept at a time. Tensors are not read in the order in which they lie in the file, but near one another.
const KEPT: usize = 4;

/// A file that a server hands out in ranges, read in pieces on fixed boundaries. The last few are kept, by JavaScript and
/// not in WebAssembly's memory.
pub(crate) struct HttpSource {
    url: String,
    name: String,
    len_bytes: u64,
    /// The latest used last.
    kept: RefCell<Vec<Piece>>,
}

impl HttpSource {
    /// Asks the server for the file's first piece, which tells its length and whether the server knows ranges. Fails if
    /// the file is not there, or comes whole instead of in part.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let (piece, len_bytes) = fetch(url, 0, PIECE_BYTES.saturating_sub(1)).await?;
        Ok(Self { url: url.to_owned(), name, len_bytes, kept: RefCell::new(vec![piece]) })
    }

    /// The piece with the byte at `offset`, which is one of the file's.
    async fn piece(&self, offset: u64) -> Result<Piece> {
        let kept = self.kept.borrow().iter().position(|piece| (piece.start..piece.end()).contains(&offset));
        let piece = match kept {
            Some(index) => self.kept.borrow_mut().remove(index),
            None => {
                // Lets go of the oldest first, so that never more are held.
                let surplus = self.kept.borrow().len().saturating_sub(KEPT.saturating_sub(1));
                self.kept.borrow_mut().drain(..surplus);
                self.fetch_piece(offset / PIECE_BYTES * PIECE_BYTES).await?
            }
        };
        self.kept.borrow_mut().push(piece.clone());
        Ok(piece)
    }

    async fn fetch_piece(&self, start: u64) -> Result<Piece> {
        let end = start.saturating_add(PIECE_BYTES).min(self.len_bytes);
        let (piece, len_bytes) = fetch(&self.url, start, end.saturating_sub(1)).await?;
        if len_bytes != self.len_bytes || piece.end() != end {
            let (found, wanted) = (piece.end(), self.len_bytes);
            bail!("{}: the file changed while it was read: {found} of {len_bytes} bytes, expected {end} of {wanted}", self.url);
        }
        Ok(piece)
    }

    async fn read(&self, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(into.len() as u64).is_none_or(|end| end > self.len_bytes) {
            return Err(past_end(&self.name, offset, into.len(), self.len_bytes));
        }
        while !into.is_empty() {
            let piece = self.piece(offset).await.map_err(|error| io::Error::other(format!("{error:#}")))?;
            let count = piece.copy(offset, into);
            if count == 0 {
                return Err(past_end(&self.name, offset, into.len(), self.len_bytes));
            }
            offset = offset.saturating_add(count as u64);
            into = into.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }
}

impl ByteSource for HttpSource {
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

/// Bytes `first` to `last` of what the address names, fewer where it ends before, and its whole length.
async fn fetch(url: &str, first: u64, last: u64) -> Result<(Piece, u64)> {
    let abort = AbortController::new().map_err(|error| anyhow::anyhow!(message(&error)))?;
    let headers = Headers::new().map_err(|error| anyhow::anyhow!(message(&error)))?;
    headers.set("Range", &format!("bytes={first}-{last}")).map_err(|error| anyhow::anyhow!(message(&error)))?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_signal(Some(&abort.signal()));
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(scope.fetch_with_str_and_init(url, &init)).await;
    let response: Response = match response {
        Ok(response) => response.unchecked_into(),
        Err(error) => bail!("{url} could not be reached: {}", message(&error)),
    };
    match response.status() {
        206 => {}
        200 => {
            // The whole file is on its way; it must not arrive.
            abort.abort();
            bail!(
                "{url} cannot be loaded in pieces: its server ignores range requests. \
                 Download the file and pick it here, or use another server"
            );
        }
        status => bail!("{url} could not be loaded: the server answered {status} {}", response.status_text()),
    }
    let range = response.headers().get("Content-Range").ok().flatten();
    let range = range.with_context(|| format!("{url}: the server does not say which part of the file it sent"))?;
    let (start, len_bytes) =
        parse_content_range(&range).with_context(|| format!("{url}: the server sent the range `{range}`"))?;
    if start != first {
        bail!("{url}: bytes from {first} were asked for, the server sent those from {start}");
    }
    let body = response.array_buffer().map(JsFuture::from).map_err(|error| anyhow::anyhow!(message(&error)))?;
    let body = body.await.map_err(|error| anyhow::anyhow!("{url} broke off: {}", message(&error)))?;
    Ok((Piece { start, bytes: Uint8Array::new(&body) }, len_bytes))
}

/// First byte and whole length in `bytes 0-99/1234`.
fn parse_content_range(text: &str) -> Option<(u64, u64)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, length.parse().ok()?))
}
