//! Which tensors a model is made of: every one that belongs to what is computed is used or is an error, and what is left over is
//! listed.

use crate::files::{Gguf, floats, safetensors};
use crate::fixture::{Engine, changed, checkpoint, config, content};
use crate::gguf_twin::{open, twin};
use model::{Inventory, ModelError};
use serde_json::{Value, json};
use weights::{Checkpoint, WeightsError};

/// Adds a tensor to a safetensors file, of bytes that do not matter.
fn add(file: &mut Vec<u8>, name: &str, dtype: &str, shape: &[usize], len_bytes: usize) {
    let header_len = u64::from_le_bytes(*file.first_chunk::<8>().unwrap()) as usize;
    let (header, data) = file[8..].split_at(header_len);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    header[name] = json!({"dtype": dtype, "shape": shape, "data_offsets": [data.len(), data.len() + len_bytes]});
    let data = data.to_vec();
    *file = safetensors(&header, 0);
    file.extend(data);
    file.extend(vec![0; len_bytes]);
}

/// A folder with another tensor.
fn with(name: &str, dtype: &str, shape: &[usize], len_bytes: usize) -> Checkpoint {
    changed("grouped-f32", |_| {}, |file| add(file, name, dtype, shape, len_bytes)).unwrap()
}

fn unused(checkpoint: &Checkpoint) -> Result<Vec<String>, String> {
    let unused = Inventory::of(checkpoint).map(|inventory| inventory.unused_tensors).map_err(|error| error.to_string());
    // What loads is what is said to load.
    assert_eq!(Engine::load(checkpoint).map(drop).map_err(|error| error.to_string()), unused.clone().map(drop));
    unused
}

#[test]
fn a_tensor_that_belongs_to_what_is_computed_and_has_no_place_there_is_an_error_that_names_it() {
    for name in [
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.1.self_attn.o_proj.bias",
        "model.layers.1.mlp.down_proj.bias",
        "model.layers.0.self_attn.q_norm.weight",
        "model.layers.1.input_layernorm.bias",
        "model.layers.0.self_attn.q_proj.weight_scale",
        "model.norm.bias",
        "model.embed_positions.weight",
        "lm_head.bias",
    ] {
        let error = unused(&with(name, "F32", &[64], 256)).unwrap_err();
        assert!(error.contains(&format!("tensor {name} has no place in Llama models")), "{error}");
        let hint = if name.contains("attn") { "attention_bias" } else { "mlp_bias" };
        assert_eq!(name.ends_with("_proj.bias"), error.ends_with(&format!("says so by \"{hint}\": true")), "{error}");
    }
    for name in
        ["blk.0.attn_q_norm.weight", "blk.1.attn_norm.bias", "output.bias", "token_embd_norm.weight", "rope_factors_long.weight"]
    {
        let error =
            unused(&open(&twin(&checkpoint("grouped-f32")).tensor(name, &[4], 0, &floats([1.0; 4]))).unwrap()).unwrap_err();
        assert!(error.contains(&format!("tensor {name} has no place in Llama models")), "{error}");
    }
}

#[test]
fn tensors_that_are_no_part_of_what_is_computed_are_listed() {
    let leftovers = [
        ("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", &[8][..], 32),
        ("model.layers.1.self_attn.masked_bias", "F32", &[1], 4),
        ("model.layers.2.mlp.up_proj.weight", "F32", &[40, 64], 10_240),
        ("model.vision_tower.blocks.0.weight", "BF16", &[2, 2], 8),
        ("score.weight", "F32", &[2, 64], 512),
        ("probe", "F32", &[0], 0),
        ("model.layers.0.probe", "F16", &[3, 0], 0),
        ("steps", "I64", &[1], 8),
    ];
    for (name, dtype, shape, len_bytes) in leftovers {
        assert_eq!(unused(&with(name, dtype, shape, len_bytes)), Ok(vec![name.to_owned()]));
    }
    let all = |file: &mut Vec<u8>| leftovers.into_iter().for_each(|(name, dtype, shape, len)| add(file, name, dtype, shape, len));
    let inventory = Inventory::of(&changed("grouped-f32", |_| {}, all).unwrap()).unwrap();
    assert_eq!(inventory.unused_tensors.len(), leftovers.len());
    assert!(inventory.to_string().starts_with("8 tensors of the file are not used: model.layers.0.probe, "), "{inventory}");
    let inventory = Inventory::of(&checkpoint("grouped-f32")).unwrap();
    assert_eq!((inventory.unused_tensors.len(), inventory.to_string()), (0, String::new()));

    let file = twin(&checkpoint("grouped-f32"));
    let extended = file.tensor("v.blk.0.attn_q.weight", &[4], 0, &floats([1.0; 4])).tensor("steps", &[2], 26, &[0; 8]);
    let extended = extended.tensor("blk.0.probe", &[0, 4], 0, &[]).tensor("last", &[4], 0, &floats([1.0; 4]));
    let names = ["blk.0.probe", "last", "steps", "v.blk.0.attn_q.weight"].map(str::to_owned);
    assert_eq!(unused(&open(&extended).unwrap()), Ok(names.to_vec()));
}

