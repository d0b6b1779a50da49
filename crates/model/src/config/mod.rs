//! A decoder's dimensions, from config.json or from GGUF's metadata.

mod gguf;
mod hugging_face;
mod keys;

use crate::block::BlockForm;
use crate::parts::{NormForm, Rotation};
use crate::{Bias, Family, ModelError, NormKind, NormPlaces, QkNorm, VisionConfig};
use kernels::AttentionShape;
use weights::Config;

/// The dimensions of a decoder, under the field's names.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Features of a position.
    pub d_model: usize,
    /// Decoder blocks.
    pub n_layers: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key-value heads; `n_heads` is a multiple of it.
    pub n_kv_heads: usize,
    /// Features of a head.
    pub head_dim: usize,
    /// Features within an MLP.
    pub d_ff: usize,
    /// Tokens.
    pub vocab_size: usize,
    /// Longest sequence that the model was made for.
    pub max_positions: usize,
    /// The formula of norms.
    pub norm: NormKind,
    /// Added to mean squares, or to variances, in norms.
    pub norm_eps: f32,
    /// How a position is told from others.
    pub positions: Positions,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How many features of a head rotate, from the first on.
    pub rotary_dims: usize,
    /// How frequencies are stretched for longer contexts.
    pub rope_scaling: RopeScaling,
    /// Layers whose queries and keys are not rotated, in rising order.
    pub unrotated_layers: Vec<usize>,
    /// Whether the linear maps to queries, keys and values have biases.
    pub attention_bias: Bias,
    /// Whether that of attention's output has.
    pub output_bias: Bias,
    /// Norms of queries and keys.
    pub qk_norm: QkNorm,
    /// Where the norms of attention and of the MLP stand.
    pub norm_places: NormPlaces,
    /// Whether those of the MLPs have.
    pub mlp_bias: Bias,
    /// Whether the embedding serves as LM head where the files have none.
    pub tied_embedding: bool,
    /// Its vision tower, if it has one.
    pub vision: Option<VisionConfig>,
}

/// How a position is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// By the rotation of queries and keys.
    Rotary,
    /// By an embedding of its own, added to that of what stands there.
    Learned,
}

/// How rotary frequencies are stretched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All are divided by `factor`.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1: wavelengths beyond `original_positions / low_freq_factor` are divided by `factor`, those below
    /// `original_positions / high_freq_factor` stay, and those between are blended.
    Llama3 {
        /// The divisor.
        factor: f64,
        /// See above.
        low_freq_factor: f64,
        /// See above.
        high_freq_factor: f64,
        /// The context that the model was first trained with.
        original_positions: f64,
    },
}

impl ModelConfig {
    /// Reads and checks a model's configuration.
    ///
    /// # Errors
    /// When the architecture is not known, a value is missing or makes no sense, or one asks for what is not computed here.
    pub fn read(model: &str, config: &Config) -> Result<(ModelConfig, &'static Family), ModelError> {
        let reader = Reader { model, renamed: &[] };
        let (config, family) = match config {
            Config::HuggingFace(json) => reader.hugging_face(json)?,
            Config::Gguf(metadata) => reader.gguf(metadata)?,
        };
        reader.check(&config)?;
        if let Some(vision) = &config.vision {
            vision.check(&reader, &config)?;
        }
        Ok((config, family))
    }

    /// What its blocks have in common, as files of that kind store them.
    pub(crate) fn block_form(&self, family: &Family, files: &Config) -> BlockForm {
        let is_interleaved = family.gguf_form(files).is_some_and(|form| form.interleaves_qk);
        BlockForm {
            d_model: self.d_model,
            heads: self.heads(),
            d_ff: self.d_ff,
            norm: NormForm { kind: self.norm, eps: self.norm_eps },
            attention_bias: self.attention_bias,
            output_bias: self.output_bias,
            qk_norm: self.qk_norm,
            norm_places: self.norm_places,
            mlp_bias: self.mlp_bias,
            is_gated: family.names(files).block.gate.is_some(),
            is_transposed: family.gguf_form(files).is_none() && family.hugging_face.is_transposed,
            rotation: Rotation { dims: self.rotary_dims, is_interleaved },
        }
    }

