//! Ctrl-C: the first stops writing and leaves tidily, where there is something to tidy; a second ends at once.

use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Exit status of a process stopped by Ctrl-C, as shells count it: 128 and the signal's number.
pub(crate) const EXIT: u8 = 130;

const AT_ONCE: u8 = 0;
const TIDILY: u8 = 1;
const ASKED: u8 = 2;

/// Whether Ctrl-C was pressed.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// From now on Ctrl-C ends the process at once, until [`Interrupt::watch`].
    pub(crate) fn install() -> Result<Self> {
        let state = Arc::new(AtomicU8::new(AT_ONCE));
        let seen = state.clone();
        let handler = move || {
            if seen.compare_exchange(TIDILY, ASKED, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                std::process::exit(i32::from(EXIT));
            }
        };
        ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
        Ok(Self(state))
    }

    /// From now on somebody asks [`Interrupt::is_asked`] often.
    pub(crate) fn watch(&self) {
        let _ = self.0.compare_exchange(AT_ONCE, TIDILY, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// From now on nobody asks, and Ctrl-C ends the process at once; one that was heard already stays.
    pub(crate) fn unwatch(&self) {
        let _ = self.0.compare_exchange(TIDILY, AT_ONCE, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ASKED
    }
}
