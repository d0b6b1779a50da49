//! How a score is drawn.

use report::Scale;

/// A score on its scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::page) struct Tint {
    pub(in crate::page) score: Option<f32>,
    /// -1 is full colour against, 1 full colour for, 0 no colour.
    pub(in crate::page) strength: f32,
    /// No more than noise.
    pub(in crate::page) noise: bool,
}

impl Tint {
    pub(in crate::page) fn of(score: Option<f32>, scale: &Scale) -> Self {
        let strength = score.map_or(0.0, |score| scale.strength(score));
        Self { score, strength, noise: score.is_some_and(|score| scale.is_noise(score)) }
    }

    /// Whether it supports.
    pub(in crate::page) fn is_for(self) -> bool {
        self.strength > 0.0
    }

    /// Whether it must be told by more than its colour that this speaks against.
    pub(in crate::page) fn is_against(self) -> bool {
        self.strength < 0.0 && !self.noise
    }

    /// As the style sheet wants it: percent of the hue, by its side.
    pub(in crate::page) fn percent(self) -> String {
        format!("{:.0}%", self.strength.abs() * report::FULL_TINT * 100.0)
    }
}
