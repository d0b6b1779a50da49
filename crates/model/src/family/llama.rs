//! Llama and what is built like it: SmolLM2, TinyLlama, Llama 2 and 3.

use super::{Family, GgufForm, Names};

pub(super) const LLAMA: Family = Family {
    name: "Llama",
    architectures: &["LlamaForCausalLM"],
    hf_names: Names {
        embedding: "model.embed_tokens.weight",
        final_norm: "model.norm.weight",
        lm_head: "lm_head.weight",
        rope_divisors: None,
        attention_norm: "model.layers.{}.input_layernorm.weight",
        q: "model.layers.{}.self_attn.q_proj.weight",
        k: "model.layers.{}.self_attn.k_proj.weight",
        v: "model.layers.{}.self_attn.v_proj.weight",
        o: "model.layers.{}.self_attn.o_proj.weight",
        mlp_norm: "model.layers.{}.post_attention_layernorm.weight",
        gate: "model.layers.{}.mlp.gate_proj.weight",
        up: "model.layers.{}.mlp.up_proj.weight",
        down: "model.layers.{}.mlp.down_proj.weight",
    },
    gguf: Some(GgufForm {
        architecture: "llama",
        interleaves_qk: true,
        names: Names {
            embedding: "token_embd.weight",
            final_norm: "output_norm.weight",
            lm_head: "output.weight",
            rope_divisors: Some("rope_freqs.weight"),
            attention_norm: "blk.{}.attn_norm.weight",
            q: "blk.{}.attn_q.weight",
            k: "blk.{}.attn_k.weight",
            v: "blk.{}.attn_v.weight",
            o: "blk.{}.attn_output.weight",
            mlp_norm: "blk.{}.ffn_norm.weight",
            gate: "blk.{}.ffn_gate.weight",
            up: "blk.{}.ffn_up.weight",
            down: "blk.{}.ffn_down.weight",
        },
    }),
    vision: None,
};