#[test]
fn files_of_weights_beside_the_model_are_listed() {
    let files =
        ["adapter_model.safetensors", "model.safetensors"].map(|name| (name, content("grouped-f32", "model.safetensors")));
    let config = ("config.json", config("grouped-f32").to_string().into_bytes());
    let checkpoint = crate::files::open([files.to_vec(), vec![config]].concat()).unwrap();
    let inventory = Inventory::of(&checkpoint).unwrap();
    assert_eq!(inventory.to_string(), "adapter_model.safetensors beside the model is left alone");
}

/// Each of them: one that is missing where the configuration states it is named together with the key.
#[test]
fn biases_that_the_configuration_states_and_the_file_has_not_are_missed() {
    for (key, tensor) in [("attention_bias", "self_attn.q_proj.bias"), ("mlp_bias", "mlp.gate_proj.bias")] {
        let checkpoint = changed("grouped-f32", |config| config[key] = json!(true), |_| {}).unwrap();
        let error = unused(&checkpoint).unwrap_err();
        assert!(
            error.contains(tensor) && error.ends_with(&format!("is missing; config.json says by {key} that it is there")),
            "{error}"
        );
    }
}

/// The files say no more about it than that they are there.
#[test]
fn gguf_files_may_have_some_biases_and_not_others() {
    let bias = |file: Gguf| {
        let mut engine = Engine::load(&open(&file).unwrap()).unwrap();
        engine.prefill(&[3, 1, 4, 1, 5])
    };
    let plain = || twin(&checkpoint("grouped-f32"));
    let without = bias(plain());
    let nothing = bias(plain().tensor("blk.0.attn_q.bias", &[64], 0, &floats([0.0; 64])));
    assert_eq!(crate::fixture::difference_nats(&without, &nothing), 0.0);
    for (name, len) in
        [("attn_q", 64), ("attn_k", 32), ("attn_v", 32), ("attn_output", 64), ("ffn_gate", 40), ("ffn_up", 40), ("ffn_down", 64)]
    {
        let values = (0..len).map(|i| (i as f32).sin());
        let with = bias(plain().tensor(&format!("blk.1.{name}.bias"), &[len], 0, &floats(values)));
        let difference = crate::fixture::difference_nats(&without, &with);
        assert!(difference > 0.01, "{name}: {difference}");
    }
    let short = open(&plain().tensor("blk.0.attn_q.bias", &[32], 0, &floats([0.0; 32]))).unwrap();
    let error = Engine::load(&short).err().unwrap().to_string();
    assert!(error.ends_with("tensor blk.0.attn_q.bias has shape [32], but the configuration makes it [64]"), "{error}");
}

#[test]
fn a_number_format_that_is_not_read_is_named_and_not_called_missing() {
    let stored_as = |dtype: &str, element_bytes: usize| {
        let restore = |file: &mut Vec<u8>| {
            let header_len = u64::from_le_bytes(*file.first_chunk::<8>().unwrap()) as usize;
            let mut header: Value = serde_json::from_slice(&file[8..8 + header_len]).unwrap();
            header["model.layers.1.mlp.gate_proj.weight"]["dtype"] = json!(dtype);
            // In the same bytes more elements, or fewer.
            header["model.layers.1.mlp.gate_proj.weight"]["shape"] = json!([40, 64 * 4 / element_bytes]);
            let data = file[8 + header_len..].to_vec();
            *file = safetensors(&header, 0);
            file.extend(data);
        };
        changed("grouped-f32", |config| config["quantization_config"] = json!({"quant_method": "fp8"}), restore).unwrap()
    };
    for (dtype, element_bytes) in [("F8_E4M3", 1), ("F64", 8), ("U32", 4), ("I8", 1)] {
        let error = Inventory::of(&stored_as(dtype, element_bytes)).unwrap_err();
        assert!(matches!(&error, ModelError::Weights(WeightsError::UnknownType { found, .. }) if found == dtype), "{error}");
        let says = format!("gate_proj.weight: stored as {dtype}, expected one of F32, F16, BF16");
        assert!(error.to_string().ends_with(&says), "{error}");
    }
    let file = twin(&checkpoint("grouped-f32")).tensor("rope_freqs.weight", &[8], 28, &[0; 64]);
    let error = Inventory::of(&open(&file).unwrap()).unwrap_err().to_string();
    assert!(error.contains("tensor rope_freqs.weight: stored as F64, expected one of F32, F16, BF16, Q8_0"), "{error}");
    let empty = changed(
        "grouped-f32",
        |_| {},
        |file| {
            let name = b"model.norm.weight";
            let at = file.windows(name.len()).position(|window| window == name).unwrap();
            file[at] = b'n';
            add(file, "model.norm.weight", "F32", &[0, 64], 0);
        },
    );
    let error = Inventory::of(&empty.unwrap()).unwrap_err().to_string();
    assert!(
        error.ends_with("tensor model.norm.weight: shape [0, 64], expected at least one element in every dimension"),
        "{error}"
    );
}
