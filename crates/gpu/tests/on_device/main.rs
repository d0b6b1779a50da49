//! What needs an adapter, a software adapter if there is no other: kernels against their twins, the executor's memory and
//! errors, the self-test.
//!
//! Set `ATMAN_REQUIRE_GPU=1` to fail rather than skip where there is none.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

mod common;
mod parity;
mod runtime;
mod self_test;
