//! The GPU executor on whatever adapter there is, against the same numbers. On a software adapter this takes a while. Most goldens
//! run through the command line (`crates/cli/tests/cli/explain.rs`).

#![expect(clippy::expect_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

#[path = "common/adapter.rs"]
mod adapter;
mod common;

use atman_tests::goldens::{greatest, last_position, run};
use gpu::{GpuExecutor, Options, Tier};
use kernels::{Executor, Operator};
use model::{Generation, Input, KeyFactors, KvCache, Model, RowBatch, Sampling, Sequence};

/// An executor on the first adapter, or nothing where there is none and `ATMAN_REQUIRE_GPU` does not ask for one.
fn open() -> Option<(GpuExecutor, Model)> {
    open_with(&Options::default())
}

fn open_with(options: &Options) -> Option<(GpuExecutor, Model)> {
    let adapters = adapter::adapters()?;
    let mut executor = pollster::block_on(adapters.open(0, options)).expect("the adapter opens");
    let model = common::load(&mut executor);
    Some((executor, model))
}

#[test]
fn the_kernels_for_hardware_agree_too() {
    let Some((mut executor, model)) = open_with(&Options { tier: Some(Tier::Portable), ..Options::default() }) else { return };
    let (outcome, _) = pollster::block_on(run(&common::golden("capitals.multiplicative"), &model, &mut executor, false)).unwrap();
    println!("{}: {outcome:?}", executor.describe());
    assert!(outcome.difference_nats() < 1e-3, "{outcome:?}");
}

#[test]
fn hidden_states_and_top_logits_within_a_thousandth() {
    let Some((mut executor, model)) = open() else { return };
    let case = common::golden("capitals.log-additive");
    let expected = case.last_position.as_ref().unwrap();
    let outcome = pollster::block_on(last_position(&case, expected, &model, &mut executor)).unwrap();
    println!("{outcome:?}");
    assert!(outcome.greatest() < 1e-3, "{outcome:?}");
}

#[test]
fn sharing_the_baseline_s_cache_is_exact() {
    let Some((mut executor, model)) = open() else { return };
    let case = common::golden("capitals.shifted");
    let (_, shared) = pollster::block_on(run(&case, &model, &mut executor, false)).unwrap();
    let (_, full) = pollster::block_on(run(&case, &model, &mut executor, true)).unwrap();
    let difference = shared.iter().zip(&full).map(|(a, b)| greatest(a, b)).fold(0.0, f32::max);
    println!("{difference:e} nats");
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn a_suppressed_sequence_takes_no_more_memory_than_a_plain_pass() {
    let Some((mut executor, model)) = open() else { return };
    let case = common::golden("sofa.multiplicative");
    let ids = case.input_ids();
    let mut cache = KvCache::new(&model, &mut executor, ids.len()).unwrap();
    executor.reset_peak();
    let plain = Sequence { start: 0, input: Input::Tokens(ids.clone()), factors: None, wanted: case.wanted(0) };
    pollster::block_on(model.extend(&mut executor, plain, &mut cache, 0)).unwrap();
    let plain_bytes = executor.stats().peak_bytes;
    executor.reset_peak();
    // Of every length: from the first key on, when all rows are computed anew beside the cache, to the last.
    for first in [0, 7, 31, 65] {
        let mut factors = vec![1.0; ids.len()];
        factors[first] = 0.1;
        let factors = Some(KeyFactors { factors, operator: Operator::LogAdditive, layers: 0..model.config().n_layers });
        let input = Input::Tokens(ids[first..].to_vec());
        let batch = RowBatch { sequences: vec![Sequence { start: first, input, factors, wanted: case.wanted(first) }] };
        pollster::block_on(model.run(&mut executor, &batch, &cache, 0)).unwrap();
    }
    let suppressed_bytes = executor.stats().peak_bytes;
    println!("plain {plain_bytes} bytes, suppressed {suppressed_bytes} bytes, weights {}", executor.stats().weight_bytes);
    assert!(suppressed_bytes as f64 <= 1.05 * plain_bytes as f64);
}

#[test]
fn greedy_text_is_the_cpu_s() {
    let Some((mut gpu, gpu_model)) = open() else { return };
    let (mut cpu, cpu_model) = common::cpu();
    let prompt = common::golden("capitals.log-additive").prompt_ids;
    let write = |model: &Model, executor: &mut dyn Executor| {
        pollster::block_on(async {
            let mut generation = Generation::start(model, executor, &prompt, 12, Sampling::default(), None).await?;
            let mut ids = Vec::new();
            while ids.len() < 12
                && let Some(score) = generation.next(model, executor).await?
            {
                ids.push(score.token);
            }
            Ok::<_, model::ModelError>(ids)
        })
        .unwrap()
    };
    let on_cpu = write(&cpu_model, &mut cpu);
    assert_eq!(on_cpu.len(), 12);
    assert_eq!(write(&gpu_model, &mut gpu), on_cpu);
}
