//! Which kernels suit which device.

use std::fmt;

/// Two sets of kernels that agree; both run on any device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Tiles in workgroup memory, neighbours reading neighbouring words: for hardware.
    Portable,
    /// Everything straight from buffers, as much arithmetic to a load as registers hold: for software adapters, where a
    /// load costs the same wherever it comes from.
    Software,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Tier; 2] = [Tier::Portable, Tier::Software];

    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Portable => "portable",
            Tier::Software => "software",
        }
    }

    /// Invocations of the matrix-vector product that share an output.
    pub(crate) const fn vector_lanes(self) -> u32 {
        match self {
            Tier::Portable => 16,
            Tier::Software => 8,
        }
    }

    /// Invocations of a workgroup of attention over heads of so many quads, at most 64.
    pub(crate) fn attention_lanes(self, quads: usize) -> u32 {
        match self {
            Tier::Portable => 64,
            // As few as there can be: every barrier switches between all of them.
            Tier::Software => quads.next_power_of_two().clamp(16, 64) as u32,
        }
    }

    /// The most rows that the matrix-vector product takes, four at a time, in place of the matrix product.
    pub(crate) const fn vector_rows(self) -> usize {
        match self {
            Tier::Portable => 8,
            Tier::Software => 4,
        }
    }

    /// What a floating-point operation and a byte are taken to cost before anything was measured, in nanoseconds: on the
    /// slow side, so that the first submits are short.
    pub(crate) const fn first_guess(self) -> (f64, f64) {
        match self {
            Tier::Portable => (1.0 / 20.0, 1.0 / 10.0),
            Tier::Software => (1.0 / 4.0, 1.0 / 2.0),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
