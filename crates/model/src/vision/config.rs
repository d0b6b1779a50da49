//! A vision tower's dimensions and its connector's, from config.json.

use crate::block::BlockForm;
use crate::config::Reader;
use crate::parts::{NormForm, Rotation};
use crate::{Bias, ModelConfig, ModelError, NormKind, NormPlaces, QkNorm};
use kernels::AttentionShape;
use serde_json::Value;

/// The dimensions of a vision tower and of the connector behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// Features of a patch.
    pub d_model: usize,
    /// Encoder blocks.
    pub n_layers: usize,
    /// Heads, a divisor of `d_model`.
    pub n_heads: usize,
    /// Features within an MLP.
    pub d_ff: usize,
    /// Pixels of a tile's side.
    pub image_px: usize,
    /// Pixels of a patch's side.
    pub patch_px: usize,
    /// Added to variances in norms.
    pub norm_eps: f32,
    /// Patches of a side that are joined into one image position.
    pub scale_factor: usize,
    /// The token that stands where an image position is.
    pub image_token_id: u32,
}

impl VisionConfig {
    /// Features of a head.
    pub fn head_dim(&self) -> usize {
        self.d_model / self.n_heads
    }

    /// The heads of its attention.
    pub fn heads(&self) -> AttentionShape {
        AttentionShape { n_heads: self.n_heads, n_kv_heads: self.n_heads, head_dim: self.head_dim() }
    }

    /// What its blocks have in common.
    pub(crate) fn block_form(&self) -> BlockForm {
        BlockForm {
            d_model: self.d_model,
            heads: self.heads(),
            d_ff: self.d_ff,
            norm: NormForm { kind: NormKind::Layer, eps: self.norm_eps },
            attention_bias: Bias::All,
            output_bias: Bias::All,
            qk_norm: QkNorm::None,
            norm_places: NormPlaces::Before,
            mlp_bias: Bias::All,
            is_gated: false,
            is_transposed: false,
            rotation: Rotation { dims: self.head_dim(), is_interleaved: false },
        }
    }

    /// Patches of a side; what is left of a tile beyond the last whole one is not seen.
    pub fn patches_per_side(&self) -> usize {
        self.image_px / self.patch_px
    }

    /// Image positions of a side.
    pub fn positions_per_side(&self) -> usize {
        self.patches_per_side() / self.scale_factor
    }

    /// Patches of a tile.
    pub fn n_patches(&self) -> usize {
        self.patches_per_side().pow(2)
    }

    /// Image positions of a tile: row by row.
    pub fn n_positions(&self) -> usize {
        self.positions_per_side().pow(2)
    }

    /// Values of an unfolded patch.
    pub(crate) fn patch_width(&self) -> usize {
        3 * self.patch_px.pow(2)
    }

    /// Features that make an image position before they are projected.
    pub(crate) fn joined_width(&self) -> usize {
        self.scale_factor.pow(2) * self.d_model
    }

    /// Reads the parts of `config.json`; what is missing there has the defaults of the family.
    pub(crate) fn read(reader: &Reader<'_>, json: &Value) -> Result<VisionConfig, ModelError> {
        let vision = &json["vision_config"];
        let whole = |key: &str, default: usize| reader.whole_or(vision, key, default);
        let activation = vision["hidden_act"].as_str().unwrap_or("gelu_pytorch_tanh");
        if activation != "gelu_pytorch_tanh" {
            return Err(reader.wrong("vision_config.hidden_act", activation, "gelu_pytorch_tanh"));
        }
        let channels = whole("num_channels", 3)?;
        if channels != 3 {
            return Err(reader.wrong("vision_config.num_channels", channels, 3));
        }
        let image_token_id = reader.whole_or(json, "image_token_id", 128_257)?;
        Ok(VisionConfig {
            d_model: whole("hidden_size", 1152)?,
            n_layers: whole("num_hidden_layers", 12)?,
            n_heads: whole("num_attention_heads", 16)?,
            d_ff: whole("intermediate_size", 3072)?,
            image_px: whole("image_size", 224)?,
            patch_px: whole("patch_size", 32)?,
            norm_eps: vision["layer_norm_eps"].as_f64().unwrap_or(1e-6) as f32,
            scale_factor: reader.whole_or(json, "scale_factor", 2)?,
            image_token_id: u32::try_from(image_token_id)
                .map_err(|_| reader.wrong("image_token_id", image_token_id, "a token of 32 bits"))?,
        })
    }

