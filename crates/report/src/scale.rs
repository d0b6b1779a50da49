//! From a score to a colour: two hues that people with any colour vision tell apart, fading out at zero.

use crate::Document;
use crate::amount::{Measure, ROUNDS_TO_ZERO};
use atman::{Compared, Contrast, Postprocessing, Source};
use std::ops::Range;

/// An RGB colour of 8 bits each.
pub type Rgb = [u8; 3];

/// Of units that support the answer: the blue of Okabe and Ito (2008).
pub const SUPPORTS: Rgb = [0, 114, 178];

/// Of units that speak against it: their vermilion.
pub const AGAINST: Rgb = [213, 94, 0];

/// What share of the hue is mixed into the paper at full colour. At this much, black stays readable on white paper and light
/// grey on dark.
pub const FULL_TINT: f32 = 0.7;

/// White paper.
pub const WHITE: Rgb = [255; 3];

/// The part of the units that must lie within the scale, so that a single outlier does not drown all others.
const QUANTILE: f32 = 0.98;

/// How many times the limit the strongest score may be: what stands out must be seen to stand out, and where nearly all scores
/// are 0, those that are not must still be seen.
pub(crate) const MOST_CLIPPED: f32 = 3.0;

/// How scores are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The score, sign aside, at full colour; 0 where no unit has a score but 0.
    pub limit: f32,
    /// At least this part of the units lies within the limit.
    pub quantile: f32,
    /// Units beyond it, which are drawn in full colour.
    pub clipped: usize,
    /// Units that have a score.
    pub known: usize,
    /// Whether scores have signs that mean something: post-processing takes them away.
    pub signed: bool,
    /// Scores up to this, sign aside, are no more than noise; `None` where that is not known.
    pub noise: Option<f32>,
    /// What the scores are counted in.
    pub measure: Measure,
}

/// On which side of the answer a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It supports it.
    Supports,
    /// It speaks against it.
    Against,
    /// On neither: its score is no more than noise, or rounds to zero.
    Neither,
}

impl Scale {
    /// Of a document's scores: those of the prompt's units, or of all where it has none. Sinks do not count: they would drown
    /// the others.
    pub fn of(document: &Document) -> Scale {
        let tokens = document.span_tokens();
        match document.looked_at_contrast() {
            Some(contrast) => Scale::of_contrast(document, contrast),
            None if is_one_of_several(document, &tokens) => Scale::of_tokens(document),
            None => {
                let noise = document.explanation.noise_of(tokens);
                Scale::over(document, document.scores.iter().copied().enumerate(), noise, true)
            }
        }
    }

    /// Of the scores of any span of target tokens. Single tokens of several share a scale, so that they can be compared.
    pub fn of_span(document: &Document, tokens: Range<usize>) -> Scale {
        if is_one_of_several(document, &tokens) {
            return Scale::of_tokens(document);
        }
        let explanation = &document.explanation;
        let noise = explanation.noise_of(tokens.clone());
        Scale::over(document, explanation.scores(tokens).into_iter().enumerate(), noise, true)
    }

    /// Of single target tokens, one for all so that they can be compared: that of the token with the strongest scores.
    pub fn of_tokens(document: &Document) -> Scale {
        let explanation = &document.explanation;
        let of =
            |scores: Vec<Option<f32>>| Scale::over(document, scores.into_iter().enumerate(), explanation.noise_of(0..1), true);
        let scales = explanation.whole_target().map(|token| of(explanation.scores(token..token + 1)));
        scales.reduce(|a, b| if b.limit > a.limit { b } else { a }).unwrap_or_else(|| of(Vec::new()))
    }

