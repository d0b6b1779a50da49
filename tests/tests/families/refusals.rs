//! Checkpoints that cannot be right are refused, and the error says why.

use crate::files::{Gguf, floats};
use crate::fixture::{Engine, changed, checkpoint};
use crate::gguf_twin::{header, open, twin};
use model::{Family, ModelConfig, ModelError};
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
    let supported = Family::supported();
    assert!(supported.starts_with("LlamaForCausalLM, GPT2LMHeadModel, "), "{supported}");
    let unknown = with("architectures", json!(["GPTNeoXForCausalLM"]));
    assert!(matches!(unknown, ModelError::Architecture { .. }), "{unknown}");
    assert!(unknown.to_string().ends_with(&format!("supported are {supported}")), "{unknown}");
    // Without an architecture the model's type says it, as for transformers' AutoModelForCausalLM.
    let typed = |architectures: Value, model_type: Value| {
        let change = |config: &mut Value| {
            config["architectures"] = architectures;
            config["model_type"] = model_type;
        };
        changed("grouped-f32", change, |_| {}).unwrap()
    };
    for none in [json!(null), json!([])] {
        assert!(Engine::load(&typed(none.clone(), json!("llama"))).is_ok(), "{none}");
        let said = error(&typed(none.clone(), json!("gpt_neox"))).to_string();
        assert!(
            said.contains(r#"architecture "model_type gpt_neox" is not supported; supported are llama, gpt2, qwen2, qwen3, "#),
            "{said}"
        );
        let said = error(&typed(none, json!(null))).to_string();
        assert!(
            said.contains(&format!("architectures is missing, as is model_type, expected an architecture (one of {supported})")),
            "{said}"
        );
    }
    let error = error(&open(&Gguf::new().entry("general.architecture", &json!("gptneox"))).unwrap());
    assert!(matches!(&error, ModelError::Architecture { found, .. } if found == "gptneox"), "{error}");
}

