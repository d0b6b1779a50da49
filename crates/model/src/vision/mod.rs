//! The vision tower (SigLIP, Zhai et al. 2023) and the connector: from pixels to embeddings of image positions.

mod config;
mod patches;
mod tower;

pub use config::VisionConfig;

use crate::ModelError;
use crate::block::Block;
use crate::family::VisionNames;
use crate::load::Loader;
use crate::parts::{Linear, Norm, bias_of, weight_of};
use kernels::{Buffer, Weight};

/// The weights of a vision tower and its connector.
#[derive(Debug)]
pub(crate) struct Vision {
    patch: Linear,
    /// `[n_patches, d_model]`.
    positions: Buffer,
    blocks: Vec<Block>,
    final_norm: Norm,
    projection: Weight,
}

impl Vision {
    /// Brings the weights to the executor; `d_text` is the decoder's `d_model`.
    pub(crate) async fn load(
        loader: &mut Loader<'_>,
        names: &VisionNames,
        config: &VisionConfig,
        d_text: usize,
    ) -> Result<Vision, ModelError> {
        let (d, form) = (config.d_model, config.block_form());
        let patch = Linear {
            weight: loader.kernel(&weight_of(names.patch), [d, 3, config.patch_px, config.patch_px]).await?,
            bias: Some(loader.vector(&bias_of(names.patch), d).await?),
        };
        // Tiles are whole and of the tower's own size, so that a patch's position is its number. (The family's own code finds
        // it by comparing fractions in single precision, which for some numbers of patches, 25 a side among them, is one off
        // here and there, and not alike on all devices; for those of published models, 26, 27 and 32, it is the same.)
        let learned = loader.values(names.positions, &[config.n_patches(), d]).await?;
        let positions = loader.upload(&learned, "position embeddings")?;
        let mut blocks = Vec::with_capacity(config.n_layers);
        for layer in 0..config.n_layers {
            blocks.push(Block::load(loader, &names.block, layer, &form).await?);
        }
        let final_norm = Norm::load(loader, names.final_norm, d, form.norm).await?;
        let projection = loader.matrix(names.projection, d_text, config.joined_width()).await?;
        Ok(Vision { patch, positions, blocks, final_norm, projection })
    }

    /// All its matrices.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &Weight> {
        self.blocks.iter().flat_map(Block::weights).chain([&self.patch.weight, &self.projection])
    }

    /// All that it holds beside matrices.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        let of_blocks = self.blocks.iter().flat_map(Block::buffers);
        of_blocks.chain(self.final_norm.buffers()).chain(&self.patch.bias).chain([&self.positions])
    }
}
