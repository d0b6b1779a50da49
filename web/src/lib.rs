//! AtMan in a browser: a page on the main thread, and a dedicated worker with the engine. They share [`messages`] alone.

pub mod diff;
pub mod linked;
pub mod messages;
pub mod selected;

#[cfg(target_arch = "wasm32")]
pub mod page;
#[cfg(target_arch = "wasm32")]
pub mod worker;
