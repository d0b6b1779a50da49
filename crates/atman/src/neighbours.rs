//! Which input positions are alike.

use crate::AtmanError;
use kernels::Executor;
use model::Model;
use std::collections::HashMap;

/// Cosine similarities of the input embeddings of a question, each pair of different tokens computed once.
#[derive(Clone, Debug, Default)]
pub struct Similarities {
    /// For each position, the row of its token.
    row_of: Vec<usize>,
    /// Symmetric, `[tokens, tokens]`.
    cosines: Vec<f32>,
    n_tokens: usize,
}

impl Similarities {
    /// The different ones of `ids`, in the order in which [`Similarities::new`] wants their embeddings.
    pub fn distinct(ids: &[u32]) -> Vec<u32> {
        let mut seen = std::collections::HashSet::new();
        ids.iter().copied().filter(|id| seen.insert(*id)).collect()
    }

    /// Of the embeddings that the model has for `ids`.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn of_input(model: &Model, executor: &mut dyn Executor, ids: &[u32]) -> Result<Similarities, AtmanError> {
        let embeddings = model.embed(executor, &Similarities::distinct(ids)).await?;
        Ok(Similarities::new(ids, &embeddings, model.config().d_model))
    }

    /// From the embeddings `[tokens, d_model]` of the tokens that `ids` holds, in the order of their first occurrence.
    pub fn new(ids: &[u32], embeddings: &[f32], d_model: usize) -> Similarities {
        let distinct = Similarities::distinct(ids);
        let rows: HashMap<u32, usize> = distinct.iter().enumerate().map(|(row, id)| (*id, row)).collect();
        let mut unit_vectors = embeddings.to_vec();
        for vector in unit_vectors.chunks_exact_mut(d_model.max(1)) {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-8);
            vector.iter_mut().for_each(|x| *x /= length);
        }
        let vectors: Vec<&[f32]> = unit_vectors.chunks_exact(d_model.max(1)).collect();
        let n_tokens = vectors.len();
        let mut cosines = vec![1.0; n_tokens * n_tokens];
        for (a, of_a) in vectors.iter().enumerate() {
            for (b, of_b) in vectors.iter().enumerate().take(a) {
                let cosine = of_a.iter().zip(*of_b).map(|(x, y)| x * y).sum::<f32>().clamp(-1.0, 1.0);
                for at in [a * n_tokens + b, b * n_tokens + a] {
                    if let Some(slot) = cosines.get_mut(at) {
                        *slot = cosine;
                    }
                }
            }
        }
        let row_of = ids.iter().filter_map(|id| rows.get(id).copied()).collect();
        Similarities { row_of, cosines, n_tokens }
    }

    /// Of two positions; 1 for two of the same token.
    pub fn cosine(&self, a: usize, b: usize) -> f32 {
        let row = |position: usize| self.row_of.get(position).copied().unwrap_or(usize::MAX);
        let at = row(a).checked_mul(self.n_tokens).and_then(|begin| begin.checked_add(row(b)));
        at.and_then(|at| self.cosines.get(at).copied()).unwrap_or(0.0)
    }

    /// Positions outside `positions` whose similarity to one of them is at least `least` and not negative, with the greatest
    /// such similarity; the most similar first, equal ones by position.
    pub fn neighbours(&self, positions: &[usize], least: f32) -> Vec<(usize, f32)> {
        let greatest = |other: usize| positions.iter().map(|position| self.cosine(*position, other)).fold(-1.0, f32::max);
        let others = (0..self.row_of.len()).filter(|other| !positions.contains(other));
        let mut found: Vec<(usize, f32)> =
            others.map(|other| (other, greatest(other))).filter(|(_, c)| *c >= least && *c >= 0.0).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    /// The similarity that `part` of all pairs of different tokens stay below; 1 where there are no two.
    pub fn quantile(&self, part: f32) -> f32 {
        let pairs = (0..self.n_tokens).flat_map(|a| (0..a).map(move |b| a * self.n_tokens + b));
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
        Similarities::new(&[7, 8, 7, 9], &[2.0, 0.0, 0.5, 0.75_f32.sqrt(), 0.0, 3.0], 2)
    }

    #[test]
    fn the_most_similar_positions_come_first() {
        let s = similarities();
        assert_eq!(Similarities::distinct(&[7, 8, 7, 9]), [7, 8, 9]);
        assert!((s.cosine(0, 1) - 0.5).abs() < 1e-6 && s.cosine(0, 2) == 1.0 && s.cosine(0, 3).abs() < 1e-6);
        let positions = |found: Vec<(usize, f32)>| found.into_iter().map(|(p, _)| p).collect::<Vec<_>>();
        assert_eq!(positions(s.neighbours(&[0], 0.4)), [2, 1]);
        assert_eq!(positions(s.neighbours(&[0], 0.6)), [2]);
        // Of a unit of several positions, a neighbour of any.
        assert_eq!(positions(s.neighbours(&[0, 3], 0.6)), [2, 1]);
        assert_eq!(positions(s.neighbours(&[0, 1, 2, 3], 0.0)), [0; 0]);
    }

    #[test]
    fn a_quantile_is_over_pairs_of_different_tokens() {
        let s = similarities();
        // 0, 0.5 and cos 30 degrees.
        assert!(s.quantile(0.0).abs() < 1e-6 && (s.quantile(0.5) - 0.5).abs() < 1e-6);
        assert!((s.quantile(1.0) - 0.75_f32.sqrt()).abs() < 1e-6);
        assert_eq!(Similarities::new(&[7], &[1.0], 1).quantile(0.5), 1.0);
    }
}
