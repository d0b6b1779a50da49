//! The `atman` command as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

mod fetch_catalogue;
mod fetch_repository;
mod server;
mod world;
