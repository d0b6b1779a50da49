//! Leaving out parts of a picture: they are made grey, and the model looks at it anew.

use super::mask::pixels;
use super::part::Part;
use crate::engine::Engine;
use crate::interrupt::Interrupt;
use anyhow::Result;
use atman::{PixelRect, Question, Row};
use images::{ImageProcessor, Picture, PixelValues};
use model::{Input, KvCache, Sequence};

/// For each part how much less likely each of the answer's tokens is, in nats, with that part of the picture in the picture's mean
/// colour: vision tower and decoder run again for each. `baseline` has the tokens' log-probabilities. With the rows that this
/// took; nothing if it was stopped.
pub(crate) async fn without_each(
    parts: &[Part],
    question: &Question,
    (picture, processor): (&Picture, &ImageProcessor),
    baseline: &[f32],
    engine: &mut Engine<'_>,
    interrupt: &Interrupt,
) -> Result<Option<(Vec<Row>, u64)>> {
    let mean = mean_color(picture);
    let mut n_rows = 0;
    let mut relevance = Vec::with_capacity(parts.len());
    for part in parts {
        if interrupt.is_asked() {
            return Ok(None);
        }
        // A part of less than a pixel leaves the picture as it is.
        let greyed = part.rect.as_ref().and_then(|rect| filled(picture, rect, mean)).filter(|_| part.count > 0);
        let Some(greyed) = greyed else {
            relevance.push(vec![Some(0.0); baseline.len()]);
            continue;
        };
        let prepared = processor.prepare(&greyed);
        let tiles: Vec<&PixelValues> = prepared.tiles.iter().map(|tile| &tile.pixels).collect();
        let (model, executor) = (&engine.model, engine.executor.as_mut());
        let embeddings = model.embed_image(executor, tiles).await?;
        let input = model.mix(question.input_ids(), &embeddings)?;
        let n_positions = input.len();
        let mut cache = KvCache::new(model, executor, n_positions)?;
        let sequence = Sequence { start: 0, input: Input::Mixed(input), factors: None, wanted: question.wanted() };
        let found = model.extend(executor, sequence, &mut cache, 0).await?;
        let log_probs = found.iter().flat_map(|row| row.log_probs.iter().copied());
        relevance.push(baseline.iter().zip(log_probs).map(|(before, after)| Some(before - after)).collect());
        n_rows += n_positions as u64;
    }
    Ok(Some((relevance, n_rows)))
}

/// The mean of each channel, rounded.
fn mean_color(picture: &Picture) -> [u8; 3] {
    let count = (picture.width() * picture.height()).max(1) as u64;
    [0, 1, 2].map(|channel| {
        let sum: u64 = picture.rgb().iter().skip(channel).step_by(3).map(|value| u64::from(*value)).sum();
        u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
    })
}

/// The picture with a rectangle of one colour.
fn filled(picture: &Picture, rect: &PixelRect, color: [u8; 3]) -> Option<Picture> {
    let (columns, rows) = pixels(rect, picture.width(), picture.height());
    let mut rgb = picture.rgb().to_vec();
    for line in rgb.chunks_exact_mut(3 * picture.width()).skip(rows.start).take(rows.len()) {
        for pixel in line.chunks_exact_mut(3).skip(columns.start).take(columns.len()) {
            pixel.copy_from_slice(&color);
        }
    }
    Picture::new(picture.width(), picture.height(), rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_takes_the_mean_color_and_nothing_else_changes() {
        let picture = Picture::new(2, 2, vec![0, 10, 255, 0, 20, 255, 0, 30, 255, 2, 41, 255]).unwrap();
        let mean = mean_color(&picture);
        assert_eq!(mean, [1, 25, 255]);
        let rect = PixelRect { left_px: 1.0, top_px: 0.0, right_px: 2.0, bottom_px: 1.0 };
        let filled = filled(&picture, &rect, mean).unwrap();
        assert_eq!(filled.rgb(), [0, 10, 255, 1, 25, 255, 0, 30, 255, 2, 41, 255]);
    }
}
