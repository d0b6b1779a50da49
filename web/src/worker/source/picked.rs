//! A file that the person picked or dropped.

use super::{PIECE_BYTES, Piece, message, past_end};
use js_sys::Uint8Array;
use std::io;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use weights::{ByteSource, Reading};

/// A file of the person's machine, read where it lies.
pub(crate) struct PickedFile {
    name: String,
    file: File,
}

impl PickedFile {
    /// The file as the browser hands it over.
    pub(crate) fn new(file: File) -> Self {
        Self { name: file.name(), file }
    }

    async fn read(&self, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
        let len_bytes = self.len_bytes();
        if offset.checked_add(into.len() as u64).is_none_or(|end| end > len_bytes) {
            return Err(past_end(&self.name, offset, into.len(), len_bytes));
        }
        while !into.is_empty() {
            let end = offset.saturating_add(PIECE_BYTES.min(into.len() as u64));
            let failed = |error| io::Error::other(format!("{} could not be read: {}", self.name, message(&error)));
            // A file's length is exact as a double up to 2^53.
            let blob = self.file.slice_with_f64_and_f64(offset as f64, end as f64).map_err(failed)?;
            let bytes = JsFuture::from(blob.array_buffer()).await.map_err(failed)?;
            let count = Piece { start: offset, bytes: Uint8Array::new(&bytes) }.copy(offset, into);
            if count == 0 {
                return Err(past_end(&self.name, offset, into.len(), len_bytes));
            }
            offset = offset.saturating_add(count as u64);
            into = into.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }
}

impl ByteSource for PickedFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.file.size() as u64
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        Box::pin(self.read(offset, into))
    }
}
