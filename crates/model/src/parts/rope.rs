//! Rotary angles (Su et al. 2021), with the stretching of Llama 3.1.

use crate::{ModelConfig, RopeScaling};
use std::f64::consts::TAU;

/// Angles of each position, computed on the host in double precision: a shader's sine is too coarse for long contexts.
#[derive(Clone, Debug)]
pub(crate) struct Rope {
    /// Radians per position, `[head_dim / 2]`.
    frequencies: Vec<f64>,
}

impl Rope {
    /// The frequencies `theta^(-2i / rotary_dims)`, stretched as configured, then divided by `divisors` where a file has any; 0 for
    /// pairs that do not rotate.
    pub(crate) fn new(config: &ModelConfig, divisors: Option<&[f32]>) -> Rope {
        let frequencies = (0..config.head_dim / 2).map(|i| {
            if i >= config.rotary_dims / 2 {
                return 0.0;
            }
            let plain = config.rope_theta.powf(-((2 * i) as f64) / config.rotary_dims as f64);
            let divisor = divisors.and_then(|d| d.get(i)).map_or(1.0, |d| f64::from(*d));
            stretch(plain, config.rope_scaling) / divisor
        });
        Rope { frequencies: frequencies.collect() }
    }

    /// For each position `head_dim` floats: the cosines, then the sines. `[positions, 2, head_dim / 2]`.
    pub(crate) fn angles(&self, positions: impl Iterator<Item = usize>) -> Vec<f32> {
        let mut angles = Vec::with_capacity(positions.size_hint().0 * 2 * self.frequencies.len());
        for position in positions {
            let radians = |frequency: &f64| position as f64 * frequency;
            angles.extend(self.frequencies.iter().map(|f| radians(f).cos() as f32));
            angles.extend(self.frequencies.iter().map(|f| radians(f).sin() as f32));
        }
        angles
    }
}

fn stretch(frequency: f64, scaling: RopeScaling) -> f64 {
    match scaling {
        RopeScaling::None => frequency,
        RopeScaling::Linear { factor } => frequency / factor,
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_positions } => {
            let wavelength = TAU / frequency;
            let turns = original_positions / wavelength;
            // 0 where the original context holds fewer than `low_freq_factor` turns, 1 where more than `high_freq_factor`.
            let kept = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
            kept * frequency + (1.0 - kept) * frequency / factor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_keeps_short_waves_and_stretches_long_ones() {
        let scaling =
            RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_positions: 8192.0 };
        let of_wavelength = |wavelength: f64| stretch(TAU / wavelength, scaling) / (TAU / wavelength);
        assert_eq!(of_wavelength(100.0), 1.0);
        assert_eq!(of_wavelength(20_000.0), 1.0 / 8.0);
        // Half-way between 8192 / 4 and 8192 / 1 turns: 2.5 of 1 to 4.
        assert!((of_wavelength(8192.0 / 2.5) - (0.5 + 0.5 / 8.0)).abs() < 1e-12);
    }
}
