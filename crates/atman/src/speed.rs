//! How fast a device runs, by what ran last.

/// Floating-point operations a second, over the last runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speed {
    flops: f64,
    seconds: f64,
    /// Whether what was measured is the baseline, whose rows and first use of everything are not like those of changed runs.
    is_of_baseline: bool,
}

impl Speed {
    /// Takes in a baseline, which counts only until something else has run.
    pub(crate) fn note_baseline(&mut self, flops: u64, seconds: f64) {
        if self.flops == 0.0 || self.is_of_baseline {
            *self = Speed { flops: flops as f64, seconds, is_of_baseline: true };
        }
    }

    /// Takes in a chunk of changed runs. What ran before it counts half as much each time.
    pub(crate) fn note(&mut self, flops: u64, seconds: f64) {
        let kept = if self.is_of_baseline { 0.0 } else { 0.5 };
        *self = Speed { flops: kept * self.flops + flops as f64, seconds: kept * self.seconds + seconds, is_of_baseline: false };
    }

    /// As measured; `None` before anything ran.
    pub(crate) fn flops_per_second(self) -> Option<f64> {
        (self.flops > 0.0).then(|| self.flops / self.seconds.max(1e-6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_counts_only_until_a_chunk_has_run() {
        let mut speed = Speed::default();
        assert_eq!(speed.flops_per_second(), None);
        speed.note_baseline(100, 10.0);
        assert_eq!(speed.flops_per_second(), Some(10.0));
        speed.note(100, 1.0);
        assert_eq!(speed.flops_per_second(), Some(100.0));
        // Begun again, as after a pause.
        speed.note_baseline(100, 100.0);
        assert_eq!(speed.flops_per_second(), Some(100.0));
    }

    #[test]
    fn what_ran_last_counts_most_and_a_little_work_counts_little() {
        let mut speed = Speed::default();
        speed.note(1000, 1.0);
        speed.note(1, 1e-3);
        assert!((speed.flops_per_second().unwrap() - 1000.0).abs() < 1.0);
        for _ in 0..4 {
            speed.note(1000, 10.0);
        }
        let slow = speed.flops_per_second().unwrap();
        assert!((95.0..115.0).contains(&slow), "{slow}");
    }
}
