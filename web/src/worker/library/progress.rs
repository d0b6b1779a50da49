//! How far fetching and checking are.

use crate::messages::LoadPhase;

/// A person sees no more than some changes a second.
const PAUSE_MS: f64 = 50.0;

/// Counts bytes of files. What is reported never goes back, even where work has to be done again.
pub(super) struct Progress<'a> {
    tell: &'a mut dyn FnMut(LoadPhase, u64, u64),
    done_bytes: u64,
    furthest_bytes: u64,
    total_bytes: Option<u64>,
    told: Option<(LoadPhase, f64)>,
}

impl<'a> Progress<'a> {
    /// Reports to `tell`: the phase, bytes done, and all bytes or 0.
    pub(super) fn new(tell: &'a mut dyn FnMut(LoadPhase, u64, u64)) -> Self {
        Self { tell, done_bytes: 0, furthest_bytes: 0, total_bytes: None, told: None }
    }

    /// Begins, perhaps anew, with so many bytes in all.
    pub(super) fn begin(&mut self, total_bytes: Option<u64>) {
        self.done_bytes = 0;
        self.total_bytes = total_bytes;
    }

    /// There are so many bytes in all, if that was not known.
    pub(super) fn expect(&mut self, total_bytes: u64) {
        self.total_bytes = self.total_bytes.or(Some(total_bytes));
    }

    /// So many bytes more are done.
    pub(super) fn add(&mut self, phase: LoadPhase, bytes: u64) {
        self.done_bytes = self.done_bytes.saturating_add(bytes);
        self.furthest_bytes = self.furthest_bytes.max(self.done_bytes);
        let now = js_sys::Date::now();
        let is_end = self.total_bytes == Some(self.done_bytes);
        let is_news = self.told.is_none_or(|(told, when)| told != phase || !(0.0..PAUSE_MS).contains(&(now - when)));
        if is_end || is_news {
            self.told = Some((phase, now));
            let total_bytes = self.total_bytes.map_or(0, |total| total.max(self.furthest_bytes));
            (self.tell)(phase, self.furthest_bytes, total_bytes);
        }
    }

    /// So many bytes have to be done again.
    pub(super) fn back(&mut self, bytes: u64) {
        self.done_bytes = self.done_bytes.saturating_sub(bytes);
    }
}
