//! Mistral without a window: Llama by another name. In GGUF files it has Llama's.

use super::llama::{DEFAULTS, HUGGING_FACE};
use super::{Defaults, Family, HuggingFaceForm};
use crate::NormKind;

/// `sliding_window` where the key is absent; `null` says that there is none.
const WINDOW: usize = 4096;

pub(super) const MISTRAL: Family = Family {
    name: "Mistral",
    architectures: &["MistralForCausalLM"],
    model_types: &["mistral"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        defaults: Defaults { max_positions: 131_072, n_kv_heads: Some(8), ..DEFAULTS },
        own_keys: &["sliding_window"],
        adjust: |reader, json, config| match json.get("sliding_window") {
            None => reader.no_window(WINDOW, config),
            Some(window) if window.is_null() => Ok(()),
            Some(_) => reader.no_window(reader.whole(json, "sliding_window")?, config),
        },
        ..HUGGING_FACE
    },
    gguf: None,
    vision: None,
};
