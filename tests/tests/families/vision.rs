//! Models that see pictures against Hugging Face transformers, from the picture's file to logits, on both executors.

use crate::adapter;
use crate::fixture::{Engine, checkpoint, content, difference_nats, logits};
use atman_tests::goldens::greatest;
use gpu::{GpuExecutor, Options, Tier};
use images::{ImageProcessor, PixelValues, Prepared, decode, prompt_text};
use kernels::Executor;
use kernels::cpu::CpuExecutor;
use model::{Generation, Input, KeyFactors, KvCache, MAX_TOP_K, Mixed, Model, ModelError, RowResult, Sampling, Sequence, Wanted};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use weights::Checkpoint;

const ALL: [&str; 3] = ["vision-tiles", "vision-patches", "vision-whole"];
/// Of logits, log-probabilities (in nats) and embeddings, which are of the order of 1 to 10.
const BOUND: f32 = 1e-4;

/// What transformers computes: see `make_vision.py`.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) images: Vec<String>,
    text: Vec<String>,
    tiles: Vec<(usize, usize)>,
    image_id: u32,
    pub(crate) ids: Vec<u32>,
    embedded: Vec<Vec<f32>>,
    logits: Vec<f32>,
    log_probs: Vec<(usize, u32, f32)>,
    pub(crate) written: Vec<u32>,
}

pub(crate) fn expected(name: &str) -> Expected {
    serde_json::from_slice(&content(name, "expected.json")).unwrap()
}

fn picture(name: &str) -> images::Picture {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures").join(name);
    decode(&std::fs::read(path).unwrap()).unwrap()
}

fn prepared(checkpoint: &Checkpoint, expected: &Expected) -> Vec<Prepared> {
    let processor = ImageProcessor::read(checkpoint.name(), checkpoint.image_processor().unwrap()).unwrap();
    expected.images.iter().map(|name| processor.prepare(&picture(name))).collect()
}

/// A model on an executor, and its prompt.
struct Subject<E> {
    executor: E,
    model: Model,
    expected: Expected,
    embedded: Vec<f32>,
    prompt: Mixed,
}

fn subject<E: Executor>(name: &str, executor: E) -> Subject<E> {
    of_checkpoint(name, &checkpoint(name), executor)
}

/// What is expected of the checkpoint `name`, of another one.
fn of_checkpoint<E: Executor>(name: &str, checkpoint: &Checkpoint, mut executor: E) -> Subject<E> {
    let expected = expected(name);
    let model = pollster::block_on(Model::load(checkpoint, &mut executor, &mut |_| {})).unwrap();
    let prepared = prepared(checkpoint, &expected);
    let tiles: Vec<&PixelValues> = prepared.iter().flat_map(|p| &p.tiles).map(|tile| &tile.pixels).collect();
    let embedded = pollster::block_on(model.embed_image(&mut executor, tiles)).unwrap();
    let prompt = model.mix(expected.ids.clone(), &embedded).unwrap();
    Subject { executor, model, expected, embedded, prompt }
}

impl<E: Executor> Subject<E> {
    fn extend(&mut self, input: Mixed, wanted: Vec<Wanted>, cache: &mut KvCache) -> Vec<RowResult> {
        let sequence = Sequence { start: cache.len(), input: Input::Mixed(input), factors: None, wanted };
        pollster::block_on(self.model.extend(&mut self.executor, sequence, cache, MAX_TOP_K)).unwrap()
    }

    fn cache(&mut self) -> KvCache {
        KvCache::new(&self.model, &mut self.executor, self.prompt.len()).unwrap()
    }

    fn agrees(&mut self, name: &str) {
        let device = self.executor.describe();
        let d_model = self.model.config().d_model;
        let first: Vec<f32> = self.embedded.chunks_exact(d_model).flat_map(|row| row[..4].to_vec()).collect();
        let of_embeddings = greatest(&first, &self.expected.embedded.concat());

        let mut wanted: Vec<Wanted> = Vec::new();
        for (position, token, _) in &self.expected.log_probs {
            match wanted.last_mut().filter(|last| last.position == *position) {
                Some(last) => last.tokens.push(*token),
                None => wanted.push(Wanted { position: *position, tokens: vec![*token] }),
            }
        }
        let mut cache = self.cache();
        let rows = self.extend(self.prompt.clone(), wanted, &mut cache);
        let of_logits = greatest(&logits(rows.last().unwrap()), &self.expected.logits);
        let found: Vec<f32> = rows.iter().flat_map(|row| row.log_probs.clone()).collect();
        let expected: Vec<f32> = self.expected.log_probs.iter().map(|(_, _, log_prob)| *log_prob).collect();
        let of_log_probs = greatest(&found, &expected);
        println!("{name} on {device}: embeddings {of_embeddings:e}, logits {of_logits:e}, log-probabilities {of_log_probs:e}");
        assert!(of_embeddings < BOUND, "{name}: embeddings differ by {of_embeddings}");
        assert!(of_logits < BOUND, "{name}: logits differ by {of_logits}");
        assert!(of_log_probs < BOUND, "{name}: log-probabilities differ by {of_log_probs} nats");

        let n = self.expected.written.len();
        let written = pollster::block_on(async {
            let (model, executor) = (&self.model, &mut self.executor);
            let mut generation =
                Generation::start_mixed(model, executor, &self.prompt, n, Sampling::default(), None).await.unwrap();
            let mut written = Vec::new();
            for _ in 0..n {
                written.extend(generation.next(model, executor).await.unwrap().map(|score| score.token));
            }
            written
        });
        assert_eq!(written, self.expected.written, "{name}");
    }
}

