//! Explanations by the library, with the real model on the CPU.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

#[path = "../common/mod.rs"]
mod common;

mod contrast;
mod faithfulness;
mod faulty;
mod interruptions;
mod plan;
mod prepared;
mod refine;
mod subject;
mod text;
