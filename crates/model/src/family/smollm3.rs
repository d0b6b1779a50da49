//! SmolLM3: Llama, some layers of which do not rotate.

use super::llama::{DEFAULTS, GGUF, HUGGING_FACE};
use super::{Defaults, Family, GgufForm, HuggingFaceForm};
use crate::config::Reader;
use crate::{ModelError, NormKind};
use serde_json::Value;

/// `no_rope_layer_interval` where the key is absent.
const INTERVAL: usize = 4;

pub(super) const SMOLLM3: Family = Family {
    name: "SmolLM3",
    architectures: &["SmolLM3ForCausalLM"],
    model_types: &["smollm3"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        defaults: Defaults { rope_theta: 2_000_000.0, max_positions: 32_768, n_kv_heads: Some(4), ..DEFAULTS },
        own_keys: &["sliding_window"],
        adjust: |reader, json, config| {
            config.unrotated_layers = unrotated(reader, json, config.n_layers)?;
            reader.no_window_unless_used(json, config)
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm {
        architecture: "smollm3",
        // Which layers they are does not stand in such files.
        adjust: |config| config.unrotated_layers = every(INTERVAL, config.n_layers),
        ..GGUF
    }),
    vision: None,
};

/// `no_rope_layers` has a 1, in spite of its name, where there is rotation, and goes before `no_rope_layer_interval`.
fn unrotated(reader: &Reader<'_>, json: &Value, n_layers: usize) -> Result<Vec<usize>, ModelError> {
    let stated = &json["no_rope_layers"];
    if stated.is_null() {
        return Ok(every(reader.whole_or(json, "no_rope_layer_interval", INTERVAL)?, n_layers));
    }
    let flags: Option<Vec<u64>> = stated.as_array().and_then(|flags| flags.iter().map(Value::as_u64).collect());
    let flags = flags.filter(|flags| flags.len() == n_layers && flags.iter().all(|flag| *flag <= 1));
    let flags = flags.ok_or_else(|| reader.wrong("no_rope_layers", stated, format!("0 or 1 for each of {n_layers} layers")))?;
    Ok(flags.iter().enumerate().filter(|(_, flag)| **flag == 0).map(|(layer, _)| layer).collect())
}

/// The last of every `interval` layers.
fn every(interval: usize, n_layers: usize) -> Vec<usize> {
    (0..n_layers).filter(|layer| interval > 0 && (layer + 1).is_multiple_of(interval)).collect()
}