#[test]
fn pictures_in_files_give_the_logits_of_transformers_on_the_cpu() {
    for name in ALL {
        subject(name, CpuExecutor::new()).agrees(name);
    }
}

/// On whatever adapter there is, with the kernels for software and for hardware.
#[test]
fn pictures_in_files_give_the_logits_of_transformers_on_the_gpu() {
    let Some(adapters) = adapter::adapters() else { return };
    let open = |tier| -> GpuExecutor {
        pollster::block_on(adapters.open(0, &Options { tier: Some(tier), ..Options::default() })).unwrap()
    };
    for name in ALL {
        for tier in Tier::ALL {
            subject(name, open(tier)).agrees(name);
        }
    }
}

#[test]
fn the_text_of_a_picture_is_the_processor_s() {
    for name in ALL {
        let (checkpoint, expected) = (checkpoint(name), expected(name));
        let (config, _) = model::ModelConfig::read(checkpoint.name(), checkpoint.config()).unwrap();
        let n_positions = config.vision.unwrap().n_positions();
        for ((prepared, tiles), text) in prepared(&checkpoint, &expected).iter().zip(&expected.tiles).zip(&expected.text) {
            assert_eq!((prepared.rows, prepared.cols), *tiles, "{name}");
            assert_eq!(prompt_text(prepared.rows, prepared.cols, n_positions), *text, "{name}");
            assert_eq!(text.matches("<image>").count(), n_positions * prepared.tiles.len(), "{name}");
        }
    }
}

#[test]
fn a_prompt_with_pictures_is_the_same_in_pieces_and_as_embeddings() {
    for name in ALL {
        let mut subject = subject(name, CpuExecutor::new());
        let all = |range: std::ops::Range<usize>| range.map(|position| Wanted { position, tokens: Vec::new() }).collect();
        let len = subject.prompt.len();
        let mut cache = subject.cache();
        let whole = subject.extend(subject.prompt.clone(), all(0..len), &mut cache);
        // Pieces that end within a picture, and single positions.
        for piece in [7, 1] {
            let mut cache = subject.cache();
            let mut rows = Vec::new();
            for start in (0..len).step_by(piece) {
                let end = len.min(start + piece);
                rows.extend(subject.extend(subject.prompt.slice(start..end), all(start..end), &mut cache));
            }
            let difference = difference_nats(&rows, &whole);
            assert!(difference < 5e-5, "{name}: by {piece}: {difference} nats");
        }
        let embeddings = pollster::block_on(subject.model.embed_mixed(&mut subject.executor, &subject.prompt)).unwrap();
        let mut cache = subject.cache();
        let sequence = Sequence { start: 0, input: Input::Embeddings(embeddings), factors: None, wanted: all(0..len) };
        let rows = pollster::block_on(subject.model.extend(&mut subject.executor, sequence, &mut cache, MAX_TOP_K)).unwrap();
        assert_eq!(rows, whole, "{name}");
    }
}

#[test]
fn suppressed_sequences_with_pictures_share_the_cache_exactly() {
    for name in ALL {
        let mut subject = subject(name, CpuExecutor::new());
        let len = subject.prompt.len();
        let mut cache = subject.cache();
        subject.extend(subject.prompt.clone(), Vec::new(), &mut cache);
        // A key within a picture, and one before it.
        let sequence = |start: usize, key: usize| {
            let mut factors = vec![1.0; len];
            factors[key] = 0.1;
            let factors = Some(KeyFactors { factors, operator: Default::default(), layers: 0..9 });
            let wanted = vec![Wanted { position: len - 1, tokens: Vec::new() }];
            Sequence { start, input: Input::Mixed(subject.prompt.slice(start..len)), factors, wanted }
        };
        let batch = |starts: [usize; 2]| model::RowBatch { sequences: vec![sequence(starts[0], 12), sequence(starts[1], 3)] };
        let (shared, full) = (batch([12, 3]), batch([0, 0]));
        let shared = pollster::block_on(subject.model.run(&mut subject.executor, &shared, &cache, MAX_TOP_K)).unwrap();
        let full = pollster::block_on(subject.model.run(&mut subject.executor, &full, &cache, MAX_TOP_K)).unwrap();
        let difference = difference_nats(&shared, &full);
        assert!(difference < 1e-4, "{name}: {difference} nats");
        assert!(difference_nats(&full[..1], &full[1..]) > 1e-4, "{name}: suppressing either key is the same");
    }
}

