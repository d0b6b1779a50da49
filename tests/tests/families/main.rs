//! Tiny random checkpoints of every family: the engine against Hugging Face transformers, against itself run in other
//! ways, and against files that are wrong.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests state what they expect by unwrapping it")]

#[path = "../common/adapter.rs"]
mod adapter;
#[path = "../../../crates/weights/tests/common/mod.rs"]
mod files;

mod explained;
mod fixture;
mod gguf_twin;
mod inventory;
mod not_finite;
mod promises;
mod quantised;
mod refusals;
mod same_numbers;
mod transformers;
mod vision;
mod windows_and_layers;
