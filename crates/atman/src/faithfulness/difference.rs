//! Whether what ranked the units does something else than removing their keys.

use super::Removal;

/// Units that are compared, the strongest first: those without an effect tell nothing, and a few with one tell enough.
pub(super) const COMPARED_UNITS: usize = 8;

/// From which difference on two ways of suppressing are not alike: a tenth of what they do.
///
/// Measured with SmolLM2-135M-Instruct on prompts of 5, 13 and 27 tokens, in this order: log-additive 0.001 0.002, 0.008, 0.003; 0.01
/// 0.03, 0.06, 0.03; 0.1 0.47, 0.48, 0.27. `shifted` 0.1 0.44 (the least of five scores is not far from the others), 0.06, 0.01.
/// `multiplicative` 0 0.11, 0.20, 0.05; 0.5 0.51, 0.45, 0.27.
pub(super) const LEAST_DIFFERENCE: f32 = 0.1;

/// How far two sets of changes lie apart: 0 where they are the same, 1 where they have nothing in common (Bray and Curtis 1957, with
/// sizes for signed numbers). `None` where there is no change at all.
pub(super) fn difference(pairs: impl Iterator<Item = (f32, f32)>) -> Option<f32> {
    let (mut apart, mut together) = (0.0, 0.0);
    for (a, b) in pairs {
        apart += (a - b).abs();
        together += a.abs() + b.abs();
    }
    (together > 0.0).then(|| apart / together)
}

/// How units are to be taken away that were ranked by something so far from removing their keys.
pub(super) fn removal(difference: Option<f32>) -> Removal {
    match difference {
        Some(difference) if difference >= LEAST_DIFFERENCE => Removal::Keys,
        _ => Removal::Tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_share_of_what_is_there() {
        let of = |pairs: &[(f32, f32)]| difference(pairs.iter().copied());
        assert_eq!(of(&[(2.0, 2.0), (-1.0, -1.0)]), Some(0.0));
        // |2 - 1| + |-1 - 1| of 2 + 1 + 1 + 1.
        assert_eq!(of(&[(2.0, 1.0), (-1.0, 1.0)]), Some(0.6));
        assert_eq!((of(&[(0.0, 3.0)]), of(&[(0.0, 0.0)]), of(&[])), (Some(1.0), None, None));
    }

    #[test]
    fn what_is_like_removing_keys_or_cannot_be_told_from_it_is_judged_by_leaving_tokens_out() {
        assert_eq!([Some(0.0), Some(0.05), Some(0.1), Some(1.0), None].map(removal), {
            use Removal::{Keys, Tokens};
            [Tokens, Tokens, Keys, Keys, Tokens]
        });
    }
}
