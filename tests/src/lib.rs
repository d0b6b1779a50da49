//! What several crates must do together: the goldens, run by native tests and in the browser.

pub mod goldens;
pub mod shipped;
