//! A decoder's dimensions from `config.json`, by the names and defaults of transformers.

use super::keys::{HUGGING_FACE, Neutral, Sizes};
use super::{ModelConfig, Reader, RopeScaling};
use crate::{Bias, Family, ModelError, NormPlaces, QkNorm, VisionConfig};
use serde_json::Value;

impl Reader<'_> {
    pub(super) fn hugging_face(&self, json: &Value) -> Result<(ModelConfig, &'static Family), ModelError> {
        let family = self.family(json)?;
        let vision = family.vision.as_ref().map(|_| VisionConfig::read(self, json)).transpose()?;
        // Where the configuration does not say, the files do.
        let tied_embedding = self.flag_or(json, "tie_word_embeddings", true)?;
        let json = if vision.is_some() { &json["text_config"] } else { json };
        let form = &family.hugging_face;
        let this = Reader { model: self.model, renamed: form.renamed };
        let whole = |key: &str| this.whole(json, key);
        let whole_or = |key: &str, default: usize| this.whole_or(json, key, default);
        let (d_model, n_heads) = (whole("hidden_size")?, whole("num_attention_heads")?);
        if n_heads == 0 {
            return Err(self.wrong("num_attention_heads", 0, "at least 1"));
        }
        let key = this.own("hidden_act");
        let activation = &json[key];
        // Of some there are several names.
        let known: &[&str] = match form.names.block.gate {
            Some(_) => &["silu", "swish"],
            None => &["gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
        };
        if !activation.is_null() && !known.iter().any(|name| activation == name) {
            return Err(self.wrong(key, activation, known.first().copied().unwrap_or_default()));
        }
        let bias = |key: &str| Ok::<_, ModelError>(if self.flag_or(json, key, false)? { Bias::All } else { Bias::None });
        let defaults = form.defaults;
        let max_positions = whole_or("max_position_embeddings", defaults.max_positions)?;
        let head_dim = whole_or("head_dim", defaults.head_dim.unwrap_or(d_model / n_heads))?;
        self.check_keys(json, form.own_keys, Sizes { d_model, head_dim, max_positions })?;
        let rope = self.rope(json)?;
        let theta = self.number_or(rope, "rope_theta", self.number_or(json, "rope_theta", defaults.rope_theta)?)?;
        let mut config = ModelConfig {
            d_model,
            n_layers: whole("num_hidden_layers")?,
            n_heads,
            n_kv_heads: whole_or("num_key_value_heads", defaults.n_kv_heads.unwrap_or(n_heads))?,
            head_dim,
            d_ff: match defaults.d_ff_of {
                Some(times) => whole_or("intermediate_size", d_model.saturating_mul(times))?,
                None => whole("intermediate_size")?,
            },
            vocab_size: whole("vocab_size")?,
            max_positions,
            norm: family.norm,
            norm_eps: this.number_or(json, "rms_norm_eps", defaults.norm_eps)? as f32,
            positions: form.names.positions_kind(),
            rope_theta: theta,
            rotary_dims: head_dim,
            rope_scaling: self.rope_scaling(json, rope, max_positions, form.own_keys)?,
            unrotated_layers: Vec::new(),
            attention_bias: bias("attention_bias")?,
            output_bias: bias("attention_bias")?,
            qk_norm: QkNorm::None,
            norm_places: NormPlaces::Before,
            mlp_bias: bias("mlp_bias")?,
            tied_embedding,
            vision,
        };
        (form.adjust)(&this, json, &mut config)?;
        Ok((config, family))
    }

    /// The family that `architectures` names, or without any, as `AutoModelForCausalLM` goes by it, `model_type`.
    fn family(&self, json: &Value) -> Result<&'static Family, ModelError> {
        let names: Vec<&str> = json["architectures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let unknown =
            |found: String, supported: String| ModelError::Architecture { model: self.model.to_owned(), found, supported };
        if !names.is_empty() {
            let is_it = |family: &&Family| names.iter().any(|name| family.architectures.contains(name));
            return Family::ALL.into_iter().find(is_it).ok_or_else(|| unknown(names.join(", "), Family::supported()));
        }
        let Some(model_type) = json["model_type"].as_str() else {
            let expected = format!("an architecture (one of {}) or a model_type", Family::supported());
            return Err(self.wrong("architectures", "missing, as is model_type", expected));
        };
        let types: Vec<&str> = Family::ALL.iter().flat_map(|family| family.model_types).copied().collect();
        let is_it = |family: &&Family| family.model_types.contains(&model_type);
        Family::ALL.into_iter().find(is_it).ok_or_else(|| unknown(format!("model_type {model_type}"), types.join(", ")))
    }

    /// A window that hides keys is not supported; one in config.json counts only where `use_sliding_window` says so.
    pub(crate) fn no_window_unless_used(&self, json: &Value, config: &ModelConfig) -> Result<(), ModelError> {
        if !self.flag_or(json, "use_sliding_window", false)? || json["sliding_window"].is_null() {
            return Ok(());
        }
        self.no_window(self.whole(json, "sliding_window")?, config)
    }

    /// A window that hides keys is not supported.
    pub(crate) fn no_window(&self, window: usize, config: &ModelConfig) -> Result<(), ModelError> {
        if window >= config.max_positions {
            return Ok(());
        }
        let ModelConfig { d_model, head_dim, max_positions, .. } = *config;
        Err(self.wrong("sliding_window", window, Neutral::Window.expected(Sizes { d_model, head_dim, max_positions })))
    }

    fn check_keys(&self, json: &Value, own_keys: &[&str], sizes: Sizes) -> Result<(), ModelError> {
        for (key, neutral) in HUGGING_FACE.into_iter().filter(|(key, _)| !own_keys.contains(key)) {
            let is_neutral = match &json[key] {
                Value::Null => true,
                Value::Bool(flag) => neutral.holds(f64::from(u8::from(*flag)), sizes),
                Value::Number(number) => number.as_f64().is_some_and(|value| neutral.holds(value, sizes)),
                _ => false,
            };
            // Configurations of families with windows carry the size of one that they do not use.
            let is_off = neutral == Neutral::Window && json["use_sliding_window"] == false;
            if !is_neutral && !is_off {
                return Err(self.wrong(key, &json[key], neutral.expected(sizes)));
            }
        }
        Ok(())
    }

    /// The part of a head that rotates, where the family has one: among the rotary settings or, as in older files, beside them.
    pub(crate) fn rotary_dims(&self, json: &Value, head_dim: usize, default: f64) -> Result<usize, ModelError> {
        let beside = self.number_or(json, "partial_rotary_factor", default)?;
        let factor = self.number_or(self.rope(json)?, "partial_rotary_factor", beside)?;
        if !(0.0..=1.0).contains(&factor) {
            return Err(self.wrong("partial_rotary_factor", factor, "0 to 1"));
        }
        // As the family's own code: what is left of a whole number is cut off.
        Ok((head_dim as f64 * factor) as usize)
    }

    /// The rotary settings: newer files gather them under `rope_parameters`, and the older name goes before it where it says
    /// anything.
    fn rope<'a>(&self, json: &'a Value) -> Result<&'a Value, ModelError> {
        for key in ["rope_scaling", "rope_parameters"] {
            let value = &json[key];
            if !value.is_null() && !value.is_object() {
                return Err(self.wrong(key, value, "an object"));
            }
            if value.as_object().is_some_and(|settings| !settings.is_empty()) {
                return Ok(value);
            }
        }
        Ok(&Value::Null)
    }

    fn rope_scaling(
        &self,
        json: &Value,
        rope: &Value,
        max_positions: usize,
        own_keys: &[&str],
    ) -> Result<RopeScaling, ModelError> {
        let number =
            |key: &str| rope[key].as_f64().ok_or_else(|| self.wrong(&format!("rope_scaling.{key}"), &rope[key], "a number"));
        let is_partial = self.number_or(rope, "partial_rotary_factor", 1.0)? != 1.0;
        if is_partial && !own_keys.contains(&"partial_rotary_factor") {
            return Err(self.wrong("rope_scaling.partial_rotary_factor", &rope["partial_rotary_factor"], 1));
        }
        let kind = [&rope["rope_type"], &rope["type"]].into_iter().find(|kind| !kind.is_null());
        Ok(match kind.map(|kind| kind.as_str().unwrap_or("no name")) {
            None if self.number_or(rope, "factor", 1.0)? != 1.0 => {
                let found = format!("{} without a rope_type", rope["factor"]);
                return Err(self.wrong("rope_scaling.factor", found, "a rope_type beside it: linear or llama3"));
            }
            None | Some("default") => RopeScaling::None,
            Some("linear") => RopeScaling::Linear { factor: number("factor")? },
            Some("llama3") => RopeScaling::Llama3 {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                // Some files have it beside the others, which goes before them.
                original_positions: self.number_or(
                    json,
                    "original_max_position_embeddings",
                    self.number_or(rope, "original_max_position_embeddings", max_positions as f64)?,
                )?,
            },
            Some(other) => return Err(self.wrong("rope_scaling.rope_type", other, "default, linear or llama3")),
        })
    }

    /// A whole number.
    pub(crate) fn whole(&self, json: &Value, key: &str) -> Result<usize, ModelError> {
        let key = self.own(key);
        let value = &json[key];
        value.as_u64().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| self.wrong(key, value, "a whole number"))
    }

    /// A whole number, or `default` where there is none.
    pub(crate) fn whole_or(&self, json: &Value, key: &str, default: usize) -> Result<usize, ModelError> {
        if json[self.own(key)].is_null() { Ok(default) } else { self.whole(json, key) }
    }

    /// A number, or `default` where there is none.
    pub(crate) fn number_or(&self, json: &Value, key: &str, default: f64) -> Result<f64, ModelError> {
        let key = self.own(key);
        let value = &json[key];
        if value.is_null() { Ok(default) } else { value.as_f64().ok_or_else(|| self.wrong(key, value, "a number")) }
    }

    /// Yes or no, or `default` where neither is said.
    pub(crate) fn flag_or(&self, json: &Value, key: &str, default: bool) -> Result<bool, ModelError> {
        let value = &json[key];
        if value.is_null() { Ok(default) } else { value.as_bool().ok_or_else(|| self.wrong(key, value, "true or false")) }
    }
}
