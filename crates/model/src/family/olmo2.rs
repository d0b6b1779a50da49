//! OLMo 2: Llama with norms after attention and MLP in place of before them, and of queries and keys as wholes.

use super::llama::{DEFAULTS, GGUF, GGUF_NAMES, GGUF_QK_NORMS, HUGGING_FACE, HUGGING_FACE_NAMES, HUGGING_FACE_QK_NORMS};
use super::{BlockNames, Defaults, Family, GgufForm, HuggingFaceForm, Names};
use crate::{ModelConfig, NormKind, NormPlaces, QkNorm};

pub(super) const OLMO2: Family = Family {
    name: "OLMo 2",
    architectures: &["Olmo2ForCausalLM"],
    model_types: &["olmo2"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        names: Names {
            block: BlockNames {
                attention_norm: "model.layers.{}.post_attention_layernorm",
                mlp_norm: "model.layers.{}.post_feedforward_layernorm",
                qk_norms: Some(HUGGING_FACE_QK_NORMS),
                ..HUGGING_FACE_NAMES.block
            },
            ..HUGGING_FACE_NAMES
        },
        defaults: Defaults { norm_eps: 1e-5, ..DEFAULTS },
        adjust: |_, _, config| {
            place_norms(config);
            Ok(())
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm {
        architecture: "olmo2",
        interleaves_qk: false,
        names: Names {
            block: BlockNames {
                attention_norm: "blk.{}.post_attention_norm",
                mlp_norm: "blk.{}.post_ffw_norm",
                qk_norms: Some(GGUF_QK_NORMS),
                ..GGUF_NAMES.block
            },
            ..GGUF_NAMES
        },
        adjust: place_norms,
        ..GGUF
    }),
    vision: None,
};

fn place_norms(config: &mut ModelConfig) {
    (config.norm_places, config.qk_norm) = (NormPlaces::After, QkNorm::Whole);
}