#[test]
fn settings_that_the_block_does_not_have_are_refused() {
    let rope = |settings: Value| ("rope_parameters", settings);
    for ((key, value), says) in [
        (("attention_bias", json!("yes")), "attention_bias is \"yes\", expected true or false"),
        (("rms_norm_eps", json!("1e-5")), "rms_norm_eps is \"1e-5\", expected a number"),
        (("hidden_act", json!("gelu")), "hidden_act is \"gelu\", expected silu"),
        (("hidden_act", json!(7)), "hidden_act is 7, expected silu"),
        (("attention_multiplier", json!(0.5)), "attention_multiplier is 0.5, expected the square root of 1/16"),
        (("logits_scaling", json!(8.0)), "logits_scaling is 8.0, expected 1"),
        (("residual_multiplier", json!(0.22)), "residual_multiplier is 0.22"),
        (("embedding_multiplier", json!(12)), "embedding_multiplier is 12"),
        (("partial_rotary_factor", json!(0.5)), "partial_rotary_factor is 0.5"),
        (("sliding_window", json!(64)), "sliding_window is 64, expected none, or at least the 128 positions of the model"),
        (("final_logit_softcapping", json!(30.0)), "final_logit_softcapping is 30.0"),
        (("num_local_experts", json!(8)), "num_local_experts is 8"),
        (("is_causal", json!(false)), "is_causal is false"),
        (("quantization_config", json!({"quant_method": "gptq"})), "quantization_config is gptq, expected none"),
        (("num_attention_heads", json!(0)), "num_attention_heads is 0"),
        (("num_attention_heads", json!(-4)), "num_attention_heads is -4"),
        (("num_attention_heads", json!(null)), "num_attention_heads is null"),
        (("num_key_value_heads", json!(3)), "n_kv_heads is 3, expected a divisor of n_heads, 4"),
        (("num_key_value_heads", json!(0)), "n_kv_heads is 0"),
        (("head_dim", json!(15)), "head_dim is 15, expected an even number"),
        (("hidden_size", json!(u64::MAX)), "d_model is"),
        (("num_hidden_layers", json!(1_u64 << 40)), "n_layers is"),
        (rope(json!({"rope_type": "yarn", "factor": 4.0})), "rope_scaling.rope_type is yarn"),
        (rope(json!({"type": "dynamic", "factor": 2.0})), "rope_scaling.rope_type is dynamic"),
        (rope(json!({"factor": 4.0})), "rope_scaling.factor is 4.0 without a rope_type"),
        (rope(json!({"rope_type": "default", "partial_rotary_factor": 0.5})), "partial_rotary_factor is 0.5"),
        (rope(json!("linear")), "rope_parameters is \"linear\", expected an object"),
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
fn settings_that_change_nothing_are_no_reason_to_refuse() {
    for (key, value) in [
        ("attention_multiplier", json!(0.25)),
        ("logits_scaling", json!(1.0)),
        ("hidden_act", json!("swish")),
        ("hidden_act", json!(null)),
        ("sliding_window", json!(null)),
        ("sliding_window", json!(4096)),
        ("pretraining_tp", json!(4)),
        ("attention_dropout", json!(0.1)),
        ("use_qk_norm", json!(false)),
        ("rope_parameters", json!(null)),
        ("quantization_config", json!(null)),
        ("a_key_that_nobody_knows", json!([1, 2])),
    ] {
        let checkpoint = changed("grouped-f32", |config| config[key] = value.clone(), |_| {}).unwrap();
        assert!(Engine::load(&checkpoint).is_ok(), "{key}: {value}");
    }
    let unused_window = |config: &mut Value| {
        config["sliding_window"] = json!(64);
        config["use_sliding_window"] = json!(false);
    };
    assert!(Engine::load(&changed("grouped-f32", unused_window, |_| {}).unwrap()).is_ok());
}

/// As llama.cpp: a factor without a type is linear, the older key means the same, and a type of none goes before both.
#[test]
fn every_way_in_which_gguf_says_linear_scaling_is_understood() {
    let (config, _) = ModelConfig::read("grouped-f32", checkpoint("grouped-f32").config()).unwrap();
    let scaling = |entries: &[(&str, Value)]| {
        let file = entries.iter().fold(header(&config), |file, (key, value)| file.entry(&format!("llama.rope.{key}"), value));
        ModelConfig::read("m", open(&file).unwrap().config())
            .map(|(config, _)| config.rope_scaling)
            .map_err(|error| error.to_string())
    };
    let linear = |factor| Ok(model::RopeScaling::Linear { factor });
    let (older, factor) = (("scale_linear", json!(4.0)), ("scaling.factor", json!(2.0)));
    assert_eq!(scaling(std::slice::from_ref(&older)), linear(4.0));
    assert_eq!(scaling(std::slice::from_ref(&factor)), linear(2.0));
    assert_eq!(scaling(&[older.clone(), factor.clone()]), linear(2.0));
    assert_eq!(scaling(&[("scaling.type", json!("linear")), older.clone()]), linear(4.0));
    assert_eq!(scaling(&[("scaling.type", json!("none")), older, factor.clone()]), Ok(model::RopeScaling::None));
    assert_eq!(
        scaling(&[("scaling.factor", json!(0.0)), ("scaling.original_context_length", json!(2048))]),
        Ok(model::RopeScaling::None)
    );
    for kind in ["yarn", "longrope", "ntk"] {
        let error = scaling(&[("scaling.type", json!(kind)), factor.clone()]).unwrap_err();
        assert!(error.contains(&format!("llama.rope.scaling.type is {kind}, expected none or linear")), "{error}");
    }
}

#[test]
fn keys_of_gguf_that_change_the_numbers_or_that_nobody_knows_are_refused() {
    let (config, _) = ModelConfig::read("grouped-f32", checkpoint("grouped-f32").config()).unwrap();
    let read = |key: &str, value: &Value| {
        let file = header(&config).entry(key, value);
        ModelConfig::read("m", open(&file).unwrap().config()).map(drop).map_err(|error| error.to_string())
    };
    for (key, value, says) in [
        ("llama.attention.clamp_kqv", json!(8.5), "llama.attention.clamp_kqv is the float 8.5, expected none"),
        ("llama.attention.sliding_window", json!(64), "llama.attention.sliding_window is 64, expected none, or at least the 128"),
        ("llama.attention.scale", json!(0.5), "llama.attention.scale is the float 0.5, expected the square root of 1/16"),
        ("llama.attention.causal", json!(false), "llama.attention.causal is false, expected true"),
        ("llama.logit_scale", json!(0.0625), "llama.logit_scale is the float 0.0625, expected 1"),
        ("llama.expert_count", json!(8), "llama.expert_count is 8"),
        ("llama.rope.scaling.attn_factor", json!(0.5), "llama.rope.scaling.attn_factor is the float 0.5"),
        ("llama.attn_logit_softcapping", json!(50.0), "llama.attn_logit_softcapping is the float 50"),
        ("llama.attention.wholly_new", json!(1), "llama.attention.wholly_new is 1, expected a key whose meaning is known"),
        ("llama.hidden_activation", json!("gelu"), "llama.hidden_activation is text of 4 bytes"),
    ] {
        let error = read(key, &value).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    for (key, value) in [
        ("llama.attention.clamp_kqv", json!(0.0)),
        ("llama.attention.sliding_window", json!(4096)),
        ("llama.attention.scale", json!(0.25)),
        ("llama.attention.causal", json!(true)),
        ("llama.attention.layer_norm_epsilon", json!(0.5)),
        ("llama.logit_scale", json!(1.0)),
        ("llama.expert_count", json!(0)),
        ("llama.expert_used_count", json!(2)),
        ("llama.tensor_data_layout", json!("Meta AI original pth")),
        ("quantize.imatrix.file", json!("x")),
        ("qwen2.attention.scale", json!(3.0)),
    ] {
        assert_eq!(read(key, &value), Ok(()), "{key}");
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
    says(|config| config.rope_scaling = model::RopeScaling::Linear { factor: -2.0 }, "rope_scaling.factor is -2");
    let yarn = header(&config).entry("llama.rope.scaling.type", &json!("yarn"));
    assert!(error(&open(&yarn).unwrap()).to_string().contains("rope.scaling.type is yarn"));
    for divisor in [0.0, -1.0, f32::NAN] {
        let file = twin(&checkpoint("grouped-f32")).tensor("rope_freqs.weight", &[8], 0, &floats([divisor; 8]));
        let error = error(&open(&file).unwrap());
        assert!(matches!(&error, ModelError::Config { key, .. } if key == "rope_freqs.weight"), "{error}");
    }
}
