//! Tokens of which some stand for parts of a picture.

use crate::{Model, ModelError};
use kernels::Executor;
use std::ops::Range;
use std::sync::Arc;

/// Consecutive positions: a token each, and for some of them an embedding that stands in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mixed {
    /// The tokens. Where there is an embedding the token only marks the place, and need not be one of the model's.
    ids: Vec<u32>,
    /// In rising order of positions, which count from the first of `ids`; each `[d_model]`, shared by all copies.
    embeddings: Vec<(usize, Arc<[f32]>)>,
}

impl From<Vec<u32>> for Mixed {
    fn from(ids: Vec<u32>) -> Mixed {
        Mixed { ids, embeddings: Vec::new() }
    }
}

impl Mixed {
    /// Puts `embeddings`, one `[d_model]` for each, in order in the places of the token `image_token_id`.
    ///
    /// # Errors
    /// When there are not as many places as embeddings.
    pub fn new(ids: Vec<u32>, image_token_id: u32, embeddings: &[f32], d_model: usize) -> Result<Mixed, ModelError> {
        let places: Vec<usize> = ids.iter().enumerate().filter(|(_, id)| **id == image_token_id).map(|(at, _)| at).collect();
        let d_model = d_model.max(1);
        let wrong = ModelError::ImagePositions { found: places.len(), expected: embeddings.len() / d_model };
        if places.len().checked_mul(d_model) != Some(embeddings.len()) {
            return Err(wrong);
        }
        let embeddings = places.into_iter().zip(embeddings.chunks_exact(d_model).map(Arc::from)).collect();
        Ok(Mixed { ids, embeddings })
    }

    /// How many positions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The tokens, those that only mark a place among them.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The positions that have an embedding in place of their token, in rising order, with it.
    pub fn embeddings(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.embeddings.iter().map(|(position, values)| (*position, &**values))
    }

    /// Whether the position has an embedding in place of its token.
    pub fn is_image(&self, position: usize) -> bool {
        self.embeddings.binary_search_by_key(&position, |(position, _)| *position).is_ok()
    }

    /// Adds a token at the end.
    pub fn push(&mut self, id: u32) {
        self.ids.push(id);
    }

    /// The positions of that range, or those of it that there are.
    pub fn slice(&self, range: Range<usize>) -> Mixed {
        let end = range.end.min(self.ids.len());
        let start = range.start.min(end);
        self.select(start..end)
    }

    /// These positions, in rising order; those that there are.
    pub fn select(&self, positions: impl IntoIterator<Item = usize>) -> Mixed {
        let mut selected = Mixed::default();
        for position in positions {
            let Some(id) = self.ids.get(position) else { continue };
            if let Ok(index) = self.embeddings.binary_search_by_key(&position, |(position, _)| *position)
                && let Some((_, values)) = self.embeddings.get(index)
            {
                selected.embeddings.push((selected.ids.len(), values.clone()));
            }
            selected.ids.push(*id);
        }
        selected
    }
}

impl Model {
    /// Tokens with the embeddings of pictures, one `[d_model]` for each image position, in the places of the image token.
    ///
    /// # Errors
    /// When the model sees no pictures, or there are not as many places as embeddings.
    pub fn mix(&self, ids: Vec<u32>, image_embeddings: &[f32]) -> Result<Mixed, ModelError> {
        Mixed::new(ids, self.vision_config()?.image_token_id, image_embeddings, self.config.d_model)
    }

    /// The embeddings of positions, `[input.len(), d_model]`: those of pictures as they are, of tokens the model's own.
    pub async fn embed_mixed(&self, executor: &mut dyn Executor, input: &Mixed) -> Result<Vec<f32>, ModelError> {
        let d_model = self.config.d_model;
        let ids: Vec<u32> = (0..).zip(&input.ids).map(|(at, id)| if input.is_image(at) { 0 } else { *id }).collect();
        let mut all = self.embed(executor, &ids).await?;
        for (position, values) in input.embeddings() {
            let row = all.get_mut(position * d_model..(position + 1) * d_model);
            if let Some(row) = row.filter(|row| row.len() == values.len()) {
                row.copy_from_slice(values);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> Mixed {
        Mixed::new(vec![5, 9, 9, 6, 9], 9, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap()
    }

    fn rows(mixed: &Mixed) -> Vec<(usize, Vec<f32>)> {
        mixed.embeddings().map(|(at, values)| (at, values.to_vec())).collect()
    }

    #[test]
    fn embeddings_take_the_places_of_the_image_token_in_order() {
        assert_eq!(rows(&mixed()), [(1, vec![1.0, 2.0]), (2, vec![3.0, 4.0]), (4, vec![5.0, 6.0])]);
        assert!(mixed().is_image(4) && !mixed().is_image(3) && !mixed().is_image(5));
        for values in [&[1.0; 4][..], &[1.0; 7], &[1.0; 8], &[]] {
            let error = Mixed::new(vec![5, 9, 9, 6, 9], 9, values, 2).unwrap_err();
            assert!(matches!(error, ModelError::ImagePositions { found: 3, .. }), "{error}");
        }
    }

    #[test]
    fn parts_keep_their_embeddings() {
        let part = mixed().slice(2..9);
        assert_eq!((part.ids(), rows(&part)), (&[9, 6, 9][..], vec![(0, vec![3.0, 4.0]), (2, vec![5.0, 6.0])]));
        let part = mixed().select([0, 2, 3]);
        assert_eq!((part.ids(), rows(&part)), (&[5, 9, 6][..], vec![(1, vec![3.0, 4.0])]));
        assert!(mixed().slice(7..9).is_empty());
    }
}
