//! Llama and what is built like it: SmolLM2, TinyLlama, Llama 2 and 3.

use super::{BlockNames, Defaults, Family, GgufForm, HuggingFaceForm, Inputs, Names};
use crate::NormKind;

pub(super) const LLAMA: Family = Family {
    name: "Llama",
    architectures: &["LlamaForCausalLM"],
    model_types: &["llama"],
    norm: NormKind::Rms,
    hugging_face: HUGGING_FACE,
    gguf: Some(GGUF),
    vision: None,
};

/// What other families differ from in a few points.
pub(super) const HUGGING_FACE: HuggingFaceForm = HuggingFaceForm {
    names: HUGGING_FACE_NAMES,
    other_names: None,
    is_transposed: false,
    defaults: DEFAULTS,
    renamed: &[],
    own_keys: &[],
    always_biased: false,
    adjust: |_, _, _| Ok(()),
};

/// As above, in GGUF files.
pub(super) const GGUF: GgufForm =
    GgufForm { architecture: "llama", interleaves_qk: true, names: GGUF_NAMES, own_keys: &[], adjust: |_| {} };

pub(super) const DEFAULTS: Defaults =
    Defaults { norm_eps: 1e-6, rope_theta: 10_000.0, max_positions: 2048, n_kv_heads: None, head_dim: None, d_ff_of: None };

/// By which many families name their tensors.
pub(super) const HUGGING_FACE_NAMES: Names = Names {
    embedding: "model.embed_tokens",
    positions: None,
    final_norm: "model.norm",
    lm_head: "lm_head",
    rope_divisors: None,
    block: BlockNames {
        attention_norm: "model.layers.{}.input_layernorm",
        inputs: Inputs::Apart([
            "model.layers.{}.self_attn.q_proj",
            "model.layers.{}.self_attn.k_proj",
            "model.layers.{}.self_attn.v_proj",
        ]),
        o: "model.layers.{}.self_attn.o_proj",
        qk_norms: None,
        mlp_norm: "model.layers.{}.post_attention_layernorm",
        gate: Some("model.layers.{}.mlp.gate_proj"),
        up: "model.layers.{}.mlp.up_proj",
        down: "model.layers.{}.mlp.down_proj",
    },
    computed: &["model.embed_", "model.norm", "lm_head"],
};

/// As above, in GGUF files.
pub(super) const GGUF_NAMES: Names = Names {
    embedding: "token_embd",
    positions: None,
    final_norm: "output_norm",
    lm_head: "output",
    rope_divisors: Some("rope_freqs.weight"),
    block: BlockNames {
        attention_norm: "blk.{}.attn_norm",
        inputs: Inputs::Apart(["blk.{}.attn_q", "blk.{}.attn_k", "blk.{}.attn_v"]),
        o: "blk.{}.attn_output",
        qk_norms: None,
        mlp_norm: "blk.{}.ffn_norm",
        gate: Some("blk.{}.ffn_gate"),
        up: "blk.{}.ffn_up",
        down: "blk.{}.ffn_down",
    },
    computed: &["token_embd", "position_embd", "output", "rope_"],
};

/// Norms of queries and keys, as families name them that have any.
pub(super) const HUGGING_FACE_QK_NORMS: (&str, &str) = ("model.layers.{}.self_attn.q_norm", "model.layers.{}.self_attn.k_norm");

/// As above, in GGUF files.
pub(super) const GGUF_QK_NORMS: (&str, &str) = ("blk.{}.attn_q_norm", "blk.{}.attn_k_norm");
