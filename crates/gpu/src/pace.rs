//! How long work takes on this device, learnt from what was submitted.

use crate::{Program, Tier};
use kernels::Cost;
use std::collections::HashMap;

/// A linear model of the time that work takes, for each program its own, corrected by each timed submit.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    first: Rate,
    /// Of programs that were timed.
    learnt: HashMap<Program, Rate>,
    target_ns: f64,
}

/// What a program's work takes.
#[derive(Clone, Copy, Debug)]
struct Rate {
    ns_per_flop: f64,
    ns_per_byte: f64,
}

impl Rate {
    fn ns_of_flops(self, cost: Cost) -> f64 {
        cost.flops as f64 * self.ns_per_flop
    }

    fn ns(self, cost: Cost) -> f64 {
        self.ns_of_flops(cost) + (cost.read_bytes + cost.written_bytes) as f64 * self.ns_per_byte
    }
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
        Pace { first: Rate { ns_per_flop, ns_per_byte }, learnt: HashMap::new(), target_ns: target_ms * 1e6 }
    }

    fn rate(&self, program: Program) -> Rate {
        self.learnt.get(&program).copied().unwrap_or(self.first)
    }

    /// Nanoseconds that this much of a program's work should take.
    pub(crate) fn estimate_ns(&self, program: Program, cost: Cost) -> f64 {
        self.rate(program).ns(cost)
    }

    /// Whether work that takes that long is more than one submit should hold.
    pub(crate) fn is_too_long(&self, ns: f64) -> bool {
        ns > self.target_ns
    }

    /// Into how many equal pieces the work must be cut for each to fit a submit.
    pub(crate) fn pieces(&self, program: Program, cost: Cost) -> usize {
        ((self.estimate_ns(program, cost) / self.target_ns).ceil() as usize).max(1)
    }

    /// Learns that a submit of this much work of each program took that long. Each coefficient takes the part of the
    /// correction that it has in the estimate of the whole, so that programs are told apart as they come in different mixtures.
    pub(crate) fn learn(&mut self, work: &[(Program, Cost)], ns: f64) {
        let estimate: f64 = work.iter().map(|(program, cost)| self.estimate_ns(*program, *cost)).sum();
        if estimate <= 0.0 || ns.max(estimate) < LEAST_SAMPLE_NS {
            return;
        }
        let step = (ns.max(1.0) / estimate).clamp(1.0 / MAX_STEP, MAX_STEP);
        for (program, cost) in work {
            let rate = self.rate(*program);
            let own = rate.ns(*cost);
            let of_flops = rate.ns_of_flops(*cost);
            self.learnt.insert(
                *program,
                Rate {
                    ns_per_flop: (rate.ns_per_flop * step.powf(of_flops / estimate)).max(LEAST_NS_PER_UNIT),
                    ns_per_byte: (rate.ns_per_byte * step.powf((own - of_flops) / estimate)).max(LEAST_NS_PER_UNIT),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plain;

    const NORM: Program = Program::Plain(Plain::RmsNorm);
    const COPY: Program = Program::Plain(Plain::Copy);

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
                    pace.learn(&[(NORM, kind)], true_ns(kind));
                }
            }
            for kind in kinds {
                let ratio = pace.estimate_ns(NORM, kind) / true_ns(kind);
                assert!((0.8..1.25).contains(&ratio), "{tier}: {ratio}");
            }
        }
    }

    #[test]
    fn programs_are_told_apart_by_the_mixtures_they_come_in() {
        // The same arithmetic takes one of them fifty times as long as the other.
        let work = cost(1_000_000_000, 0);
        let true_ns = [(NORM, 4e6), (COPY, 2e8)];
        let mut pace = Pace::new(Tier::Portable, 100.0);
        for round in 0..60 {
            for (n_norms, n_copies) in [(10, 1), (1, 0), (3, 1)] {
                let mixture = [(NORM, work.times(n_norms)), (COPY, work.times(n_copies))];
                let ns = n_norms as f64 * true_ns[0].1 + n_copies as f64 * true_ns[1].1;
                pace.learn(&mixture[..if n_copies == 0 { 1 } else { 2 }], ns);
            }
            // Learning of one alone leaves the other as it is.
            let before = pace.estimate_ns(COPY, work);
            pace.learn(&[(NORM, work)], true_ns[0].1);
            assert_eq!(pace.estimate_ns(COPY, work), before, "round {round}");
        }
        for (program, ns) in true_ns {
            let ratio = pace.estimate_ns(program, work) / ns;
            assert!((0.7..1.4).contains(&ratio), "{program:?}: {ratio}");
        }
    }

    #[test]
    fn long_work_is_cut_and_short_work_is_not() {
        let pace = Pace::new(Tier::Portable, 100.0);
        assert_eq!(pace.pieces(NORM, cost(1000, 1000)), 1);
        // 20 GFLOP/s to begin with, so 100 ms are 2 GFLOP.
        assert_eq!(pace.pieces(NORM, cost(10_000_000_000, 0)), 5);
        assert!(pace.is_too_long(100.1e6) && !pace.is_too_long(99.9e6));
    }

    #[test]
    fn a_stray_sample_does_not_derail_the_estimate() {
        let mut pace = Pace::new(Tier::Portable, 100.0);
        let work = cost(2_000_000_000, 0);
        let before = pace.estimate_ns(NORM, work);
        pace.learn(&[(NORM, work)], before * 1e6);
        assert!(pace.estimate_ns(NORM, work) <= before * MAX_STEP * 1.001);
        pace.learn(&[(NORM, work)], 0.0);
        assert!(pace.estimate_ns(NORM, work) > 0.0);
    }

    #[test]
    fn submits_too_short_to_tell_teach_nothing() {
        let mut pace = Pace::new(Tier::Portable, 100.0);
        let work = cost(1000, 1000);
        let before = pace.estimate_ns(NORM, work);
        pace.learn(&[(NORM, work)], 50_000.0);
        assert_eq!(pace.estimate_ns(NORM, work), before);
    }
}
