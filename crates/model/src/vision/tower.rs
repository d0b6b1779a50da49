//! A tile's way through the vision tower and the connector.

use super::{Vision, VisionConfig, patches};
use crate::block::{Activations, Rows};
use crate::finite::first_not_finite;
use crate::parts::Attending;
use crate::{Model, ModelError};
use images::PixelValues;
use kernels::{Buffer, Executor, NO_FACTORS, Op, Operator, RowEntry};

impl Model {
    /// The dimensions of its vision tower.
    ///
    /// # Errors
    /// When it has none.
    pub fn vision_config(&self) -> Result<&VisionConfig, ModelError> {
        self.config.vision.as_ref().ok_or_else(|| self.no_vision())
    }

    fn no_vision(&self) -> ModelError {
        ModelError::NoVision { model: self.name().to_owned() }
    }

    /// The embeddings of the image positions of tiles, `[tiles, n_positions, d_model]`, in the order of the tiles: what takes
    /// the places of the image token in a prompt. Tiles go through one by one, so that memory is that of one.
    ///
    /// # Errors
    /// When the model sees no pictures, or a tile is not of its size.
    pub async fn embed_image<'a>(
        &self,
        executor: &mut dyn Executor,
        tiles: impl IntoIterator<Item = &'a PixelValues>,
    ) -> Result<Vec<f32>, ModelError> {
        let (config, vision) = self.config.vision.as_ref().zip(self.vision.as_ref()).ok_or_else(|| self.no_vision())?;
        let pass = TilePass::prepare(config, vision, self.config.d_model, executor)?;
        let mut embeddings = Vec::new();
        for tile in tiles {
            if tile.side_px() != config.image_px {
                return Err(ModelError::TileSize { found_px: tile.side_px(), expected_px: config.image_px });
            }
            executor.write(&pass.patches, 0, bytemuck::cast_slice(&patches::unfold(config, tile.values())))?;
            executor.run(&pass.ops).await?;
            let words = executor.read(&pass.out, config.n_positions() * self.config.d_model).await?;
            let values = embeddings.len()..embeddings.len() + words.len();
            embeddings.extend(words.into_iter().map(f32::from_bits));
            if embeddings.get(values).is_some_and(|values: &[f32]| values.iter().any(|value| !value.is_finite())) {
                executor.write(&pass.patches, 0, bytemuck::cast_slice(&patches::unfold(config, tile.values())))?;
                return Err(self.not_finite(first_not_finite(executor, &pass.ops).await?));
            }
        }
        Ok(embeddings)
    }

    /// Readies the device for a tile.
    pub(crate) async fn warm_up_vision(&self, executor: &mut dyn Executor) -> Result<(), ModelError> {
        if let Some((config, vision)) = self.config.vision.as_ref().zip(self.vision.as_ref()) {
            let pass = TilePass::prepare(config, vision, self.config.d_model, executor)?;
            executor.warm_up(&pass.ops).await?;
        }
        Ok(())
    }
}

/// The operations of a tile, and the buffers at both ends.
struct TilePass {
    /// Receives the unfolded patches, `[n_patches, 3 * patch_px^2]`.
    patches: Buffer,
    ops: Vec<Op>,
    /// `[n_positions, d_model of the decoder]`.
    out: Buffer,
}

impl TilePass {
    fn prepare(
        config: &VisionConfig,
        vision: &Vision,
        d_text: usize,
        executor: &mut dyn Executor,
    ) -> Result<TilePass, ModelError> {
        let (n, d) = (config.n_patches(), config.d_model);
        let mut alloc = |words: usize, purpose: &'static str| executor.buffer(words, purpose);
        let patches = alloc(n * config.patch_width(), "patches")?;
        let out = alloc(config.n_positions() * d_text, "image embeddings")?;
        let index = alloc(n, "the order of patches")?;
        let factors = alloc(1, "key factors")?;
        let rows = Rows { n, table: alloc(8 * n, "row table")?, angles: None, pairs: (n * n) as u64 };
        let at = Activations::allocate(&config.block_form(), n, &mut alloc)?;
        // Without a mask: every patch sees all of its tile up to the last.
        let entry = RowEntry {
            cached: 0,
            first_row: 0,
            position: (n - 1) as u32,
            n_positions: n as u32,
            factors: NO_FACTORS,
            operator: Operator::default().code(),
            layer_begin: 0,
            layer_end: 0,
        };
        executor.write(&rows.table, 0, bytemuck::cast_slice(&vec![entry; n]))?;
        executor.write(&factors, 0, bytemuck::cast_slice(&[1.0f32]))?;
        executor.write(&index, 0, &patches::shuffled(config))?;

        let mut ops = Vec::new();
        vision.patch.apply(&patches, &at.x, n, false, &mut ops);
        ops.push(Op::Add { x: at.x.clone(), addend: vision.positions.clone(), words: n * d, period: n * d });
        for (layer, block) in vision.blocks.iter().enumerate() {
            let to = Attending { layer, all: &rows, is_rotary: false, cached: None, factors: &factors };
            block.apply(&at, &to, None, &mut ops);
        }
        vision.final_norm.apply(&at.x, &at.normed, n, &mut ops);
        // A square of patches side by side is one position: rows of d become fewer rows of more, which are one memory.
        ops.push(Op::Gather { from: at.normed, index, out: at.x.clone(), rows: n, cols: d });
        let (weight, outputs, rows) = (vision.projection.clone(), 0..vision.projection.rows(), config.n_positions());
        ops.push(Op::MatMul { x: at.x, weight, outputs, out: out.clone(), rows, accumulate: false });
        Ok(TilePass { patches, ops, out })
    }
}
