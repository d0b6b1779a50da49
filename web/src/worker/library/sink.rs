//! Where fetched bytes go: a file of the store, or pieces that the browser holds.

use super::js;
use anyhow::Result;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{Blob, FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

/// A kept file being written. This tab alone may write it until it is let go of.
pub(super) struct Writer {
    handle: FileSystemSyncAccessHandle,
    len_bytes: u64,
}

impl Writer {
    /// Goes on after the first `len_bytes` of the file.
    pub(super) fn new(handle: FileSystemSyncAccessHandle, len_bytes: u64) -> Result<Self, JsValue> {
        // Before anything can fail: the handle must be closed in any case.
        let writer = Self { handle, len_bytes };
        writer.handle.truncate_with_f64(len_bytes as f64)?;
        Ok(writer)
    }

    fn at(offset: u64) -> FileSystemReadWriteOptions {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(offset as f64);
        options
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        let written = self.handle.write_with_u8_array_and_options(bytes, &Self::at(self.len_bytes))?;
        if written as usize != bytes.len() {
            return Err(js_sys::Error::new("there is no more room").into());
        }
        self.len_bytes = self.len_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Ends writing, with everything on the disk.
    pub(super) fn finish(self) -> Result<(), JsValue> {
        self.handle.flush()
    }

    /// What has been written, in pieces outside of the file.
    fn copy(&self) -> Result<Pieces, JsValue> {
        let mut pieces = Pieces::default();
        let mut piece = vec![0; 1 << 20];
        while pieces.len_bytes < self.len_bytes {
            let count = usize::try_from(self.len_bytes.saturating_sub(pieces.len_bytes)).unwrap_or(usize::MAX).min(piece.len());
            let wanted = piece.get_mut(..count).unwrap_or_default();
            let read = self.handle.read_with_u8_array_and_options(wanted, &Self::at(pieces.len_bytes))?;
            if read as usize != count {
                return Err(js_sys::Error::new("a kept file could not be read back").into());
            }
            pieces.write(wanted)?;
        }
        Ok(pieces)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Pieces that the browser holds, in its own memory or on disk, as long as the page is there.
#[derive(Default)]
pub(super) struct Pieces {
    blobs: Array,
    len_bytes: u64,
}

impl Pieces {
    fn write(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        // A copy, which the blob then holds alone.
        let copy = Uint8Array::from(bytes);
        self.blobs.push(&Blob::new_with_u8_array_sequence(&Array::of1(&copy))?.into());
        self.len_bytes = self.len_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// Where the bytes of one file go.
pub(super) enum Sink {
    /// Into the store.
    File(Writer),
    /// Nowhere that lasts.
    Pieces(Pieces),
}

impl Sink {
    /// Adds bytes. If the store has no room for them, goes on without it; then the reason is given.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<Option<String>> {
        let reason = match self {
            Self::Pieces(pieces) => {
                pieces.write(bytes).map_err(|error| js::failure(&error))?;
                return Ok(None);
            }
            Self::File(writer) => match writer.write(bytes) {
                Ok(()) => return Ok(None),
                Err(reason) => {
                    let mut pieces = writer.copy().map_err(|error| js::failure(&error))?;
                    pieces.write(bytes).map_err(|error| js::failure(&error))?;
                    *self = Self::Pieces(pieces);
                    reason
                }
            },
        };
        Ok(Some(js::message(&reason)))
    }

    /// Begins anew.
    pub(super) fn restart(&mut self) -> Result<()> {
        match self {
            Self::File(writer) => {
                writer.len_bytes = 0;
                writer.handle.truncate_with_f64(0.0).map_err(|error| js::failure(&error))
            }
            Self::Pieces(pieces) => {
                *pieces = Pieces::default();
                Ok(())
            }
        }
    }

    /// Ends writing. `None` if the bytes are in the store.
    pub(super) fn finish(self) -> Result<Option<Blob>> {
        match self {
            Self::File(writer) => writer.finish().map(|()| None),
            Self::Pieces(pieces) => Blob::new_with_blob_sequence(&pieces.blobs).map(Some),
        }
        .map_err(|error| js::failure(&error))
    }
}
