//! Choosing the next token.

use crate::{ModelError, TokenScore};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Most tokens that can be chosen among: only so many come back from the device.
pub const MAX_TOP_K: usize = 256;

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Logits are divided by it; 0 always takes the likeliest token.
    pub temperature: f32,
    /// Only the so many likeliest tokens, 1 to [`MAX_TOP_K`].
    pub top_k: usize,
    /// Only the likeliest tokens that together have this probability (Holtzman et al. 2020), above 0 to 1.
    pub top_p: f32,
    /// The same seed gives the same text, on every platform.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { temperature: 0.0, top_k: 40, top_p: 1.0, seed: 0 }
    }
}

impl Sampling {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), ModelError> {
        let wrong = |setting, found: String, expected| Err(ModelError::Sampling { setting, found, expected });
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return wrong("temperature", self.temperature.to_string(), "0 or more");
        }
        if !(1..=MAX_TOP_K).contains(&self.top_k) {
            return wrong("top-k", self.top_k.to_string(), "1 to 256");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return wrong("top-p", self.top_p.to_string(), "above 0, at most 1");
        }
        Ok(())
    }

    /// How many of the likeliest tokens must come back from the device.
    pub(crate) fn candidates(&self) -> usize {
        if self.temperature == 0.0 { 1 } else { self.top_k }
    }
}

/// Chooses tokens, one after another.
#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    random: ChaCha8Rng,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Sampler {
        Sampler { sampling, random: ChaCha8Rng::seed_from_u64(sampling.seed) }
    }

    /// One of `top`, which comes best first; `None` if there is none.
    pub(crate) fn choose(&mut self, top: &[TokenScore]) -> Option<TokenScore> {
        let best = *top.first()?;
        let Sampling { temperature, top_k, top_p, .. } = self.sampling;
        if temperature == 0.0 {
            return Some(best);
        }
        let weight = |score: &TokenScore| (f64::from(score.logit - best.logit) / f64::from(temperature)).exp();
        let weights: Vec<f64> = top.iter().take(top_k).map(weight).collect();
        let total: f64 = weights.iter().sum();
        let mut nucleus = 0;
        let mut mass = 0.0;
        for w in &weights {
            nucleus += 1;
            mass += w;
            if mass >= f64::from(top_p) * total {
                break;
            }
        }
        // 53 random bits make a number in [0, 1) without bias.
        let mut left = (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64 * mass;
        for (score, w) in top.iter().zip(&weights).take(nucleus) {
            left -= w;
            if left < 0.0 {
                return Some(*score);
            }
        }
        top.get(nucleus.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(logits: &[f32]) -> Vec<TokenScore> {
        logits.iter().zip(0..).map(|(logit, token)| TokenScore { token, logit: *logit, log_prob: 0.0 }).collect()
    }

    fn counts(sampling: Sampling, logits: &[f32]) -> Vec<usize> {
        let mut sampler = Sampler::new(sampling);
        let mut counts = vec![0; logits.len()];
        for _ in 0..20_000 {
            counts[sampler.choose(&scores(logits)).unwrap().token as usize] += 1;
        }
        counts
    }

    #[test]
    fn tokens_come_as_often_as_their_softmax_says() {
        let counts = counts(Sampling { temperature: 2.0, ..Sampling::default() }, &[2.0, 0.0, -2.0]);
        let total: f64 = [1.0f64, 0.0, -1.0].iter().map(|x| x.exp()).sum();
        for (count, logit) in counts.iter().zip([1.0f64, 0.0, -1.0]) {
            assert!((*count as f64 / 20_000.0 - logit.exp() / total).abs() < 0.015, "{counts:?}");
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let logits = [1.0, 0.9, 0.8, 0.7];
        assert_eq!(counts(Sampling { temperature: 1.0, top_k: 2, ..Sampling::default() }, &logits)[2..], [0, 0]);
        assert_eq!(counts(Sampling { temperature: 1.0, top_p: 0.4, ..Sampling::default() }, &logits)[2..], [0, 0]);
        assert_eq!(counts(Sampling { temperature: 0.0, ..Sampling::default() }, &logits)[0], 20_000);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let of = |sampling: Sampling| sampling.check().unwrap_err().to_string();
        assert!(of(Sampling { temperature: -1.0, ..Sampling::default() }).contains("temperature is -1"));
        assert!(of(Sampling { top_k: 0, ..Sampling::default() }).contains("top-k is 0"));
        assert!(of(Sampling { top_p: f32::NAN, ..Sampling::default() }).contains("top-p is NaN"));
    }
}
