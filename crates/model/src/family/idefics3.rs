//! Idefics3 and SmolVLM: a SigLIP vision tower, a connector, and Llama's decoder.

use super::llama::HUGGING_FACE;
use super::{BlockNames, Family, HuggingFaceForm, Inputs, Names, VisionNames};
use crate::NormKind;

pub(super) const IDEFICS3: Family = Family {
    name: "Idefics3",
    // SmolVLM2 calls the same thing by a name of its own.
    architectures: &["Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration"],
    model_types: &["idefics3", "smolvlm"],
    norm: NormKind::Rms,
    hugging_face: HuggingFaceForm {
        names: Names {
            embedding: "model.text_model.embed_tokens",
            positions: None,
            final_norm: "model.text_model.norm",
            lm_head: "lm_head",
            rope_divisors: None,
            block: BlockNames {
                attention_norm: "model.text_model.layers.{}.input_layernorm",
                inputs: Inputs::Apart([
                    "model.text_model.layers.{}.self_attn.q_proj",
                    "model.text_model.layers.{}.self_attn.k_proj",
                    "model.text_model.layers.{}.self_attn.v_proj",
                ]),
                o: "model.text_model.layers.{}.self_attn.o_proj",
                qk_norms: None,
                mlp_norm: "model.text_model.layers.{}.post_attention_layernorm",
                gate: Some("model.text_model.layers.{}.mlp.gate_proj"),
                up: "model.text_model.layers.{}.mlp.up_proj",
                down: "model.text_model.layers.{}.mlp.down_proj",
            },
            computed: &["model.text_model.embed_", "model.text_model.norm", "lm_head"],
        },
        ..HUGGING_FACE
    },
    gguf: None,
    vision: Some(VisionNames {
        patch: "model.vision_model.embeddings.patch_embedding",
        positions: "model.vision_model.embeddings.position_embedding.weight",
        block: BlockNames {
            attention_norm: "model.vision_model.encoder.layers.{}.layer_norm1",
            inputs: Inputs::Apart([
                "model.vision_model.encoder.layers.{}.self_attn.q_proj",
                "model.vision_model.encoder.layers.{}.self_attn.k_proj",
                "model.vision_model.encoder.layers.{}.self_attn.v_proj",
            ]),
            o: "model.vision_model.encoder.layers.{}.self_attn.out_proj",
            qk_norms: None,
            mlp_norm: "model.vision_model.encoder.layers.{}.layer_norm2",
            gate: None,
            up: "model.vision_model.encoder.layers.{}.mlp.fc1",
            down: "model.vision_model.encoder.layers.{}.mlp.fc2",
        },
        final_norm: "model.vision_model.post_layernorm",
        projection: "model.connector.modality_projection.proj.weight",
        computed: &["model.vision_model.embeddings", "model.vision_model.post_layernorm", "model.connector"],
    }),
};
