//! A decoder's dimensions from the metadata of a GGUF file, by the names and defaults of llama.cpp.

use super::keys::{GGUF, Sizes};
use super::{ModelConfig, Reader, RopeScaling};
use crate::family::GgufForm;
use crate::{Bias, Family, ModelError, NormKind, NormPlaces, QkNorm};
use weights::gguf::{Metadata, Value};

impl Reader<'_> {
    pub(super) fn gguf(&self, metadata: &Metadata) -> Result<(ModelConfig, &'static Family), ModelError> {
        let architecture = metadata.text("general.architecture")?.unwrap_or("missing");
        let names: Vec<&str> = Family::ALL.iter().filter_map(|f| f.gguf.as_ref()).map(|form| form.architecture).collect();
        let mut known = Family::ALL.into_iter().filter_map(|family| family.gguf.as_ref().map(|form| (family, form)));
        let (family, form) = known.find(|(_, form)| form.architecture == architecture).ok_or_else(|| {
            ModelError::Architecture { model: self.model.to_owned(), found: architecture.to_owned(), supported: names.join(", ") }
        })?;
        let name = |key: &str| format!("{architecture}.{key}");
        // A number for each layer is one number where all are the same.
        let optional = |key: &str| -> Result<Option<usize>, ModelError> {
            let Some(values) = metadata.unsigned_array(&name(key))? else { return Ok(None) };
            let size = |n: u64| usize::try_from(n).map_err(|_| self.wrong(&name(key), n, "a number of this machine's size"));
            match values.split_first() {
                Some((first, others)) if others.iter().all(|other| other == first) => size(*first).map(Some),
                _ => Err(self.wrong(&name(key), format!("{values:?}"), "the same number for each layer")),
            }
        };
        let whole = |key: &str| optional(key)?.ok_or_else(|| self.wrong(&name(key), "missing", "a whole number"));
        let (d_model, n_heads) = (whole("embedding_length")?, whole("attention.head_count")?);
        if n_heads == 0 {
            return Err(self.wrong(&name("attention.head_count"), 0, "at least 1"));
        }
        let head_dim = optional("attention.key_length")?.unwrap_or(d_model / n_heads);
        let vocab_size = match (optional("vocab_size")?, metadata.texts("tokenizer.ggml.tokens")?) {
            (Some(n), _) => n,
            (None, Some(tokens)) => tokens.len(),
            (None, None) => return Err(self.wrong(&name("vocab_size"), "missing", "a whole number")),
        };
        let max_positions = optional("context_length")?.unwrap_or(2048);
        self.check_gguf_keys(metadata, form, Sizes { d_model, head_dim, max_positions })?;
        let rotary_dims = match form.own_keys.contains(&"rope.dimension_count") {
            true => whole("rope.dimension_count")?,
            false => head_dim,
        };
        let epsilon = name(match family.norm {
            NormKind::Rms => "attention.layer_norm_rms_epsilon",
            NormKind::Layer => "attention.layer_norm_epsilon",
        });
        let epsilon = metadata.float(&epsilon)?.ok_or_else(|| self.wrong(&epsilon, "missing", "a small positive number"))?;
        let mut config = ModelConfig {
            d_model,
            n_layers: whole("block_count")?,
            n_heads,
            n_kv_heads: optional("attention.head_count_kv")?.unwrap_or(n_heads),
            head_dim,
            d_ff: whole("feed_forward_length")?,
            vocab_size,
            max_positions,
            norm: family.norm,
            positions: form.names.positions_kind(),
            norm_eps: epsilon as f32,
            rotary_dims,
            rope_theta: metadata.float(&name("rope.freq_base"))?.unwrap_or(10_000.0),
            rope_scaling: self.gguf_rope_scaling(metadata, architecture)?,
            unrotated_layers: Vec::new(),
            attention_bias: Bias::WhereStored,
            output_bias: Bias::WhereStored,
            qk_norm: QkNorm::None,
            norm_places: NormPlaces::Before,
            mlp_bias: Bias::WhereStored,
            tied_embedding: true,
            vision: None,
        };
        (form.adjust)(&mut config);
        Ok((config, family))
    }

    /// Without a type a factor means linear scaling, and the older key means it too.
    fn gguf_rope_scaling(&self, metadata: &Metadata, architecture: &str) -> Result<RopeScaling, ModelError> {
        let name = |key: &str| format!("{architecture}.rope.{key}");
        match metadata.text(&name("scaling.type"))?.unwrap_or("linear") {
            "none" => Ok(RopeScaling::None),
            "linear" => {
                let factor = match metadata.float(&name("scaling.factor"))? {
                    Some(factor) => Some(factor),
                    None => metadata.float(&name("scale_linear"))?,
                };
                // 0 says that it is not set.
                Ok(factor.filter(|factor| *factor != 0.0).map_or(RopeScaling::None, |factor| RopeScaling::Linear { factor }))
            }
            other => Err(self.wrong(&name("scaling.type"), other, "none or linear")),
        }
    }

    /// Every key of the architecture is understood, or is an error.
    fn check_gguf_keys(&self, metadata: &Metadata, form: &GgufForm, sizes: Sizes) -> Result<(), ModelError> {
        for (key, value) in metadata.iter() {
            let Some(own) = key.strip_prefix(form.architecture).and_then(|rest| rest.strip_prefix('.')) else { continue };
            let Some((_, neutral)) = GGUF.iter().find(|(known, _)| *known == own) else {
                return Err(self.wrong(key, value.kind(), "a key whose meaning is known: this one may change the numbers"));
            };
            if form.own_keys.contains(&own) {
                continue;
            }
            let is_neutral = match value {
                Value::Unsigned(n) => neutral.holds(*n as f64, sizes),
                Value::Signed(n) => neutral.holds(*n as f64, sizes),
                Value::Float(n) => neutral.holds(*n, sizes),
                Value::Flag(flag) => neutral.holds(f64::from(u8::from(*flag)), sizes),
                Value::Text(_) | Value::Texts(_) | Value::Numbers(_) => *neutral == super::keys::Neutral::Any,
            };
            if !is_neutral {
                return Err(self.wrong(key, value.kind(), neutral.expected(sizes)));
            }
        }
        Ok(())
    }
}
