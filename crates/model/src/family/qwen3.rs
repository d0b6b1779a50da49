//! Qwen3: Llama with norms of each head's queries and keys, and heads whose size is stated.

use super::llama::{DEFAULTS, GGUF, GGUF_NAMES, GGUF_QK_NORMS, HUGGING_FACE, HUGGING_FACE_NAMES, HUGGING_FACE_QK_NORMS};
use super::{BlockNames, Defaults, Family, GgufForm, HuggingFaceForm, Names};
use crate::{NormKind, QkNorm};

pub(super) const QWEN3: Family = Family {
    name: "Qwen3",
    architectures: &["Qwen3ForCausalLM"],
    model_types: &["qwen3"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        names: Names {
            block: BlockNames { qk_norms: Some(HUGGING_FACE_QK_NORMS), ..HUGGING_FACE_NAMES.block },
            ..HUGGING_FACE_NAMES
        },
        defaults: Defaults { max_positions: 32_768, n_kv_heads: Some(32), head_dim: Some(128), ..DEFAULTS },
        own_keys: &["sliding_window"],
        adjust: |reader, json, config| {
            config.qk_norm = QkNorm::PerHead;
            reader.no_window_unless_used(json, config)
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm {
        architecture: "qwen3",
        interleaves_qk: false,
        names: Names { block: BlockNames { qk_norms: Some(GGUF_QK_NORMS), ..GGUF_NAMES.block }, ..GGUF_NAMES },
        adjust: |config| config.qk_norm = QkNorm::PerHead,
        ..GGUF
    }),
    vision: None,
};
