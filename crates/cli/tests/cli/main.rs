//! The `atman` command as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

mod batch;
mod conversation;
mod default_model;
mod doctor;
mod eval;
mod eval_images;
mod explain;
mod fetch_catalogue;
mod fetch_repository;
mod generate;
mod images;
mod server;
mod usage;
mod world;
