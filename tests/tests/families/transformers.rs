//! The engine against Hugging Face transformers, both computing in f32 from the stored weights.

use crate::adapter;
use crate::fixture::{ALL, Engine, changed, checkpoint, config, expected, logits};
use atman_tests::goldens::greatest;
use gpu::{Options, Tier};
use model::{Input, KvCache, MAX_TOP_K, RopeScaling, Sequence, Wanted};
use serde_json::{Value, json};
use tensor::Format;

/// Of logits, log-probabilities (in nats) and hidden states, which are all of the order of 1 to 10. The formats have no part in
/// it: what is stored in 16 bits is exact in f32.
const BOUND: f32 = 1e-4;

#[test]
fn logits_log_probabilities_and_hidden_states_agree() {
    for name in ALL {
        let expected = expected(name);
        let Engine { mut executor, model } = Engine::load(&checkpoint(name)).unwrap();
        let mut wanted: Vec<Wanted> = Vec::new();
        for (position, token, _) in &expected.log_probs {
            match wanted.last_mut().filter(|last| last.position == *position) {
                Some(last) => last.tokens.push(*token),
                None => wanted.push(Wanted { position: *position, tokens: vec![*token] }),
            }
        }
        let input = Input::Tokens(expected.ids.clone());
        let sequence = Sequence { start: 0, input: input.clone(), factors: None, wanted };
        let mut cache = KvCache::new(&model, &mut executor, expected.ids.len()).unwrap();
        let rows = pollster::block_on(model.extend(&mut executor, sequence, &mut cache, MAX_TOP_K)).unwrap();

        let last = rows.last().unwrap();
        assert_eq!(last.top.len(), expected.logits.len(), "{name}: more than the vocabulary was asked for");
        let of_logits = greatest(&logits(last), &expected.logits);
        let found: Vec<f32> = rows.iter().flat_map(|row| row.log_probs.clone()).collect();
        let of_log_probs = greatest(&found, &expected.log_probs.iter().map(|(_, _, log_prob)| *log_prob).collect::<Vec<_>>());
        let states = pollster::block_on(model.hidden_states(&mut executor, input)).unwrap();
        assert_eq!(states.len(), expected.hidden.len(), "{name}");
        let of_states = states.iter().zip(&expected.hidden).map(|(a, b)| greatest(a, b)).fold(0.0, f32::max);
        println!("{name}: logits {of_logits:e}, log-probabilities {of_log_probs:e}, hidden states {of_states:e}");
        assert!(of_logits < BOUND, "{name}: logits differ by {of_logits}");
        assert!(of_log_probs < BOUND, "{name}: log-probabilities differ by {of_log_probs} nats");
        assert!(of_states < BOUND, "{name}: hidden states differ by {of_states}");
    }
}

#[test]
fn suppression_in_all_layers_and_in_one_agrees() {
    for name in ALL {
        let expected = expected(name);
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        for case in expected.suppressed {
            let rows = engine.suppressed(&expected.ids, &case.factors, case.layers.0..case.layers.1);
            let difference = greatest(&logits(rows.last().unwrap()), &case.logits);
            println!("{name}: layers {:?}: {difference:e}", case.layers);
            assert!(difference < BOUND, "{name}: suppressed in layers {:?}, logits differ by {difference}", case.layers);
        }
    }
}

/// On whatever adapter there is, with the kernels for software and for hardware.
#[test]
fn logits_and_suppression_agree_on_the_gpu() {
    let Some(adapters) = adapter::adapters() else { return };
    for (name, tier) in ALL.into_iter().flat_map(|name| Tier::ALL.map(|tier| (name, tier))) {
        let expected = expected(name);
        let gpu = pollster::block_on(adapters.open(0, &Options { tier: Some(tier), ..Options::default() })).unwrap();
        let mut engine = Engine::load_on(gpu, &checkpoint(name)).unwrap();
        let found = logits(engine.prefill(&expected.ids).last().unwrap());
        let mut difference = greatest(&found, &expected.logits);
        for case in &expected.suppressed {
            let rows = engine.suppressed(&expected.ids, &case.factors, case.layers.0..case.layers.1);
            difference = difference.max(greatest(&logits(rows.last().unwrap()), &case.logits));
        }
        println!("{name}, {}: {difference:e}", tier.name());
        assert!(difference < BOUND, "{name}, {}: logits differ by {difference}", tier.name());
    }
}

#[test]
fn the_checkpoints_vary_as_meant() {
    let read = |name: &str| {
        let engine = Engine::load(&checkpoint(name)).unwrap();
        (engine.model.config().clone(), engine.model.formats(), checkpoint(name))
    };
    let (config, formats, files) = read("grouped-f32");
    assert_eq!((config.n_heads, config.n_kv_heads, config.head_dim), (4, 2, 16));
    assert_eq!((formats.as_slice(), config.rope_scaling), (&[Format::F32][..], RopeScaling::None));
    assert!(files.tensor("lm_head.weight").is_none(), "the embedding is the LM head");

    let (config, formats, files) = read("sharded-bf16");
    assert_eq!((config.d_model, config.n_heads, config.n_kv_heads, config.head_dim), (64, 4, 1, 24));
    assert_eq!((formats.as_slice(), config.rope_theta), (&[Format::Bf16][..], 500.0));
    assert!(files.tensor("lm_head.weight").is_some());
    assert_eq!(files.tensors().map(|tensor| tensor.file).max(), Some(1), "two files");

    let (config, formats, _) = read("llama3-f16");
    assert_eq!((config.n_heads, config.n_kv_heads), (4, 4));
    let original_positions = 16.0;
    let scaling = RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 2.0, original_positions };
    assert_eq!((formats.as_slice(), config.rope_scaling), (&[Format::F16][..], scaling));

    let (config, formats, files) = read("linear-mixed");
    assert_eq!((config.d_model, config.n_heads, config.n_kv_heads, config.head_dim, config.norm_eps), (72, 3, 3, 24, 1e-5));
    assert_eq!((formats.as_slice(), config.rope_scaling), (&[Format::Bf16][..], RopeScaling::Linear { factor: 3.0 }));
    assert_eq!(files.tensor("model.norm.weight").unwrap().format, Format::F32, "norms are stored otherwise than matrices");
}

#[test]
fn scaling_of_rotation_reads_alike_from_older_and_newer_configurations() {
    let newer = |config: &mut Value| {
        let theta = config["rope_theta"].take();
        let mut rope = config["rope_scaling"].take();
        rope["rope_theta"] = theta;
        if rope["type"].is_string() {
            rope["rope_type"] = rope["type"].take();
        }
        config["rope_parameters"] = rope;
    };
    let unscaled = |config: &mut Value| config["rope_scaling"] = json!(null);
    for name in ["llama3-f16", "linear-mixed"] {
        assert!(config(name)["rope_parameters"].is_null());
        let ids = expected(name).ids;
        let older = Engine::load(&checkpoint(name)).unwrap().prefill(&ids);
        let same = Engine::load(&changed(name, newer, |_| {}).unwrap()).unwrap().prefill(&ids);
        assert_eq!(older, same, "{name}");
        // And it is what the numbers above depend on.
        let other = Engine::load(&changed(name, unscaled, |_| {}).unwrap()).unwrap().prefill(&ids);
        let difference = greatest(&logits(other.last().unwrap()), &logits(older.last().unwrap()));
        assert!(difference > 0.1, "{name}: scaling changes logits by {difference} only");
    }
}
