#![no_main]

#[path = "../../crates/weights/tests/common/readers.rs"]
mod readers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readers::read_gguf(bytes));
