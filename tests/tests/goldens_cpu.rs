//! The CPU executor against an independent implementation's numbers, and sharing against full recomputation.

#![expect(clippy::expect_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

mod common;

use atman_tests::goldens::{greatest, last_position, run};
use kernels::Executor;
use model::{Input, KeyFactors, KvCache, RowBatch, Sequence};

#[test]
fn every_golden_within_a_thousandth_of_a_nat() {
    let (mut executor, model) = common::cpu();
    let names =
        ["log-additive", "removed", "amplified", "multiplicative", "shifted", "shifted-full"].map(|n| format!("capitals.{n}"));
    for name in names.iter().map(String::as_str).chain(["sofa.multiplicative", "sofa.neighbours"]) {
        let (outcome, _) = pollster::block_on(run(&common::golden(name), &model, &mut executor, false)).unwrap();
        println!("{name}: {outcome:?}");
        assert!(outcome.difference_nats() < 1e-3, "{name}: {outcome:?}");
    }
}

#[test]
fn hidden_states_and_top_logits_within_a_thousandth() {
    let (mut executor, model) = common::cpu();
    let case = common::golden("capitals.log-additive");
    let expected = case.last_position.as_ref().unwrap();
    let outcome = pollster::block_on(last_position(&case, expected, &model, &mut executor)).unwrap();
    println!("{outcome:?}");
    assert!(outcome.greatest() < 1e-3, "{outcome:?}");
}

#[test]
fn sharing_the_baseline_s_cache_is_exact() {
    let (mut executor, model) = common::cpu();
    for name in [
        "capitals.log-additive",
        "capitals.removed",
        "capitals.amplified",
        "capitals.multiplicative",
        "capitals.shifted",
        "sofa.neighbours",
    ] {
        let case = common::golden(name);
        let (outcome, shared) = pollster::block_on(run(&case, &model, &mut executor, false)).unwrap();
        let (_, full) = pollster::block_on(run(&case, &model, &mut executor, true)).unwrap();
        let difference = shared.iter().zip(&full).map(|(a, b)| greatest(a, b)).fold(0.0, f32::max);
        println!("{name}: {difference:e} nats; {} of {} rows", outcome.rows, outcome.full_rows);
        assert!(difference < 1e-4, "{name}: {difference}");
        assert!(outcome.rows < outcome.full_rows);
    }
}

#[test]
fn a_suppressed_sequence_takes_no_more_memory_than_a_plain_pass() {
    let (mut executor, model) = common::cpu();
    let case = common::golden("sofa.multiplicative");
    let ids = case.input_ids();
    let mut cache = KvCache::new(&model, &mut executor, ids.len()).unwrap();
    executor.reset_peak();
    let plain = Sequence { start: 0, input: Input::Tokens(ids.clone()), factors: None, wanted: case.wanted(0) };
    pollster::block_on(model.extend(&mut executor, plain.clone(), &mut cache, 0)).unwrap();
    let plain_bytes = executor.stats().peak_bytes;
    executor.reset_peak();
    // The worst case: the very first key, so that every row is computed anew beside the cache.
    let mut factors = vec![1.0; ids.len()];
    factors[0] = 0.1;
    let factors = KeyFactors { factors, operator: Default::default(), layers: 0..model.config().n_layers };
    let batch = RowBatch { sequences: vec![Sequence { factors: Some(factors), ..plain }] };
    pollster::block_on(model.run(&mut executor, &batch, &cache, 0)).unwrap();
    let suppressed_bytes = executor.stats().peak_bytes;
    println!("plain {plain_bytes} bytes, suppressed {suppressed_bytes} bytes, weights {}", executor.stats().weight_bytes);
    assert!(suppressed_bytes as f64 <= 1.05 * plain_bytes as f64);
}
