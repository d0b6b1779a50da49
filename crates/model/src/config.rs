//! A decoder's dimensions, from config.json or from GGUF's metadata.

use crate::{Family, ModelError, VisionConfig};
use serde_json::Value;
use weights::{Config, gguf};

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
    /// Added to mean squares in norms.
    pub norm_eps: f32,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How these are stretched for longer contexts.
    pub rope_scaling: RopeScaling,
    /// Whether the embedding serves as LM head where the files have none.
    pub tied_embedding: bool,
    /// Its vision tower, if it has one.
    pub vision: Option<VisionConfig>,
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
    pub fn read(model: &str, config: &Config) -> Result<(ModelConfig, &'static Family), ModelError> {
        let reader = Reader { model };
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
}

impl Reader<'_> {
    pub(crate) fn wrong(&self, key: &str, found: impl ToString, expected: impl ToString) -> ModelError {
        ModelError::Config {
            model: self.model.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    fn hugging_face(&self, json: &Value) -> Result<(ModelConfig, &'static Family), ModelError> {
        let names: Vec<&str> = json["architectures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let family =
            Family::ALL.into_iter().find(|f| names.iter().any(|name| f.architectures.contains(name))).ok_or_else(|| {
                ModelError::Architecture { model: self.model.to_owned(), found: names.join(", "), supported: Family::supported() }
            })?;
        let vision = family.vision.as_ref().map(|_| VisionConfig::read(self, json)).transpose()?;
        // Where the configuration does not say, the files do.
        let tied_embedding = json["tie_word_embeddings"].as_bool() != Some(false);
        let json = if vision.is_some() { &json["text_config"] } else { json };
        let whole = |key: &str| self.whole(json, key);
        let whole_or = |key: &str, default: usize| self.whole_or(json, key, default);
        let (d_model, n_heads) = (whole("hidden_size")?, whole("num_attention_heads")?);
        if n_heads == 0 {
            return Err(self.wrong("num_attention_heads", 0, "at least 1"));
        }
        let activation = json["hidden_act"].as_str().unwrap_or("silu");
        if activation != "silu" {
            return Err(self.wrong("hidden_act", activation, "silu"));
        }
        for bias in ["attention_bias", "mlp_bias"] {
            if json[bias].as_bool() == Some(true) {
                return Err(self.wrong(bias, true, "false: Llama models have no biases"));
            }
        }
        // Newer files gather the rotary settings under `rope_parameters`.
        let rope = if json["rope_parameters"].is_object() { &json["rope_parameters"] } else { &json["rope_scaling"] };
        let theta = [&rope["rope_theta"], &json["rope_theta"]].into_iter().find_map(Value::as_f64).unwrap_or(10_000.0);
        let max_positions = whole_or("max_position_embeddings", 2048)?;
        let config = ModelConfig {
            d_model,
            n_layers: whole("num_hidden_layers")?,
            n_heads,
            n_kv_heads: whole_or("num_key_value_heads", n_heads)?,
            head_dim: whole_or("head_dim", d_model / n_heads)?,
            d_ff: whole("intermediate_size")?,
            vocab_size: whole("vocab_size")?,
            max_positions,
            norm_eps: json["rms_norm_eps"].as_f64().unwrap_or(1e-6) as f32,
            rope_theta: theta,
            rope_scaling: self.rope_scaling(rope, max_positions)?,
            tied_embedding,
            vision,
        };
        Ok((config, family))
    }

    /// A whole number.
    pub(crate) fn whole(&self, json: &Value, key: &str) -> Result<usize, ModelError> {
        let value = &json[key];
        value.as_u64().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| self.wrong(key, value, "a whole number"))
    }

    /// A whole number, or `default` where there is none.
    pub(crate) fn whole_or(&self, json: &Value, key: &str, default: usize) -> Result<usize, ModelError> {
        if json[key].is_null() { Ok(default) } else { self.whole(json, key) }
    }

    fn rope_scaling(&self, rope: &Value, max_positions: usize) -> Result<RopeScaling, ModelError> {
        let number =
            |key: &str| rope[key].as_f64().ok_or_else(|| self.wrong(&format!("rope_scaling.{key}"), &rope[key], "a number"));
        let kind = [&rope["rope_type"], &rope["type"]].into_iter().find_map(Value::as_str).unwrap_or("default");
        Ok(match kind {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: number("factor")? },
            "llama3" => RopeScaling::Llama3 {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original_positions: rope["original_max_position_embeddings"].as_f64().unwrap_or(max_positions as f64),
            },
            other => return Err(self.wrong("rope_scaling.rope_type", other, "default, linear or llama3")),
        })
    }

    fn gguf(&self, metadata: &gguf::Metadata) -> Result<(ModelConfig, &'static Family), ModelError> {
        let architecture = metadata.text("general.architecture")?.unwrap_or("missing");
        let names: Vec<&str> = Family::ALL.iter().filter_map(|f| f.gguf.as_ref()).map(|form| form.architecture).collect();
        let is_it = |f: &&Family| f.gguf.as_ref().is_some_and(|form| form.architecture == architecture);
        let family = Family::ALL.into_iter().find(is_it).ok_or_else(|| ModelError::Architecture {
            model: self.model.to_owned(),
            found: architecture.to_owned(),
            supported: names.join(", "),
        })?;
        let name = |key: &str| format!("{architecture}.{key}");
        let optional = |key: &str| -> Result<Option<usize>, ModelError> {
            let value = metadata.unsigned(&name(key))?;
            value
                .map(|n| usize::try_from(n).map_err(|_| self.wrong(&name(key), n, "a number of this machine's size")))
                .transpose()
        };
        let whole = |key: &str| optional(key)?.ok_or_else(|| self.wrong(&name(key), "missing", "a whole number"));
        let (d_model, n_heads) = (whole("embedding_length")?, whole("attention.head_count")?);
        if n_heads == 0 {
            return Err(self.wrong(&name("attention.head_count"), 0, "at least 1"));
        }
        let head_dim = optional("attention.key_length")?.unwrap_or(d_model / n_heads);
        let rotated = optional("rope.dimension_count")?.unwrap_or(head_dim);
        if rotated != head_dim {
            return Err(self.wrong(&name("rope.dimension_count"), rotated, head_dim));
        }
        let vocab_size = match (optional("vocab_size")?, metadata.texts("tokenizer.ggml.tokens")?) {
            (Some(n), _) => n,
            (None, Some(tokens)) => tokens.len(),
            (None, None) => return Err(self.wrong(&name("vocab_size"), "missing", "a whole number")),
        };
        let config = ModelConfig {
            d_model,
            n_layers: whole("block_count")?,
            n_heads,
            n_kv_heads: optional("attention.head_count_kv")?.unwrap_or(n_heads),
            head_dim,
            d_ff: whole("feed_forward_length")?,
            vocab_size,
            max_positions: optional("context_length")?.unwrap_or(2048),
            norm_eps: metadata.float(&name("attention.layer_norm_rms_epsilon"))?.unwrap_or(1e-5) as f32,
            rope_theta: metadata.float(&name("rope.freq_base"))?.unwrap_or(10_000.0),
            rope_scaling: match metadata.text(&name("rope.scaling.type"))?.unwrap_or("none") {
                "none" => RopeScaling::None,
                "linear" => RopeScaling::Linear { factor: metadata.float(&name("rope.scaling.factor"))?.unwrap_or(1.0) },
                other => return Err(self.wrong(&name("rope.scaling.type"), other, "none or linear")),
            },
            tied_embedding: true,
            vision: None,
        };
        Ok((config, family))
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
