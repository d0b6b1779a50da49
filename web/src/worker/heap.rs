//! WebAssembly's memory.

use js_sys::{ArrayBuffer, WebAssembly::Memory};
use wasm_bindgen::JsCast;

/// The most bytes that this worker's memory has taken: it grows and never shrinks, so its length is its highest mark.
pub(super) fn high_water_bytes() -> u64 {
    let memory: Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    u64::from(buffer.byte_length())
}