    /// Of a contrast's scores, which are never post-processed.
    pub fn of_contrast(document: &Document, contrast: &Contrast) -> Scale {
        // The noise of a difference is at most the sum of that of what is subtracted.
        let n_target = document.explanation.target.tokens.len();
        let rest = |n: usize| n.saturating_sub(contrast.first_difference);
        let tokens = match contrast.compared {
            Compared::OneToken => 2,
            Compared::Rest => rest(n_target) + rest(contrast.alternative.tokens.len()),
        };
        let noise = document.explanation.noise_floor.map(|floor| floor * tokens as f32);
        Scale::over(document, contrast.relevance.iter().copied().enumerate(), noise, false)
    }

    fn over(
        document: &Document,
        scores: impl Iterator<Item = (usize, Option<f32>)>,
        noise: Option<f32>,
        postprocessed: bool,
    ) -> Scale {
        let explanation = &document.explanation;
        let postprocessing = if postprocessed { explanation.settings.postprocessing } else { Postprocessing::None };
        let leaves: std::collections::HashSet<usize> = explanation.leaves().into_iter().collect();
        let mut sizes = Vec::new();
        let mut of_prompt = Vec::new();
        for (index, score) in scores {
            let unit = explanation.units.get(index).filter(|unit| leaves.contains(&index) && !unit.sink);
            let (Some(unit), Some(size)) = (unit, score.map(f32::abs).filter(|size| size.is_finite())) else { continue };
            sizes.push(size);
            of_prompt.extend((unit.source == Source::Prompt).then_some(size));
        }
        // What stands in the answer is often all that the rest of it rests on: the prompt, which is what is asked about,
        // would have no colour left.
        if !of_prompt.is_empty() {
            sizes = of_prompt;
        }
        sizes.sort_by(f32::total_cmp);
        let rank = (QUANTILE * sizes.len() as f32).ceil() as usize;
        let quantile = sizes.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
        let limit = quantile.max(sizes.last().copied().unwrap_or(0.0) / MOST_CLIPPED);
        Scale {
            limit,
            quantile: QUANTILE,
            clipped: sizes.iter().filter(|size| **size > limit).count(),
            known: sizes.len(),
            signed: postprocessing == Postprocessing::None,
            noise,
            measure: Measure::new(explanation.settings.score, postprocessing),
        }
    }

