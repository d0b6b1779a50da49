//! How far a long task is: a bar in a terminal, a line every tenth elsewhere. Always on stderr.

use crate::say;
use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use report::amount;
use std::fmt::Write;
use std::io::IsTerminal;

/// Progress of one task.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    counted: Counted,
    total: Option<u64>,
    /// `None` where stderr is not a terminal, or `--quiet` was asked for.
    bar: Option<ProgressBar>,
    done: u64,
    /// Tenths (or, without a total, steps of 10 MB) already told.
    told: u64,
    /// Whether lines are written where there is no terminal.
    has_lines: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Bytes,
    /// Things of that name.
    Things(&'static str),
}

impl Counted {
    fn amount(self, count: u64) -> String {
        match self {
            Self::Bytes => text::bytes(count),
            Self::Things(_) => count.to_string(),
        }
    }

    /// A line without a terminal: how much of how much.
    fn line(self, done: u64, total: Option<u64>) -> String {
        let of = total.map(|total| format!(" of {}", self.amount(total))).unwrap_or_default();
        let name = match self {
            Self::Bytes => String::new(),
            Self::Things(name) => format!(" {name}"),
        };
        format!("{}{of}{name}", self.amount(done))
    }

    fn template(self, has_total: bool) -> &'static str {
        match (self, has_total) {
            (Self::Bytes, true) => "{msg} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}{left}",
            (Self::Bytes, false) => "{msg} {spinner} {decimal_bytes} {decimal_bytes_per_sec}",
            (Self::Things(_), _) => "{msg} [{wide_bar}] {percent} %{left}",
        }
    }
}

/// Where the task itself knows how long it takes.
const TIMED: &str = "{msg} [{wide_bar}] {percent} %{prefix}";

const STEP_BYTES: u64 = 10_000_000;

impl Progress {
    /// Of bytes; `total_bytes` where it is known.
    pub(crate) fn new(what: &str, total_bytes: Option<u64>) -> Self {
        Self::of(what, Counted::Bytes, total_bytes)
    }

    /// Of things that are called so: a bar with the time left in a terminal, a line every tenth elsewhere.
    pub(crate) fn of_things(what: &str, name: &'static str, total: u64) -> Self {
        Self::of(what, Counted::Things(name), Some(total))
    }

    fn of(what: &str, counted: Counted, total: Option<u64>) -> Self {
        let bar = (std::io::stderr().is_terminal() && !say::is_quiet()).then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_message(what.to_owned());
            bar.with_style(style(counted.template(total.is_some())))
        });
        Self { what: what.to_owned(), counted, total, bar, done: 0, told: 0, has_lines: true }
    }

    /// For what usually takes a moment: a bar in a terminal, silence elsewhere.
    pub(crate) fn only_in_terminal(what: &str, total_bytes: u64) -> Self {
        Self::new(what, Some(total_bytes)).quiet()
    }

    /// Nothing where there is no terminal.
    pub(crate) fn quiet(mut self) -> Self {
        self.has_lines = false;
        self
    }

    /// States how long it still takes, in place of what the speed so far suggests.
    pub(crate) fn set_left(&mut self, seconds: Option<f64>) {
        if let Some(bar) = &self.bar {
            bar.set_style(style(TIMED));
            bar.set_prefix(seconds.map_or(String::new(), |left| format!(", {} left", amount::time_left(left))));
        }
    }

    /// Corrects what is expected in all.
    pub(crate) fn set_total(&mut self, total: u64) {
        self.total = Some(total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    /// States how much is done; a smaller number than before starts over.
    pub(crate) fn set(&mut self, done: u64) {
        self.done = done;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let step = match self.total {
            Some(total) => done.saturating_mul(10).checked_div(total).unwrap_or(10),
            None => done / STEP_BYTES,
        };
        if step > self.told && self.has_lines {
            say::note(format_args!("{}: {}", self.what, self.counted.line(done, self.total)));
        }
        self.told = step;
    }

    /// Adds to what is done.
    pub(crate) fn add(&mut self, amount: u64) {
        self.set(self.done.saturating_add(amount));
    }

    /// A sign of life where nothing can be counted yet.
    pub(crate) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.tick();
        }
    }
}

/// A template that does not parse would be a slip in the lines above; the default bar still counts.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", left)
}

/// Nothing while nothing is done: a speed that nobody knows yet would read as no time at all.
fn left(state: &ProgressState, out: &mut dyn Write) {
    if state.pos() > 0 {
        // A bar that cannot be drawn stops nobody.
        let _ = write!(out, ", {} left", amount::time_left(state.eta().as_secs_f64()));
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