    /// Whether queries and keys are rotated in a layer.
    pub fn is_rotary(&self, layer: usize) -> bool {
        self.positions == Positions::Rotary && self.unrotated_layers.binary_search(&layer).is_err()
    }

    /// The heads of its attention.
    pub fn heads(&self) -> AttentionShape {
        AttentionShape { n_heads: self.n_heads, n_kv_heads: self.n_kv_heads, head_dim: self.head_dim }
    }

    /// Words of keys, or of values, of one position in one layer.
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    /// Words of queries of one position.
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_dim
    }
}

/// Reads values, and names the model and the key where one is wrong.
pub(crate) struct Reader<'a> {
    model: &'a str,
    /// Keys of config.json by their common names, and what the family calls them.
    renamed: &'static [(&'static str, &'static str)],
}

impl Reader<'_> {
    /// What the family calls a key of config.json.
    pub(crate) fn own<'k>(&self, key: &'k str) -> &'k str {
        self.renamed.iter().find(|(common, _)| *common == key).map_or(key, |(_, own)| own)
    }

    pub(crate) fn wrong(&self, key: &str, found: impl ToString, expected: impl ToString) -> ModelError {
        ModelError::Config {
            model: self.model.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Bounds that keep later arithmetic from overflowing and the device from absurd requests.
    fn check(&self, config: &ModelConfig) -> Result<(), ModelError> {
        let bounds = [
            ("d_model", config.d_model, 1 << 20),
            ("n_layers", config.n_layers, 1 << 12),
            ("n_heads", config.n_heads, 1 << 12),
            ("n_kv_heads", config.n_kv_heads, 1 << 12),
            ("head_dim", config.head_dim, 1 << 12),
            ("d_ff", config.d_ff, 1 << 22),
            ("vocab_size", config.vocab_size, 1 << 24),
            ("max_positions", config.max_positions, 1 << 31),
        ];
        for (key, found, limit) in bounds {
            if !(1..=limit).contains(&found) {
                return Err(self.wrong(key, found, format!("1 to {limit}")));
            }
        }
        if !config.n_heads.is_multiple_of(config.n_kv_heads) {
            return Err(self.wrong("n_kv_heads", config.n_kv_heads, format!("a divisor of n_heads, {}", config.n_heads)));
        }
        if !config.head_dim.is_multiple_of(2) {
            return Err(self.wrong("head_dim", config.head_dim, "an even number"));
        }
        if !config.rotary_dims.is_multiple_of(2) || config.rotary_dims > config.head_dim {
            let expected = format!("an even number up to head_dim, {}", config.head_dim);
            return Err(self.wrong("rotary_dims", config.rotary_dims, expected));
        }
        if !(config.norm_eps.is_finite() && config.norm_eps >= 0.0) {
            return Err(self.wrong("norm_eps", config.norm_eps, "a small positive number"));
        }
        if !(config.rope_theta.is_finite() && config.rope_theta > 0.0) {
            return Err(self.wrong("rope_theta", config.rope_theta, "a positive number"));
        }
        self.check_scaling(config.rope_scaling)
    }

    /// What [`RopeScaling`] divides by must be positive, or angles would be no numbers.
    fn check_scaling(&self, scaling: RopeScaling) -> Result<(), ModelError> {
        let positive = |key: &str, found: f64| {
            if found.is_finite() && found > 0.0 { Ok(()) } else { Err(self.wrong(key, found, "a positive number")) }
        };
        match scaling {
            RopeScaling::None => Ok(()),
            RopeScaling::Linear { factor } => positive("rope_scaling.factor", factor),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_positions } => {
                positive("rope_scaling.factor", factor)?;
                positive("rope_scaling.low_freq_factor", low_freq_factor)?;
                positive("rope_scaling.original_max_position_embeddings", original_positions)?;
                if high_freq_factor.is_finite() && high_freq_factor > low_freq_factor {
                    return Ok(());
                }
                let expected = format!("more than low_freq_factor, {low_freq_factor}");
                Err(self.wrong("rope_scaling.high_freq_factor", high_freq_factor, expected))
            }
        }
    }
}
