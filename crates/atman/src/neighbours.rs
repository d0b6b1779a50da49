//! Which input positions are alike.

use crate::AtmanError;
use kernels::Executor;
use model::{Mixed, Model};
use std::collections::HashMap;

/// Cosine similarities of the input embeddings of a question, each pair of different vectors computed once. A token has the
/// same vector wherever it stands, and each position of a picture one of its own.
#[derive(Clone, Debug, Default)]
pub struct Similarities {
    /// For each position, the row of its vector.
    row_of: Vec<usize>,
    /// Symmetric, `[vectors, vectors]`.
    cosines: Vec<f32>,
    n_vectors: usize,
}

impl Similarities {
    /// The positions of an input with different vectors, in the order in which [`Similarities::new`] wants these, and for each
    /// position which of them it has.
    fn distinct(input: &Mixed) -> (Vec<usize>, Vec<usize>) {
        let (mut firsts, mut row_of) = (Vec::new(), Vec::with_capacity(input.len()));
        let mut row_of_token: HashMap<u32, usize> = HashMap::new();
        for (position, id) in input.ids().iter().enumerate() {
            let next = firsts.len();
            let row = if input.is_image(position) { next } else { *row_of_token.entry(*id).or_insert(next) };
            if row == next {
                firsts.push(position);
            }
            row_of.push(row);
        }
        (firsts, row_of)
    }

    /// Of the embeddings that the model has for the tokens of an input, and those that are in it.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn of_input(model: &Model, executor: &mut dyn Executor, input: &Mixed) -> Result<Similarities, AtmanError> {
        let (firsts, _) = Similarities::distinct(input);
        let embeddings = model.embed_mixed(executor, &input.select(firsts)).await?;
        Ok(Similarities::new(input, &embeddings, model.config().d_model))
    }

    /// From the different vectors `[vectors, d_model]` of an input, in the order of their first occurrence.
    pub fn new(input: &Mixed, embeddings: &[f32], d_model: usize) -> Similarities {
        let (_, row_of) = Similarities::distinct(input);
        let mut unit_vectors = embeddings.to_vec();
        for vector in unit_vectors.chunks_exact_mut(d_model.max(1)) {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-8);
            vector.iter_mut().for_each(|x| *x /= length);
        }
        let vectors: Vec<&[f32]> = unit_vectors.chunks_exact(d_model.max(1)).collect();
        let n_vectors = vectors.len();
        let mut cosines = vec![1.0; n_vectors * n_vectors];
        for (a, of_a) in vectors.iter().enumerate() {
            for (b, of_b) in vectors.iter().enumerate().take(a) {
                let cosine = of_a.iter().zip(*of_b).map(|(x, y)| x * y).sum::<f32>().clamp(-1.0, 1.0);
                for at in [a * n_vectors + b, b * n_vectors + a] {
                    if let Some(slot) = cosines.get_mut(at) {
                        *slot = cosine;
                    }
                }
            }
        }
        Similarities { row_of, cosines, n_vectors }
    }

    /// Of two positions; 1 for two of the same token, `None` where there is no such position.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f32> {
        let begin = self.row_of.get(a)?.checked_mul(self.n_vectors)?;
        self.cosines.get(begin.checked_add(*self.row_of.get(b)?)?).copied()
    }

    /// Positions outside `positions` whose similarity to one of them is at least `least` and not negative, with the greatest
    /// such similarity; the most similar first, equal ones by position.
    pub fn neighbours(&self, positions: &[usize], least: f32) -> Vec<(usize, f32)> {
        let greatest = |other: usize| positions.iter().filter_map(|position| self.cosine(*position, other)).fold(-1.0, f32::max);
        let others = (0..self.row_of.len()).filter(|other| !positions.contains(other));
        let mut found: Vec<(usize, f32)> =
            others.map(|other| (other, greatest(other))).filter(|(_, c)| *c >= least && *c >= 0.0).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    /// The similarity that `part` of all pairs of different vectors stay below; 1 where there are no two.
    pub fn quantile(&self, part: f32) -> f32 {
        let pairs = (0..self.n_vectors).flat_map(|a| (0..a).map(move |b| a * self.n_vectors + b));
        let mut cosines: Vec<f32> = pairs.filter_map(|at| self.cosines.get(at).copied()).collect();
        cosines.sort_by(f32::total_cmp);
        let last = cosines.len().saturating_sub(1);
        cosines.get((part.clamp(0.0, 1.0) * last as f32).round() as usize).copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens 7, 8 and 9 at angles of 0, 60 and 90 degrees; 7 stands twice.
    fn similarities() -> Similarities {
        Similarities::new(&Mixed::from(vec![7, 8, 7, 9]), &[2.0, 0.0, 0.5, 0.75_f32.sqrt(), 0.0, 3.0], 2)
    }

    #[test]
    fn the_most_similar_positions_come_first() {
        let s = similarities();
        let cosine = |a, b| s.cosine(a, b).unwrap();
        assert!((cosine(0, 1) - 0.5).abs() < 1e-6 && cosine(0, 2) == 1.0 && cosine(0, 3).abs() < 1e-6);
        assert_eq!((s.cosine(0, 4), s.cosine(4, 0)), (None, None), "there is no such position");
        let positions = |found: Vec<(usize, f32)>| found.into_iter().map(|(p, _)| p).collect::<Vec<_>>();
        assert_eq!(positions(s.neighbours(&[0], 0.4)), [2, 1]);
        assert_eq!(positions(s.neighbours(&[0], 0.6)), [2]);
        // Of a unit of several positions, a neighbour of any.
        assert_eq!(positions(s.neighbours(&[0, 3], 0.6)), [2, 1]);
        assert_eq!(positions(s.neighbours(&[0, 1, 2, 3], 0.0)), [0; 0]);
    }

    #[test]
    fn a_quantile_is_over_pairs_of_different_vectors() {
        let s = similarities();
        // 0, 0.5 and cos 30 degrees.
        assert!(s.quantile(0.0).abs() < 1e-6 && (s.quantile(0.5) - 0.5).abs() < 1e-6);
        assert!((s.quantile(1.0) - 0.75_f32.sqrt()).abs() < 1e-6);
        assert_eq!(Similarities::new(&Mixed::from(vec![7]), &[1.0], 1).quantile(0.5), 1.0);
    }

    #[test]
    fn each_position_of_a_picture_has_a_vector_of_its_own() {
        // Tokens 7, 7, and twice the image token 9, in whose places there are embeddings.
        let input = Mixed::new(vec![7, 9, 7, 9], 9, &[1.0, 0.0, 1.0, 1.0], 2).unwrap();
        let s = Similarities::new(&input, &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2);
        let half = 0.5_f32.sqrt();
        let cosine = |a, b| s.cosine(a, b).unwrap();
        assert!(cosine(0, 2) == 1.0 && cosine(0, 1).abs() < 1e-6);
        assert!((cosine(1, 3) - half).abs() < 1e-6 && (cosine(2, 3) - half).abs() < 1e-6);
        // Words and parts of pictures are neighbours alike.
        assert_eq!(s.neighbours(&[3], 0.5).iter().map(|(position, _)| *position).collect::<Vec<_>>(), [0, 1, 2]);
        assert!((s.quantile(1.0) - half).abs() < 1e-6 && s.quantile(0.0).abs() < 1e-6);
    }
}
