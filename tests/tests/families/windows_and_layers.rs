//! What families say of windows, of layers that do not rotate, and of biases, in keys and defaults of their own.

use crate::fixture::{Engine, changed, checkpoint, config};
use model::ModelConfig;
use serde_json::{Value, json};
use weights::Config;

fn read(name: &str, change: impl FnOnce(&mut Value)) -> Result<ModelConfig, String> {
    let mut config = config(name);
    change(&mut config);
    ModelConfig::read("m", &Config::HuggingFace(config)).map(|(config, _)| config).map_err(|error| error.to_string())
}

#[test]
fn a_window_counts_where_it_is_used_and_is_refused_where_it_hides_keys() {
    let hides = "sliding_window is 64, expected none, or at least the 128 positions of the model";
    let window = |config: &mut Value| config["sliding_window"] = json!(64);
    for name in ["qwen2-tied", "qwen3-f32", "smollm3-list"] {
        // Not used unless it is said.
        assert!(read(name, window).is_ok(), "{name}");
        let unsaid = |config: &mut Value| {
            window(config);
            config.as_object_mut().unwrap().remove("use_sliding_window");
        };
        assert!(read(name, unsaid).is_ok(), "{name}");
        let used = |config: &mut Value| {
            window(config);
            config["use_sliding_window"] = json!(true);
        };
        assert!(read(name, used).unwrap_err().ends_with(hides), "{name}");
    }
    // Mistral's is used, and is there where the key is not.
    assert!(read("mistral-f32", |_| {}).is_ok());
    assert!(read("mistral-f32", window).unwrap_err().ends_with(hides));
    assert!(read("mistral-wide", |_| {}).is_ok(), "as wide as the model is long");
    let without = |positions: usize| {
        read("mistral-f32", |config| {
            config["max_position_embeddings"] = json!(positions);
            config.as_object_mut().unwrap().remove("sliding_window");
        })
    };
    assert!(without(4096).is_ok());
    assert!(without(8192).unwrap_err().contains("sliding_window is 4096, expected none, or at least the 8192"));
}

#[test]
fn smollm3_says_by_a_list_or_by_an_interval_which_layers_do_not_rotate() {
    let unrotated = |change: fn(&mut Value)| read("smollm3-interval", change).map(|config| config.unrotated_layers);
    assert_eq!(unrotated(|_| {}), Ok(vec![3]));
    assert_eq!(unrotated(|config| config["no_rope_layers"] = json!([0, 1, 1, 0])), Ok(vec![0, 3]));
    assert_eq!(unrotated(|config| config["no_rope_layers"] = Value::Null), Ok(vec![3]), "every fourth by default");
    let by_two = |config: &mut Value| {
        config["no_rope_layers"] = Value::Null;
        config["no_rope_layer_interval"] = json!(2);
    };
    assert_eq!(unrotated(by_two), Ok(vec![1, 3]));
    for wrong in [json!([0, 1]), json!([0, 1, 2, 1]), json!("all")] {
        let error = read("smollm3-interval", |config| config["no_rope_layers"] = wrong).unwrap_err();
        assert!(error.contains("no_rope_layers") && error.contains("0 or 1 for each of 4 layers"), "{error}");
    }
    assert!(read("qwen2-tied", |_| {}).unwrap().unrotated_layers.is_empty());
}

#[test]
fn qwen2_has_its_biases_whatever_its_keys_say() {
    let says = |change: fn(&mut Value)| Engine::load(&changed("qwen2-tied", change, |_| {}).unwrap()).map(drop);
    assert!(says(|config| config["attention_bias"] = json!(false)).is_ok());
    // A file without one is broken, which no key explains.
    let rename = |weights: &mut Vec<u8>| {
        let name = b"model.layers.1.self_attn.k_proj.bias";
        let at = weights.windows(name.len()).position(|window| window == name).unwrap();
        weights[at..at + 5].copy_from_slice(b"other");
    };
    let error = Engine::load(&changed("qwen2-tied", |_| {}, rename).unwrap()).map(drop).unwrap_err();
    assert!(error.to_string().ends_with("k_proj.bias is missing; Qwen2 models have it"), "{error}");
}

#[test]
fn heads_of_qwen3_have_the_size_that_its_class_has() {
    let absent = read("qwen3-f32", |config| {
        config.as_object_mut().unwrap().remove("head_dim");
    });
    assert_eq!(absent.unwrap().head_dim, 128);
    assert_eq!(checkpoint("qwen3-f32").tensor("model.layers.0.self_attn.q_norm.weight").unwrap().shape, [24]);
}

#[test]
fn stablelm_rotates_the_part_of_a_head_that_is_said_anywhere() {
    let rotary_dims = |change: fn(&mut Value)| read("stablelm-biased", change).map(|config| config.rotary_dims);
    assert_eq!(rotary_dims(|_| {}), Ok(4));
    assert_eq!(rotary_dims(|config| config["rope_parameters"] = Value::Null), Ok(4), "a quarter by default");
    let beside = |config: &mut Value| {
        config["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 500.0});
        config["partial_rotary_factor"] = json!(0.5);
    };
    assert_eq!(rotary_dims(beside), Ok(8));
    let error = rotary_dims(|config| config["rope_parameters"]["partial_rotary_factor"] = json!(1.5)).unwrap_err();
    assert!(error.contains("partial_rotary_factor is 1.5, expected 0 to 1"), "{error}");
    // What the form of 12B has.
    for key in ["qk_layernorm", "use_parallel_residual"] {
        let error = read("stablelm-biased", |config| config[key] = json!(true)).unwrap_err();
        assert!(error.contains(&format!("{key} is true, expected none: it is not supported")), "{error}");
    }
}

#[test]
fn gpt2_says_by_keys_of_its_own_what_others_say_by_theirs() {
    let config = read("gpt2-f32", |_| {}).unwrap();
    assert_eq!((config.d_model, config.n_layers, config.d_ff, config.max_positions), (64, 2, 4 * 64, 128));
    assert_eq!(read("gpt2-plain", |_| {}).unwrap().norm_eps, 1e-3);
    for (key, value, says) in [
        ("n_embd", json!("wide"), "n_embd is \"wide\", expected a whole number"),
        ("n_embd", json!(u64::MAX), "d_model is 18446744073709551615, expected 1 to 1048576"),
        ("activation_function", json!("relu"), "activation_function is \"relu\", expected gelu_new"),
        ("scale_attn_by_inverse_layer_idx", json!(true), "scale_attn_by_inverse_layer_idx is true, expected false"),
        ("scale_attn_weights", json!(false), "scale_attn_weights is false, expected true"),
        ("add_cross_attention", json!(true), "add_cross_attention is true, expected false"),
    ] {
        let error = read("gpt2-f32", |config| config[key] = value).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}
