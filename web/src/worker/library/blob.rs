//! Bytes that the browser holds outside of WebAssembly's memory: a file picked or kept, or pieces just fetched.

use super::js;
use anyhow::{Result, anyhow};
use js_sys::Uint8Array;
use std::io;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;
use weights::{ByteSource, Reading};

/// The most bytes that are copied at a time.
const PIECE_BYTES: u64 = 4 << 20;

/// A file's bytes, read where they lie and never whole: WebAssembly's memory grows but never shrinks.
#[derive(Clone)]
pub(super) struct BlobSource {
    name: String,
    blob: Blob,
}

impl BlobSource {
    /// Bytes that messages call `name`.
    pub(super) fn new(name: String, blob: Blob) -> Self {
        Self { name, blob }
    }

    /// Gives all bytes to `visit`, in pieces.
    pub(super) async fn visit(&self, visit: &mut dyn FnMut(&[u8])) -> Result<()> {
        let len_bytes = self.len_bytes();
        let mut piece = vec![0; usize::try_from(PIECE_BYTES.min(len_bytes))?];
        let mut offset = 0;
        while offset < len_bytes {
            let count = usize::try_from(PIECE_BYTES.min(len_bytes.saturating_sub(offset)))?;
            let bytes = piece.get_mut(..count).unwrap_or_default();
            self.read(offset, bytes).await.map_err(|error| anyhow!("{error}"))?;
            visit(bytes);
            offset = offset.saturating_add(count as u64);
        }
        Ok(())
    }

    async fn read(&self, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
        let len_bytes = self.len_bytes();
        if offset.checked_add(into.len() as u64).is_none_or(|end| end > len_bytes) {
            return Err(self.past_end(offset, into.len()));
        }
        while !into.is_empty() {
            let end = offset.saturating_add(PIECE_BYTES.min(into.len() as u64));
            let failed = |error| io::Error::other(format!("{} could not be read: {}", self.name, js::message(&error)));
            // A file's length is exact as a double up to 2^53.
            let slice = self.blob.slice_with_f64_and_f64(offset as f64, end as f64).map_err(failed)?;
            let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await.map_err(failed)?);
            let count = bytes.length() as usize;
            match into.get_mut(..count) {
                Some(front) if count > 0 => bytes.copy_to(front),
                _ => return Err(self.past_end(offset, into.len())),
            }
            offset = offset.saturating_add(count as u64);
            into = into.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn past_end(&self, offset: u64, wanted: usize) -> io::Error {
        past_end(&self.name, offset, wanted, self.len_bytes())
    }
}

impl ByteSource for BlobSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.blob.size() as u64
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        Box::pin(self.read(offset, into))
    }
}

/// A read that goes past the file's end.
pub(super) fn past_end(name: &str, offset: u64, wanted: usize, len_bytes: u64) -> io::Error {
    let message = format!("{name}: {wanted} bytes at {offset} were asked for, but the file has {len_bytes}");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}
