//! A tile's way through the vision tower and the connector.

use super::{Block, Norm, Vision, VisionConfig, patches};
use crate::finite::first_not_finite;
use crate::forward::Allocate;
use crate::linear::Linear;
use crate::{Model, ModelError};
use images::PixelValues;
use kernels::{AttentionShape, Buffer, Executor, NO_FACTORS, Op, Operator, RowEntry};

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
        let pass = Pass::prepare(config, vision, self.config.d_model, executor)?;
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
            let pass = Pass::prepare(config, vision, self.config.d_model, executor)?;
            executor.warm_up(&pass.ops).await?;
        }
        Ok(())
    }
}

/// The operations of a tile, and the buffers at both ends.
struct Pass {
    /// Receives the unfolded patches, `[n_patches, 3 * patch_px^2]`.
    patches: Buffer,
    ops: Vec<Op>,
    /// `[n_positions, d_model of the decoder]`.
    out: Buffer,
}

impl Pass {
    fn prepare(config: &VisionConfig, vision: &Vision, d_text: usize, executor: &mut dyn Executor) -> Result<Pass, ModelError> {
        let n = config.n_patches();
        let (plan, patches, out, index) =
            Plan::new(config, vision, d_text, &mut |words, purpose| executor.buffer(words, purpose))?;
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
        executor.write(&plan.table, 0, bytemuck::cast_slice(&vec![entry; n]))?;
        executor.write(&plan.factors, 0, bytemuck::cast_slice(&[1.0f32]))?;
        executor.write(&index, 0, &patches::shuffled(config))?;
        Ok(Pass { patches, ops: plan.ops, out })
    }
}

/// Operations in the making, over the activations of one tile.
struct Plan<'a> {
    config: &'a VisionConfig,
    ops: Vec<Op>,
    table: Buffer,
    factors: Buffer,
    x: Buffer,
    normed: Buffer,
    q: Buffer,
    k: Buffer,
    v: Buffer,
    hidden: Buffer,
}

impl<'a> Plan<'a> {
    /// All operations; and the buffers of the patches, of the result, and of the order in which patches are joined.
    fn new(
        config: &'a VisionConfig,
        vision: &Vision,
        d_text: usize,
        alloc: &mut Allocate<'_>,
    ) -> Result<(Plan<'a>, Buffer, Buffer, Buffer), ModelError> {
        let (n, d) = (config.n_patches(), config.d_model);
        let patches = alloc(n * config.patch_width(), "patches")?;
        let out = alloc(config.n_positions() * d_text, "image embeddings")?;
        let index = alloc(n, "the order of patches")?;
        let mut plan = Plan {
            config,
            ops: Vec::new(),
            table: alloc(8 * n, "row table")?,
            factors: alloc(1, "key factors")?,
            x: alloc(n * d, "patch states")?,
            normed: alloc(n * d, "normed states")?,
            q: alloc(n * d, "queries")?,
            k: alloc(n * d, "keys")?,
            v: alloc(n * d, "values")?,
            hidden: alloc(n * config.d_ff, "MLP values")?,
        };
        let (x, normed) = (plan.x.clone(), plan.normed.clone());
        plan.linear(&patches, &vision.patch, &x, false);
        plan.ops.push(Op::Add { x: x.clone(), addend: vision.positions.clone(), words: n * d, period: n * d });
        for block in &vision.blocks {
            plan.block(block);
        }
        plan.norm(&vision.final_norm);
        // A square of patches side by side is one position: rows of d become fewer rows of more, which are one memory.
        plan.ops.push(Op::Gather { from: normed, index: index.clone(), out: x.clone(), rows: n, cols: d });
        let (weight, outputs, rows) = (vision.projection.clone(), 0..vision.projection.rows(), config.n_positions());
        plan.ops.push(Op::MatMul { x, weight, outputs, out: out.clone(), rows, accumulate: false });
        Ok((plan, patches, out, index))
    }

    /// Attention and MLP, each after a norm and added to its input.
    fn block(&mut self, block: &Block) {
        let (n, x, normed, hidden) = (self.config.n_patches(), self.x.clone(), self.normed.clone(), self.hidden.clone());
        self.norm(&block.attention_norm);
        for (linear, out) in [(&block.q, self.q.clone()), (&block.k, self.k.clone()), (&block.v, self.v.clone())] {
            self.linear(&normed, linear, &out, false);
        }
        self.attend();
        self.linear(&normed, &block.o, &x, true);

        self.norm(&block.mlp_norm);
        self.linear(&normed, &block.up, &hidden, false);
        self.ops.push(Op::Gelu { x: hidden.clone(), words: n * self.config.d_ff });
        self.linear(&hidden, &block.down, &x, true);
    }

    /// `normed = norm(x)`.
    fn norm(&mut self, norm: &Norm) {
        self.ops.push(Op::LayerNorm {
            x: self.x.clone(),
            gain: norm.gain.clone(),
            bias: norm.bias.clone(),
            out: self.normed.clone(),
            rows: self.config.n_patches(),
            cols: self.config.d_model,
            eps: self.config.norm_eps,
        });
    }

    /// `out = x . weight^T + bias` for all patches, added to what `out` holds if `accumulate`.
    fn linear(&mut self, x: &Buffer, linear: &Linear, out: &Buffer, accumulate: bool) {
        linear.apply(x, out, self.config.n_patches(), accumulate, &mut self.ops);
    }

    /// `normed = attention(q)` over all patches.
    fn attend(&mut self) {
        let n = self.config.n_patches();
        let (n_heads, head_dim) = (self.config.n_heads, self.config.head_dim());
        self.ops.push(Op::Attention {
            q: self.q.clone(),
            k: self.k.clone(),
            v: self.v.clone(),
            cache_k: self.k.clone(),
            cache_v: self.v.clone(),
            table: self.table.clone(),
            factors: self.factors.clone(),
            out: self.normed.clone(),
            n_rows: n,
            batch_rows: n,
            layer: 0,
            shape: AttentionShape { n_heads, n_kv_heads: n_heads, head_dim },
            pairs: (n * n) as u64,
        });
    }
}
