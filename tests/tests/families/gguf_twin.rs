//! The same checkpoints stored as GGUF, whose q and k are permuted, whose rotary scaling is a tensor of divisors.

use crate::files::{Gguf, floats};
use crate::fixture::{ALL, Engine, checkpoint, expected, logits};
use atman_tests::goldens::greatest;
use model::{ModelConfig, NormKind, RopeScaling};
use serde_json::json;
use std::f64::consts::TAU;
use tensor::Format;
use weights::{Checkpoint, WeightsError};

/// `enum ggml_type`.
pub(crate) fn type_code(format: Format) -> u32 {
    match format {
        Format::F32 => 0,
        Format::F16 => 1,
        Format::Q4_0 => 2,
        Format::Q4_1 => 3,
        Format::Q5_0 => 6,
        Format::Q5_1 => 7,
        Format::Q8_0 => 8,
        Format::Q4K => 12,
        Format::Q5K => 13,
        Format::Q6K => 14,
        Format::Bf16 => 30,
    }
}

/// A file with the metadata of a Llama model.
pub(crate) fn header(config: &ModelConfig) -> Gguf {
    header_of("llama", config)
}

fn header_of(architecture: &str, config: &ModelConfig) -> Gguf {
    let epsilon = match config.norm {
        NormKind::Rms => "attention.layer_norm_rms_epsilon",
        NormKind::Layer => "attention.layer_norm_epsilon",
    };
    let mut entries = vec![
        ("block_count", json!(config.n_layers)),
        ("embedding_length", json!(config.d_model)),
        ("feed_forward_length", json!(config.d_ff)),
        ("attention.head_count", json!(config.n_heads)),
        ("attention.head_count_kv", json!(config.n_kv_heads)),
        ("attention.key_length", json!(config.head_dim)),
        ("attention.value_length", json!(config.head_dim)),
        (epsilon, json!(f64::from(config.norm_eps))),
        ("rope.dimension_count", json!(config.rotary_dims)),
        ("rope.freq_base", json!(config.rope_theta)),
        ("context_length", json!(config.max_positions)),
        ("vocab_size", json!(config.vocab_size)),
    ];
    if let RopeScaling::Linear { factor } = config.rope_scaling {
        entries.extend([("rope.scaling.type", json!("linear")), ("rope.scaling.factor", json!(factor))]);
    }
    let file = Gguf::new().entry("general.architecture", &json!(architecture));
    entries.iter().fold(file, |file, (key, value)| file.entry(&format!("{architecture}.{key}"), value))
}

pub(crate) fn open(file: &Gguf) -> Result<Checkpoint, WeightsError> {
    crate::files::open(vec![("model.gguf", file.bytes())])
}

/// Rows of each head from two halves to pairs: row `half * b + a` of a head goes to `2 a + b`.
fn interleave(bytes: &[u8], rows: usize, head_dim: usize) -> Vec<u8> {
    let row_bytes = bytes.len() / rows;
    let row = |to: usize| {
        let (head, within) = (to / head_dim, to % head_dim);
        head * head_dim + within % 2 * (head_dim / 2) + within / 2
    };
    (0..rows).flat_map(|to| bytes[row(to) * row_bytes..][..row_bytes].to_vec()).collect()
}

/// Of f32, from rows to columns.
fn transposed(bytes: &[u8], rows: usize, cols: usize) -> Vec<u8> {
    let element = |row: usize, col: usize| &bytes[4 * (row * cols + col)..][..4];
    let places = (0..cols).flat_map(|col| (0..rows).map(move |row| (row, col)));
    places.flat_map(|(row, col)| element(row, col).to_vec()).collect()
}

fn gguf_name(name: &str, architecture: &str) -> String {
    // Of the one family whose norms stand after attention and MLP.
    let after = [("post_attention_layernorm", "post_attention_norm"), ("post_feedforward_layernorm", "post_ffw_norm")];
    let names = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    let gpt2 = [
        ("transformer.", ""),
        ("wte", "token_embd"),
        ("wpe", "position_embd"),
        ("ln_f", "output_norm"),
        ("h.", "blk."),
        ("ln_1", "attn_norm"),
        ("ln_2", "ffn_norm"),
        ("attn.c_attn", "attn_qkv"),
        ("attn.c_proj", "attn_output"),
        ("mlp.c_fc", "ffn_up"),
        ("mlp.c_proj", "ffn_down"),
    ];
    let own: &[(&str, &str)] = match architecture {
        "olmo2" => &after,
        "gpt2" => &gpt2,
        _ => &[],
    };
    own.iter().chain(&names).fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// Llama 3's scaling as divisors of the frequencies, one for each pair of features.
fn divisors(config: &ModelConfig) -> Option<Vec<f32>> {
    let RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_positions } = config.rope_scaling else {
        return None;
    };
    let divisor = |pair: usize| {
        let wavelength = TAU * config.rope_theta.powf(2.0 * pair as f64 / config.head_dim as f64);
        if wavelength < original_positions / high_freq_factor {
            1.0
        } else if wavelength > original_positions / low_freq_factor {
            factor
        } else {
            let smooth = (original_positions / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
            1.0 / ((1.0 - smooth) / factor + smooth)
        }
    };
    Some((0..config.head_dim / 2).map(|pair| divisor(pair) as f32).collect())
}

/// A folder of safetensors as one GGUF file.
pub(crate) fn twin(checkpoint: &Checkpoint) -> Gguf {
    let (config, family) = ModelConfig::read("the folder", checkpoint.config()).unwrap();
    // Mistral's are files of Llama.
    let (architecture, is_interleaved) =
        family.gguf.as_ref().map_or(("llama", true), |form| (form.architecture, form.interleaves_qk));
    let mut file = header_of(architecture, &config);
    for info in checkpoint.tensors() {
        let mut bytes = pollster::block_on(checkpoint.read(info)).unwrap();
        if is_interleaved && (info.name.contains("q_proj") || info.name.contains("k_proj")) {
            bytes = interleave(&bytes, info.shape[0], config.head_dim);
        }
        let mut shape = info.shape.clone();
        if architecture == "gpt2" && info.name.contains(".attn.") && info.name.ends_with("bias") && !info.name.contains("c_") {
            // A mask, which converters leave out.
            continue;
        }
        if architecture == "gpt2" && info.name.contains(".c_") && shape.len() == 2 {
            bytes = transposed(&bytes, shape[0], shape[1]);
            shape.reverse();
        }
        let dims: Vec<u64> = shape.iter().rev().map(|dim| *dim as u64).collect();
        file = file.tensor(&gguf_name(&info.name, architecture), &dims, type_code(info.format), &bytes);
    }
    match divisors(&config) {
        Some(divisors) => file.tensor("rope_freqs.weight", &[divisors.len() as u64], 0, &floats(divisors)),
        None => file,
    }
}

#[test]
fn a_checkpoint_stored_as_gguf_gives_what_transformers_gives() {
    // Which layers of SmolLM3 do not rotate does not stand in such files: it is every fourth.
    for name in ALL.into_iter().filter(|name| *name != "smollm3-list") {
        let expected = expected(name);
        let mut engine = Engine::load(&open(&twin(&checkpoint(name))).unwrap()).unwrap();
        let difference = greatest(&logits(engine.prefill(&expected.ids).last().unwrap()), &expected.logits);
        println!("{name}: {difference:e}");
        assert!(difference < 1e-4, "{name}: logits differ by {difference}");
    }
}
