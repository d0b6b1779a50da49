//! How far a long task is: a bar in a terminal, a line every tenth elsewhere. Always on stderr.

use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Progress of one task counted in bytes.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    total_bytes: Option<u64>,
    /// `None` where stderr is not a terminal.
    bar: Option<ProgressBar>,
    done_bytes: u64,
    /// Tenths (or, without a total, steps of 10 MB) already told.
    told: u64,
    /// Whether lines are written where there is no terminal.
    has_lines: bool,
}

const STEP_BYTES: u64 = 10_000_000;

impl Progress {
    /// `total_bytes` where it is known.
    pub(crate) fn new(what: &str, total_bytes: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::stderr()).with_message(what.to_owned());
            let template = match total_bytes {
                Some(_) => "{msg} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
                None => "{msg} {spinner} {decimal_bytes} {decimal_bytes_per_sec}",
            };
            // A template that does not parse would be a slip in the lines above; the default bar still counts.
            bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { what: what.to_owned(), total_bytes, bar, done_bytes: 0, told: 0, has_lines: true }
    }

    /// For what usually takes a moment: a bar in a terminal, silence elsewhere.
    pub(crate) fn only_in_terminal(what: &str, total_bytes: u64) -> Self {
        let mut progress = Self::new(what, Some(total_bytes));
        progress.has_lines = false;
        progress
    }

    /// States how many bytes are done; a smaller number than before starts over.
    pub(crate) fn set(&mut self, done_bytes: u64) {
        self.done_bytes = done_bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(done_bytes);
            return;
        }
        let step = match self.total_bytes {
            Some(total) => done_bytes.saturating_mul(10).checked_div(total).unwrap_or(10),
            None => done_bytes / STEP_BYTES,
        };
        if step > self.told && self.has_lines {
            match self.total_bytes {
                Some(total) => eprintln!("{}: {} of {}", self.what, text::bytes(done_bytes), text::bytes(total)),
                None => eprintln!("{}: {}", self.what, text::bytes(done_bytes)),
            }
        }
        self.told = step;
    }

    /// Adds to what is done.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.set(self.done_bytes.saturating_add(bytes));
    }

    /// A sign of life where nothing can be counted yet.
    pub(crate) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.tick();
        }
    }
}

impl Drop for Progress {
    /// Takes the bar away, so that the next line starts clean whichever way the task ended.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
