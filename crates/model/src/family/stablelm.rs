//! StableLM: Llama with layer norms, and heads of which a part rotates. The 12B form, which is parallel, is not supported.

use super::llama::{DEFAULTS, GGUF, HUGGING_FACE};
use super::{Defaults, Family, GgufForm, HuggingFaceForm};
use crate::{Bias, NormKind};

pub(super) const STABLELM: Family = Family {
    name: "StableLM",
    architectures: &["StableLmForCausalLM"],
    model_types: &["stablelm"],
    norm: NormKind::Layer,
    hugging_face: HuggingFaceForm {
        defaults: Defaults { norm_eps: 1e-5, max_positions: 4096, n_kv_heads: Some(32), ..DEFAULTS },
        renamed: &[("rms_norm_eps", "layer_norm_eps")],
        own_keys: &["partial_rotary_factor"],
        always_biased: true,
        adjust: |reader, json, config| {
            config.rotary_dims = reader.rotary_dims(json, config.head_dim, 0.25)?;
            config.attention_bias = if reader.flag_or(json, "use_qkv_bias", false)? { Bias::All } else { Bias::None };
            (config.output_bias, config.mlp_bias) = (Bias::None, Bias::None);
            Ok(())
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm {
        architecture: "stablelm",
        interleaves_qk: false,
        // Converters write that it is parallel where a model's configuration does not say; whether it is stands in the tensors.
        own_keys: &["rope.dimension_count", "use_parallel_residual"],
        ..GGUF
    }),
    vision: None,
};
