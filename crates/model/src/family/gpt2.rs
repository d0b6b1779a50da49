//! GPT-2: learned positions, layer norms, biases everywhere, an MLP without a gate, and matrices stored by columns.

use super::llama::{DEFAULTS, GGUF, HUGGING_FACE};
use super::{BlockNames, Defaults, Family, GgufForm, HuggingFaceForm, Inputs, Names};
use crate::{Bias, NormKind};

/// With what some files put before all but the head.
macro_rules! hugging_face_names {
    ($prefix:literal) => {
        Names {
            embedding: concat!($prefix, "wte"),
            positions: Some(concat!($prefix, "wpe.weight")),
            final_norm: concat!($prefix, "ln_f"),
            lm_head: "lm_head",
            rope_divisors: None,
            block: BlockNames {
                attention_norm: concat!($prefix, "h.{}.ln_1"),
                inputs: Inputs::Joined(concat!($prefix, "h.{}.attn.c_attn")),
                o: concat!($prefix, "h.{}.attn.c_proj"),
                qk_norms: None,
                mlp_norm: concat!($prefix, "h.{}.ln_2"),
                gate: None,
                up: concat!($prefix, "h.{}.mlp.c_fc"),
                down: concat!($prefix, "h.{}.mlp.c_proj"),
            },
            computed: &[concat!($prefix, "wte"), concat!($prefix, "wpe"), concat!($prefix, "ln_f"), "lm_head"],
        }
    };
}

pub(super) const GPT2: Family = Family {
    name: "GPT-2",
    architectures: &["GPT2LMHeadModel"],
    model_types: &["gpt2"],
    norm: NormKind::Layer,
    hugging_face: HuggingFaceForm {
        names: hugging_face_names!(""),
        other_names: Some(hugging_face_names!("transformer.")),
        is_transposed: true,
        defaults: Defaults { norm_eps: 1e-5, max_positions: 1024, d_ff_of: Some(4), ..DEFAULTS },
        renamed: &[
            ("hidden_size", "n_embd"),
            ("num_hidden_layers", "n_layer"),
            ("num_attention_heads", "n_head"),
            ("intermediate_size", "n_inner"),
            ("max_position_embeddings", "n_positions"),
            ("rms_norm_eps", "layer_norm_epsilon"),
            ("hidden_act", "activation_function"),
        ],
        always_biased: true,
        adjust: |reader, json, config| {
            (config.attention_bias, config.output_bias, config.mlp_bias) = (Bias::All, Bias::All, Bias::All);
            for (key, neutral) in
                [("scale_attn_weights", true), ("scale_attn_by_inverse_layer_idx", false), ("add_cross_attention", false)]
            {
                if reader.flag_or(json, key, neutral)? != neutral {
                    return Err(reader.wrong(key, !neutral, format!("{neutral}: the other is not supported")));
                }
            }
            Ok(())
        },
        ..HUGGING_FACE
    },
    gguf: Some(GgufForm {
        architecture: "gpt2",
        interleaves_qk: false,
        names: Names {
            embedding: "token_embd",
            positions: Some("position_embd.weight"),
            final_norm: "output_norm",
            lm_head: "output",
            rope_divisors: None,
            block: BlockNames {
                attention_norm: "blk.{}.attn_norm",
                inputs: Inputs::Joined("blk.{}.attn_qkv"),
                o: "blk.{}.attn_output",
                qk_norms: None,
                mlp_norm: "blk.{}.ffn_norm",
                gate: None,
                up: "blk.{}.ffn_up",
                down: "blk.{}.ffn_down",
            },
            computed: &["token_embd", "position_embd", "output"],
        },
        ..GGUF
    }),
    vision: None,
};