#[test]
fn what_a_model_holds_beside_weights_is_counted() {
    for name in ALL {
        let mut executor = CpuExecutor::new();
        let checkpoint = checkpoint(name);
        let mut last = None;
        let model = pollster::block_on(Model::load(&checkpoint, &mut executor, &mut |progress| last = Some(progress))).unwrap();
        let progress = last.unwrap();
        assert_eq!(progress.loaded_bytes, progress.total_bytes, "{name}: some tensor was not loaded");
        executor.reset_peak();
        assert_eq!(executor.stats().buffer_bytes, model.norm_bytes(), "{name}");
        // However many tiles there are, memory is that of one.
        let side = model.vision_config().unwrap().image_px;
        let tile = PixelValues::new(side, vec![0.5; 3 * side * side]).unwrap();
        pollster::block_on(model.embed_image(&mut executor, [&tile, &tile, &tile])).unwrap();
        assert_eq!(executor.stats().peak_bytes, model.norm_bytes() + model.config().seeing_bytes(), "{name}");
    }
}

/// SmolVLM2's files call the same thing by other names.
#[test]
fn a_model_may_go_by_smolvlm_s_name() {
    let mut config: Value = serde_json::from_slice(&content("vision-whole", "config.json")).unwrap();
    config["architectures"] = json!(["SmolVLMForConditionalGeneration"]);
    config["model_type"] = json!("smolvlm");
    config["vision_config"]["model_type"] = json!("smolvlm_vision");
    let mut processor: Value = serde_json::from_slice(&content("vision-whole", "processor_config.json")).unwrap();
    processor["image_processor"]["image_processor_type"] = json!("SmolVLMImageProcessor");
    let named = crate::files::open(vec![
        ("config.json", config.to_string().into()),
        ("model.safetensors", content("vision-whole", "model.safetensors")),
        ("processor_config.json", processor.to_string().into()),
    ])
    .unwrap();
    of_checkpoint("vision-whole", &named, CpuExecutor::new()).agrees("SmolVLM");
}

#[test]
fn what_cannot_be_seen_is_refused() {
    let mut subject = subject("vision-whole", CpuExecutor::new());
    let small = PixelValues::new(32, vec![0.0; 3 * 32 * 32]).unwrap();
    let error = pollster::block_on(subject.model.embed_image(&mut subject.executor, [&small])).unwrap_err();
    assert_eq!(error.to_string(), "a tile of 32 pixels a side was given, but the model sees 64");
    let mut ids = subject.expected.ids.clone();
    ids.push(subject.expected.image_id);
    let error = subject.model.mix(ids, &subject.embedded).unwrap_err();
    assert_eq!(error.to_string(), "the prompt has 65 image positions, but the pictures fill 64");

    let mut text = Engine::load(&checkpoint("grouped-f32")).unwrap();
    assert!(matches!(text.model.mix(vec![1], &[]), Err(ModelError::NoVision { .. })));
    let none = pollster::block_on(text.model.embed_image(&mut text.executor, [&small])).unwrap_err();
    assert!(none.to_string().ends_with("model.safetensors reads text only, no pictures"), "{none}");
}

#[test]
fn configurations_that_contradict_themselves_are_refused() {
    let refused = |key: &[&str], value: Value| {
        let change = |config: &mut Value| {
            let mut place = config;
            for part in key {
                place = &mut place[*part];
            }
            *place = value;
        };
        let checkpoint = crate::fixture::changed("vision-whole", change, |_| {}).unwrap();
        Engine::load(&checkpoint).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for (key, value, says) in [
        (&["scale_factor"][..], json!(3), "scale_factor is 3, expected a divisor of the 8 patches of a side"),
        (&["scale_factor"], json!(0), "scale_factor is 0, expected 1 to 256"),
        (&["vision_config", "hidden_act"], json!("gelu"), "vision_config.hidden_act is gelu, expected gelu_pytorch_tanh"),
        (&["vision_config", "num_attention_heads"], json!(3), "num_attention_heads is 3, expected a divisor of hidden_size, 32"),
        (&["vision_config", "patch_size"], json!(65), "vision_config.patch_size is 65, expected 1 to 64"),
        (&["vision_config", "image_size"], json!([64, 64]), "image_size is [64,64], expected a whole number"),
        (&["vision_config", "num_hidden_layers"], json!(3), "layers.2.layer_norm1.weight is missing; Idefics3 models have it"),
        (&["vision_config", "patch_size"], json!(4), "has shape [32, 3, 8, 8], but the configuration makes it [32, 3, 4, 4]"),
        (&["text_config"], json!(null), "hidden_size is null, expected a whole number"),
    ] {
        let error = refused(key, value);
        assert!(error.contains(says), "{key:?}: {error}");
    }
}
