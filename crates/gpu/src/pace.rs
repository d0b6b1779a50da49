//! How long work takes on this device, learnt from what was submitted.

use crate::Tier;
use kernels::Cost;

/// A linear model of the time that work takes, corrected by each timed submit.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    ns_per_flop: f64,
    ns_per_byte: f64,
    target_ns: f64,
}

/// A sample moves a coefficient by at most this factor: a stray measurement must not derail it, and a wrong first guess is
/// mended within a few submits all the same.
const MAX_STEP: f64 = 8.0;
/// Shorter submits are mostly the cost of submitting, of which the model knows nothing.
const LEAST_SAMPLE_NS: f64 = 1e6;
/// No device is faster than this by far; keeps the model away from zero.
const LEAST_NS_PER_UNIT: f64 = 1e-7;

impl Pace {
    pub(crate) fn new(tier: Tier, target_ms: f64) -> Pace {
        let (ns_per_flop, ns_per_byte) = tier.first_guess();
        Pace { ns_per_flop, ns_per_byte, target_ns: target_ms * 1e6 }
    }

    /// Nanoseconds that this much work should take.
    pub(crate) fn estimate_ns(&self, cost: Cost) -> f64 {
        cost.flops as f64 * self.ns_per_flop + (cost.read_bytes + cost.written_bytes) as f64 * self.ns_per_byte
    }

    /// Whether work that takes that long is more than one submit should hold.
    pub(crate) fn is_too_long(&self, ns: f64) -> bool {
        ns > self.target_ns
    }

    /// Into how many equal pieces the work must be cut for each to fit a submit.
    pub(crate) fn pieces(&self, cost: Cost) -> usize {
        ((self.estimate_ns(cost) / self.target_ns).ceil() as usize).max(1)
    }

    /// Learns that this much work took that long. Each coefficient takes the part of the correction that it has in the
    /// estimate.
    pub(crate) fn learn(&mut self, cost: Cost, ns: f64) {
        let estimate = self.estimate_ns(cost);
        if estimate <= 0.0 || ns.max(estimate) < LEAST_SAMPLE_NS {
            return;
        }
        let flops_share = cost.flops as f64 * self.ns_per_flop / estimate;
        let step = (ns.max(1.0) / estimate).clamp(1.0 / MAX_STEP, MAX_STEP);
        self.ns_per_flop = (self.ns_per_flop * step.powf(flops_share)).max(LEAST_NS_PER_UNIT);
        self.ns_per_byte = (self.ns_per_byte * step.powf(1.0 - flops_share)).max(LEAST_NS_PER_UNIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(flops: u64, bytes: u64) -> Cost {
        Cost { flops, read_bytes: bytes, written_bytes: 0 }
    }

    #[test]
    fn estimates_approach_what_was_measured() {
        // A device of 500 GFLOP/s and 50 GB/s, doing two kinds of work.
        let true_ns = |c: Cost| c.flops as f64 / 500.0 + c.read_bytes as f64 / 50.0;
        let kinds = [cost(40_000_000_000, 200_000_000), cost(2_000_000_000, 3_000_000_000)];
        for tier in Tier::ALL {
            let mut pace = Pace::new(tier, 100.0);
            for _ in 0..200 {
                for kind in kinds {
                    pace.learn(kind, true_ns(kind));
                }
            }
            for kind in kinds {
                let ratio = pace.estimate_ns(kind) / true_ns(kind);
                assert!((0.8..1.25).contains(&ratio), "{tier}: {ratio}");
            }
        }
    }

    #[test]
    fn long_work_is_cut_and_short_work_is_not() {
        let pace = Pace::new(Tier::Portable, 100.0);
        assert_eq!(pace.pieces(cost(1000, 1000)), 1);
        // 20 GFLOP/s to begin with, so 100 ms are 2 GFLOP.
        assert_eq!(pace.pieces(cost(10_000_000_000, 0)), 5);
        assert!(pace.is_too_long(100.1e6) && !pace.is_too_long(99.9e6));
    }

    #[test]
    fn a_stray_sample_does_not_derail_the_estimate() {
        let mut pace = Pace::new(Tier::Portable, 100.0);
        let work = cost(2_000_000_000, 0);
        let before = pace.estimate_ns(work);
        pace.learn(work, before * 1e6);
        assert!(pace.estimate_ns(work) <= before * MAX_STEP * 1.001);
        pace.learn(work, 0.0);
        assert!(pace.estimate_ns(work) > 0.0);
    }

    #[test]
    fn submits_too_short_to_tell_teach_nothing() {
        let mut pace = Pace::new(Tier::Portable, 100.0);
        let work = cost(1000, 1000);
        let before = pace.estimate_ns(work);
        pace.learn(work, 50_000.0);
        assert_eq!(pace.estimate_ns(work), before);
    }
}
