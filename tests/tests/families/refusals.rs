//! Checkpoints that cannot be right are refused, and the error says why.

use crate::files::{Gguf, floats};
use crate::fixture::{Engine, changed, checkpoint};
use crate::gguf_twin::{header, open, twin};
use model::{ModelConfig, ModelError};
use serde_json::{Value, json};
use weights::Checkpoint;

fn error(checkpoint: &Checkpoint) -> ModelError {
    match Engine::load(checkpoint) {
        Ok(_) => panic!("{} loads", checkpoint.name()),
        Err(error) => error,
    }
}

/// The error of a checkpoint with one value of its configuration changed.
fn with(key: &str, value: Value) -> ModelError {
    error(&changed("grouped-f32", |config| config[key] = value, |_| {}).unwrap())
}

#[test]
fn a_missing_tensor_is_named() {
    let tensor = "model.layers.1.mlp.up_proj.weight";
    let rename = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(tensor.len()).position(|window| window == tensor.as_bytes()).unwrap();
        bytes[at] = b'n';
    };
    let error = error(&changed("grouped-f32", |_| {}, rename).unwrap());
    assert!(matches!(&error, ModelError::MissingTensor { tensor: missing, .. } if missing == tensor), "{error}");
    assert_eq!(error.to_string(), format!("model.safetensors: tensor {tensor} is missing; Llama models have it"));
}

#[test]
fn a_separate_lm_head_that_is_missing_is_not_replaced_by_the_embedding() {
    let error = with("tie_word_embeddings", json!(false));
    assert!(matches!(&error, ModelError::MissingTensor { tensor, .. } if tensor == "lm_head.weight"), "{error}");
    // Where the configuration does not say, the file does.
    let silent = changed("grouped-f32", |config| config["tie_word_embeddings"] = json!(null), |_| {}).unwrap();
    assert!(Engine::load(&silent).is_ok());
}

#[test]
fn shapes_that_contradict_the_configuration_are_told() {
    for (key, value, tensor, found, expected) in [
        ("vocab_size", 97, "model.embed_tokens.weight", [96, 64], [97, 64]),
        ("hidden_size", 32, "model.embed_tokens.weight", [96, 64], [96, 32]),
        ("head_dim", 18, "model.layers.0.self_attn.q_proj.weight", [64, 64], [72, 64]),
        ("num_key_value_heads", 4, "model.layers.0.self_attn.k_proj.weight", [32, 64], [64, 64]),
        ("intermediate_size", 48, "model.layers.0.mlp.gate_proj.weight", [40, 64], [48, 64]),
    ] {
        let error = with(key, json!(value));
        let says = format!("tensor {tensor} has shape {found:?}, but the configuration makes it {expected:?}");
        assert!(matches!(error, ModelError::TensorShape { .. }) && error.to_string().ends_with(&says), "{key}: {error}");
    }
    let error = with("num_hidden_layers", json!(3));
    assert!(error.to_string().contains("model.layers.2.input_layernorm.weight is missing"), "{error}");
}

#[test]
fn architectures_of_other_families_are_refused() {
    for value in [json!(["GPT2LMHeadModel"]), json!([]), json!(null), json!("LlamaForCausalLM"), json!([7])] {
        let error = with("architectures", value.clone());
        assert!(matches!(error, ModelError::Architecture { .. }), "{value}: {error}");
        assert!(
            error
                .to_string()
                .ends_with("supported are LlamaForCausalLM, Idefics3ForConditionalGeneration, SmolVLMForConditionalGeneration"),
            "{error}"
        );
    }
    let error = error(&open(&Gguf::new().entry("general.architecture", &json!("gpt2"))).unwrap());
    assert!(matches!(&error, ModelError::Architecture { found, .. } if found == "gpt2"), "{error}");
}

#[test]
fn settings_that_the_block_does_not_have_are_refused() {
    let rope = |settings: Value| ("rope_parameters", settings);
    for ((key, value), says) in [
        (("attention_bias", json!(true)), "attention_bias is true"),
        (("mlp_bias", json!(true)), "mlp_bias is true"),
        (("hidden_act", json!("gelu")), "hidden_act is gelu"),
        (("num_attention_heads", json!(0)), "num_attention_heads is 0"),
        (("num_attention_heads", json!(-4)), "num_attention_heads is -4"),
        (("num_attention_heads", json!(null)), "num_attention_heads is null"),
        (("num_key_value_heads", json!(3)), "n_kv_heads is 3, expected a divisor of n_heads, 4"),
        (("num_key_value_heads", json!(0)), "n_kv_heads is 0"),
        (("head_dim", json!(15)), "head_dim is 15, expected an even number"),
        (("hidden_size", json!(u64::MAX)), "d_model is"),
        (("num_hidden_layers", json!(1_u64 << 40)), "n_layers is"),
        (rope(json!({"rope_type": "yarn", "factor": 4.0})), "rope_scaling.rope_type is yarn"),
        (rope(json!({"rope_type": "linear"})), "rope_scaling.factor is null"),
        (rope(json!({"rope_type": "linear", "factor": 0.0})), "rope_scaling.factor is 0"),
        (rope(json!({"rope_type": "linear", "factor": -2.0})), "rope_scaling.factor is -2"),
        (
            rope(json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0})),
            "rope_scaling.high_freq_factor is 4",
        ),
        (rope(json!({"rope_type": "default", "rope_theta": 0.0})), "rope_theta is 0"),
    ] {
        let error = with(key, value);
        assert!(matches!(error, ModelError::Config { .. }) && error.to_string().contains(says), "{says}: {error}");
    }
}

#[test]
fn metadata_of_gguf_that_makes_no_sense_is_refused() {
    let (config, _) = ModelConfig::read("grouped-f32", checkpoint("grouped-f32").config()).unwrap();
    // Without its tensors the file is read as far as the first one.
    let error_of = |config: &ModelConfig| error(&open(&header(config)).unwrap()).to_string();
    assert_eq!(error_of(&config), "model.gguf: tensor token_embd.weight is missing; Llama models have it");
    let says = |change: fn(&mut ModelConfig), says: &str| {
        let mut config = config.clone();
        change(&mut config);
        let error = error_of(&config);
        assert!(error.contains(says), "{says}: {error}");
    };
    says(|config| config.n_heads = 0, "attention.head_count is 0");
    says(|config| config.n_kv_heads = 3, "n_kv_heads is 3");
    says(|config| config.rope_theta = -1.0, "rope_theta is -1");
    says(|config| config.rope_scaling = model::RopeScaling::Linear { factor: 0.0 }, "rope_scaling.factor is 0");
    let yarn = header(&config).entry("llama.rope.scaling.type", &json!("yarn"));
    assert!(error(&open(&yarn).unwrap()).to_string().contains("rope.scaling.type is yarn"));
    for divisor in [0.0, -1.0, f32::NAN] {
        let file = twin(&checkpoint("grouped-f32")).tensor("rope_freqs.weight", &[8], 0, &floats([divisor; 8]));
        let error = error(&open(&file).unwrap());
        assert!(matches!(&error, ModelError::Config { key, .. } if key == "rope_freqs.weight"), "{error}");
    }
}
