//! What people are told on stderr while the command works.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether notes are left out; asked for once, for the whole process.
static QUIET: AtomicBool = AtomicBool::new(false);

/// As `--quiet` says.
pub(crate) fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether notes are left out.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// What is good to know and wrong in nothing; not said with `--quiet`.
pub(crate) fn note(text: impl Display) {
    if !is_quiet() {
        eprintln!("{text}");
    }
}

/// What changes how far the result can be trusted, or what is left out of it; always said.
pub(crate) fn warn(text: impl Display) {
    eprintln!("{text}");
}
