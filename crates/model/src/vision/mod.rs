//! The vision tower (SigLIP, Zhai et al. 2023) and the connector: from pixels to embeddings of image positions.

mod config;
mod patches;
mod tower;

pub use config::VisionConfig;

use crate::ModelError;
use crate::family::{Names, VisionNames};
use crate::linear::{Bias, Linear, bias_of, weight_of};
use crate::load::Loader;
use kernels::{Buffer, Weight};

/// The weights of a vision tower and its connector.
#[derive(Debug)]
pub(crate) struct Vision {
    pub(crate) patch: Linear,
    /// `[n_patches, d_model]`.
    pub(crate) positions: Buffer,
    pub(crate) blocks: Vec<Block>,
    pub(crate) final_norm: Norm,
    pub(crate) projection: Weight,
}

/// The weights of one encoder block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Norm,
    pub(crate) q: Linear,
    pub(crate) k: Linear,
    pub(crate) v: Linear,
    pub(crate) o: Linear,
    pub(crate) mlp_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// A layer norm's gain and bias.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) gain: Buffer,
    pub(crate) bias: Buffer,
}

impl Vision {
    /// Brings the weights to the executor; `d_text` is the decoder's `d_model`.
    pub(crate) async fn load(
        loader: &mut Loader<'_>,
        names: &VisionNames,
        config: &VisionConfig,
        d_text: usize,
    ) -> Result<Vision, ModelError> {
        let (d, d_ff) = (config.d_model, config.d_ff);
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
            let of_layer = |template| Names::of_layer(template, layer);
            blocks.push(Block {
                attention_norm: norm(loader, &of_layer(names.attention_norm), d).await?,
                q: linear(loader, &of_layer(names.q), [d, d]).await?,
                k: linear(loader, &of_layer(names.k), [d, d]).await?,
                v: linear(loader, &of_layer(names.v), [d, d]).await?,
                o: linear(loader, &of_layer(names.o), [d, d]).await?,
                mlp_norm: norm(loader, &of_layer(names.mlp_norm), d).await?,
                up: linear(loader, &of_layer(names.up), [d_ff, d]).await?,
                down: linear(loader, &of_layer(names.down), [d, d_ff]).await?,
            });
        }
        let final_norm = norm(loader, names.final_norm, d).await?;
        let projection = loader.matrix(names.projection, d_text, config.joined_width(), 1).await?;
        Ok(Vision { patch, positions, blocks, final_norm, projection })
    }

    /// All its matrices.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &Weight> {
        let linears = self.blocks.iter().flat_map(Block::linears).chain([&self.patch]);
        linears.map(|linear| &linear.weight).chain([&self.projection])
    }

    /// All that it holds beside matrices.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        let biases = self.blocks.iter().flat_map(Block::linears).chain([&self.patch]).filter_map(|linear| linear.bias.as_ref());
        let norms = self.blocks.iter().flat_map(|block| [&block.attention_norm, &block.mlp_norm]).chain([&self.final_norm]);
        biases.chain(norms.flat_map(|norm| [&norm.gain, &norm.bias])).chain([&self.positions])
    }
}

impl Block {
    fn linears(&self) -> [&Linear; 6] {
        [&self.q, &self.k, &self.v, &self.o, &self.up, &self.down]
    }
}

async fn linear(loader: &mut Loader<'_>, name: &str, shape: [usize; 2]) -> Result<Linear, ModelError> {
    Linear::load(loader, name, shape, 1, Bias::All).await
}

async fn norm(loader: &mut Loader<'_>, name: &str, len: usize) -> Result<Norm, ModelError> {
    Ok(Norm { gain: loader.vector(&weight_of(name), len).await?, bias: loader.vector(&bias_of(name), len).await? })
}
