//! The Hugging Face hub: how repositories are named, what one holds, and which of it is the model. Pure: asking the hub is
//! the caller's part.

mod address;
mod listing;
mod repository;

pub use address::{DEFAULT_ENDPOINT, encode_path, file_url, listing_url};
pub use listing::{HubError, HubFile, Kind, LISTING_LIMIT_BYTES, Listing, Selection};
pub use repository::{Repository, is_relative_path};
