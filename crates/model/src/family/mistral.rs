//! Mistral without a window: Llama by another name. In GGUF files it has Llama's.

use super::llama::{DEFAULTS, HUGGING_FACE_NAMES};
use super::{Defaults, Family, HuggingFaceForm};

/// `sliding_window` where the key is absent; `null` says that there is none.
const WINDOW: usize = 4096;
use crate::NormKind;

pub(super) const MISTRAL: Family = Family {
    name: "Mistral",
    architectures: &["MistralForCausalLM"],
    model_types: &["mistral"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        names: HUGGING_FACE_NAMES,
        other_names: None,
        is_transposed: false,
        defaults: Defaults { max_positions: 131_072, n_kv_heads: Some(8), ..DEFAULTS },
        renamed: &[],
        own_keys: &["sliding_window"],
        always_biased: false,
        adjust: |reader, json, config| match json.get("sliding_window") {
            None => reader.no_window(WINDOW, config),
            Some(window) if window.is_null() => Ok(()),
            Some(_) => reader.no_window(reader.whole(json, "sliding_window")?, config),
        },
    },
    gguf: None,
    vision: None,
};