    /// How strongly a score is drawn: -1 is full colour against, 1 full colour for; 0 is no colour, which is all that noise has,
    /// and what rounds to zero.
    pub fn strength(&self, score: f32) -> f32 {
        let is_drawn = self.limit > 0.0 && score.is_finite() && self.side(score) != Side::Neither;
        if is_drawn { (score / self.limit).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// On which side of the answer a score stands.
    pub fn side(&self, score: f32) -> Side {
        match score {
            _ if self.is_noise(score) || (self.signed && score.abs() < ROUNDS_TO_ZERO) => Side::Neither,
            _ if self.signed && score < 0.0 => Side::Against,
            _ => Side::Supports,
        }
    }

    /// A score's colour on white paper.
    pub fn rgb(&self, score: f32) -> Rgb {
        self.rgb_on(score, WHITE)
    }

    /// A score's colour on any paper.
    pub fn rgb_on(&self, score: f32, paper: Rgb) -> Rgb {
        let strength = self.strength(score);
        let hue = if strength < 0.0 { AGAINST } else { SUPPORTS };
        mix(hue, paper, strength.abs() * FULL_TINT)
    }

    /// A score's colour as a tint to be laid over something: its hue, and an alpha by its strength. Over any paper it gives
    /// [`Scale::rgb_on`].
    pub fn tint(&self, score: f32) -> [u8; 4] {
        let strength = self.strength(score);
        let [r, g, b] = if strength < 0.0 { AGAINST } else { SUPPORTS };
        [r, g, b, (strength.abs() * FULL_TINT * 255.0).round() as u8]
    }

    /// Whether a score is no more than noise.
    pub fn is_noise(&self, score: f32) -> bool {
        self.noise.is_some_and(|noise| score.abs() <= noise && noise > 0.0)
    }
}

/// Whether a span is a single token of a longer target.
fn is_one_of_several(document: &Document, tokens: &Range<usize>) -> bool {
    tokens.len() == 1 && document.explanation.target.tokens.len() > 1
}

/// `share` of one colour in another.
fn mix(color: Rgb, paper: Rgb, share: f32) -> Rgb {
    let [r, g, b] = color;
    let [paper_r, paper_g, paper_b] = paper;
    let of = |color: u8, paper: u8| (f32::from(color) * share + f32::from(paper) * (1.0 - share)).round() as u8;
    [of(r, paper_r), of(g, paper_g), of(b, paper_b)]
}

/// Black or white, whichever is easier to read on a colour: at least 4.5 to 1 on any.
pub fn text_on(background: Rgb) -> Rgb {
    let black = [0; 3];
    if contrast_ratio(background, black) >= contrast_ratio(background, WHITE) { black } else { WHITE }
}

/// The contrast of two colours by the Web Content Accessibility Guidelines 2: 1 to 21.
pub fn contrast_ratio(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance([r, g, b]: Rgb) -> f32 {
    let linear = |channel: u8| {
        let channel = f32::from(channel) / 255.0;
        if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(limit: f32) -> Scale {
        let measure = Measure::new(atman::Score::CrossEntropy, Postprocessing::None);
        Scale { limit, quantile: QUANTILE, clipped: 0, known: 1, signed: true, noise: Some(0.01), measure }
    }

    #[test]
    fn zero_is_paper_and_beyond_the_limit_is_full_colour() {
        let scale = scale(2.0);
        assert_eq!(scale.rgb(0.0), WHITE);
        assert_eq!(scale.rgb(2.0), scale.rgb(50.0));
        assert_eq!(scale.strength(-7.0), -1.0);
        let [r, _, b] = scale.rgb(1.0);
        assert!(b > r, "support is blue");
        let [r, _, b] = scale.rgb(-1.0);
        assert!(r > b, "against is orange");
    }

    #[test]
    fn without_a_limit_nothing_is_drawn() {
        assert_eq!(scale(0.0).rgb(3.0), WHITE);
        assert_eq!(scale(1.0).rgb(f32::NAN), WHITE);
    }

    #[test]
    fn text_can_be_read_on_every_tint_on_every_paper() {
        let scale = scale(1.0);
        for paper in [WHITE, [28; 3], [128; 3]] {
            for step in -20..=20 {
                let background = scale.rgb_on(step as f32 / 20.0, paper);
                assert!(contrast_ratio(background, text_on(background)) >= 4.5, "{background:?}");
            }
        }
        assert!(contrast_ratio(WHITE, [0; 3]) > 20.9);
    }

    #[test]
    fn noise_and_what_rounds_to_zero_are_on_neither_side_and_have_no_colour() {
        let noisy = scale(1.0);
        assert_eq!(
            [0.02, -0.02, 0.01, -0.01].map(|score| noisy.side(score)),
            [Side::Supports, Side::Against, Side::Neither, Side::Neither]
        );
        assert_eq!([noisy.rgb(-0.01), noisy.rgb(0.01)], [WHITE; 2]);
        // However small the strongest is.
        let tiny = Scale { noise: Some(0.0), ..scale(0.000_4) };
        assert_eq!(tiny.side(-0.000_4), Side::Neither);
        assert_eq!(tiny.rgb(-0.000_4), WHITE);
        // Without signs numbers are told to their last digits.
        let unsigned = Scale { signed: false, ..tiny };
        assert_eq!((unsigned.side(0.000_4), unsigned.strength(0.000_4)), (Side::Supports, 1.0));
    }

    #[test]
    fn noise_is_a_size_not_a_side() {
        assert!(scale(1.0).is_noise(-0.01) && !scale(1.0).is_noise(0.02));
        assert!(!Scale { noise: None, ..scale(1.0) }.is_noise(0.0), "unknown noise marks nothing");
    }
}
