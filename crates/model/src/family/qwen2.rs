//! Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, which no key speaks of.

use super::llama::{DEFAULTS, GGUF_NAMES, HUGGING_FACE_NAMES};
use super::{Defaults, Family, GgufForm, HuggingFaceForm};
use crate::{Bias, NormKind};

pub(super) const QWEN2: Family = Family {
    name: "Qwen2",
    architectures: &["Qwen2ForCausalLM"],
    model_types: &["qwen2"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        names: HUGGING_FACE_NAMES,
        other_names: None,
        is_transposed: false,
        defaults: Defaults { max_positions: 32_768, n_kv_heads: Some(32), ..DEFAULTS },
        renamed: &[],
        own_keys: &["sliding_window"],
        always_biased: true,
        adjust: |reader, json, config| {
            (config.attention_bias, config.output_bias) = (Bias::All, Bias::None);
            reader.no_window_unless_used(json, config)
        },
    },
    gguf: Some(GgufForm { architecture: "qwen2", interleaves_qk: false, names: GGUF_NAMES, own_keys: &[], adjust: |_| {} }),
    vision: None,
};
