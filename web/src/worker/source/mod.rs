//! Model files as a browser has them: on a server, or picked by the person. Read in pieces, never whole: WebAssembly's
//! memory grows but never shrinks.

mod http;
mod picked;

pub(super) use http::HttpSource;
pub(super) use picked::PickedFile;

use js_sys::Uint8Array;
use std::io;
use wasm_bindgen::{JsCast, JsValue};

/// Bytes of one piece, which JavaScript holds for us to copy from.
const PIECE_BYTES: u64 = 4 << 20;

/// What JavaScript says went wrong.
fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => format!("{error:?}"),
    }
}

/// Bytes of a file from `start` on, held by JavaScript.
#[derive(Clone)]
struct Piece {
    start: u64,
    bytes: Uint8Array,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start.saturating_add(u64::from(self.bytes.length()))
    }

    /// Copies what the piece has from `offset` on into the front of `into`; returns how many bytes that is.
    fn copy(&self, offset: u64, into: &mut [u8]) -> usize {
        let Some(skipped) = offset.checked_sub(self.start) else { return 0 };
        let (Ok(from), Ok(wanted)) = (u32::try_from(skipped), u32::try_from(into.len())) else { return 0 };
        let count = wanted.min(self.bytes.length().saturating_sub(from));
        let Some(front) = into.get_mut(..count as usize) else { return 0 };
        self.bytes.subarray(from, from.saturating_add(count)).copy_to(front);
        front.len()
    }
}

/// A read that goes past the file's end.
fn past_end(name: &str, offset: u64, wanted: usize, len_bytes: u64) -> io::Error {
    let message = format!("{name}: {wanted} bytes at {offset} were asked for, but the file has {len_bytes}");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}
