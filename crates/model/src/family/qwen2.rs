//! Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, which no key speaks of.

use super::llama::{DEFAULTS, GGUF, HUGGING_FACE};
use super::{Defaults, Family, GgufForm, HuggingFaceForm};
use crate::{Bias, NormKind};

pub(super) const QWEN2: Family = Family {
    name: "Qwen2",
    architectures: &["Qwen2ForCausalLM"],
    model_types: &["qwen2"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        defaults: Defaults { max_positions: 32_768, n_kv_heads: Some(32), ..DEFAULTS },
        own_keys: &["sliding_window"],
        always_biased: true,
        adjust: |reader, json, config| {
            (config.attention_bias, config.output_bias) = (Bias::All, Bias::None);
            reader.no_window_unless_used(json, config)
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm { architecture: "qwen2", interleaves_qk: false, ..GGUF }),
    vision: None,
};