    /// Bounds that keep later arithmetic from overflowing and the device from absurd requests.
    pub(crate) fn check(&self, reader: &Reader<'_>, text: &ModelConfig) -> Result<(), ModelError> {
        let bounds = [
            ("vision_config.hidden_size", self.d_model, 1 << 16),
            ("vision_config.num_hidden_layers", self.n_layers, 1 << 12),
            ("vision_config.num_attention_heads", self.n_heads, 1 << 12),
            ("vision_config.intermediate_size", self.d_ff, 1 << 20),
            ("vision_config.image_size", self.image_px, 1 << 12),
            ("vision_config.patch_size", self.patch_px, self.image_px),
            ("scale_factor", self.scale_factor, 1 << 8),
        ];
        for (key, found, limit) in bounds {
            if !(1..=limit).contains(&found) {
                return Err(reader.wrong(key, found, format!("1 to {limit}")));
            }
        }
        if !self.d_model.is_multiple_of(self.n_heads) {
            let expected = format!("a divisor of hidden_size, {}", self.d_model);
            return Err(reader.wrong("vision_config.num_attention_heads", self.n_heads, expected));
        }
        if !self.patches_per_side().is_multiple_of(self.scale_factor) {
            let expected = format!("a divisor of the {} patches of a side", self.patches_per_side());
            return Err(reader.wrong("scale_factor", self.scale_factor, expected));
        }
        if !(self.norm_eps.is_finite() && self.norm_eps >= 0.0) {
            return Err(reader.wrong("vision_config.layer_norm_eps", self.norm_eps, "a small positive number"));
        }
        if self.n_positions() > text.max_positions {
            let expected = format!("at most the {} positions of the decoder", text.max_positions);
            return Err(reader.wrong("image positions of a tile", self.n_positions(), expected));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RopeScaling;
    use serde_json::json;
    use weights::Config;

    /// What SmolVLM-256M-Instruct states and what it leaves to the family's defaults.
    #[test]
    fn smolvlm_s_configuration_is_read() {
        let json = json!({
            "architectures": ["Idefics3ForConditionalGeneration"],
            "image_token_id": 49190,
            "model_type": "idefics3",
            "scale_factor": 4,
            "text_config": {
                "architectures": ["VLlama3ForCausalLM"],
                "hidden_size": 576,
                "intermediate_size": 1536,
                "max_position_embeddings": 8192,
                "num_attention_heads": 9,
                "num_hidden_layers": 30,
                "num_key_value_heads": 3,
                "pixel_shuffle_factor": 4,
                "qk_layer_norms": false,
                "rms_norm_eps": 1e-5,
                "rope_theta": 100_000,
                "vocab_size": 49280
            },
            "tie_word_embeddings": false,
            "vision_config": {"hidden_size": 768, "image_size": 512, "num_attention_heads": 12, "patch_size": 16}
        });
        let (config, family) = ModelConfig::read("m", &Config::HuggingFace(json)).unwrap();
        assert_eq!(family.name, "Idefics3");
        assert_eq!((config.d_model, config.n_layers, config.n_kv_heads, config.head_dim), (576, 30, 3, 64));
        assert_eq!((config.rope_theta, config.rope_scaling, config.tied_embedding), (1e5, RopeScaling::None, false));
        let vision = config.vision.unwrap();
        assert_eq!((vision.n_layers, vision.d_ff, vision.head_dim(), vision.norm_eps), (12, 3072, 64, 1e-6));
        assert_eq!((vision.n_patches(), vision.n_positions(), vision.joined_width()), (1024, 64, 12_288));
        assert_eq!(vision.image_token_id, 49190);
    }
}
