//! Llama and what is built like it: SmolLM2, TinyLlama, Llama 2 and 3.

use super::{BlockNames, Family, GgufForm, Names};

pub(super) const LLAMA: Family = Family {
    name: "Llama",
    architectures: &["LlamaForCausalLM"],
    model_types: &["llama"],
    hf_names: Names {
        embedding: "model.embed_tokens",
        final_norm: "model.norm",
        lm_head: "lm_head",
        rope_divisors: None,
        block: BlockNames {
            attention_norm: "model.layers.{}.input_layernorm",
            q: "model.layers.{}.self_attn.q_proj",
            k: "model.layers.{}.self_attn.k_proj",
            v: "model.layers.{}.self_attn.v_proj",
            o: "model.layers.{}.self_attn.o_proj",
            mlp_norm: "model.layers.{}.post_attention_layernorm",
            gate: Some("model.layers.{}.mlp.gate_proj"),
            up: "model.layers.{}.mlp.up_proj",
            down: "model.layers.{}.mlp.down_proj",
        },
        computed: &["model.embed_", "model.norm", "lm_head"],
    },
    gguf: Some(GgufForm {
        architecture: "llama",
        interleaves_qk: true,
        names: Names {
            embedding: "token_embd",
            final_norm: "output_norm",
            lm_head: "output",
            rope_divisors: Some("rope_freqs.weight"),
            block: BlockNames {
                attention_norm: "blk.{}.attn_norm",
                q: "blk.{}.attn_q",
                k: "blk.{}.attn_k",
                v: "blk.{}.attn_v",
                o: "blk.{}.attn_output",
                mlp_norm: "blk.{}.ffn_norm",
                gate: Some("blk.{}.ffn_gate"),
                up: "blk.{}.ffn_up",
                down: "blk.{}.ffn_down",
            },
            computed: &["token_embd", "position_embd", "output", "rope_"],
        },
    }),
    vision: None,
};
