//! How long it still takes, on a device whose speed is a script.

use crate::counting::Counting;
use crate::shaped::{SMALL, question};
use atman::{Budget, Explainer, FaithfulnessSettings, Granularity, Settings};
use std::time::Instant;

/// What was said after each step, and how long it then took, in seconds.
fn said_and_taken(settings: Settings, seconds: f64, speed: impl Fn(usize) -> f64 + 'static) -> Vec<(f64, f64)> {
    let mut executor = Counting::new(u64::MAX);
    let model = SMALL.load(&mut executor);
    let budget = Budget { chunk_seconds: 0.1, ..Budget::default() };
    let mut explainer = Explainer::new(question(220, 6, &model), settings, Vec::new(), budget, &model).unwrap();
    pollster::block_on(explainer.prepare(&model, &mut executor)).unwrap();
    let expected = explainer.expected(&model).unwrap();
    assert_eq!(expected.seconds, None, "nothing has run");
    let usual = expected.flops as f64 / seconds;
    executor.script(move |run| usual * speed(run));
    let mut said = Vec::new();
    pollster::block_on(async {
        explainer.begin(&model, &mut executor).await.unwrap();
        while explainer.step(&model, &mut executor).await.unwrap() {
            said.push((explainer.expected(&model).unwrap().seconds.unwrap(), Instant::now()));
        }
    });
    let end = Instant::now();
    said.into_iter().map(|(left, at)| (left, (end - at).as_secs_f64())).collect()
}

/// Whether what was said is within a factor of two; what is nearly over may be off by a little time.
fn is_near((said, taken): (f64, f64)) -> bool {
    let little = 0.15;
    said <= 2.0 * taken + little && taken <= 2.0 * said + little
}

fn token_by_token() -> Settings {
    Settings { granularity: Granularity::Token, ..Settings::default() }
}

#[test]
fn a_slow_baseline_does_not_count_once_a_chunk_has_run() {
    let steps = said_and_taken(token_by_token(), 2.0, |run| if run == 0 { 0.1 } else { 1.0 });
    assert!(steps.len() > 6, "{steps:?}");
    assert!(steps.iter().all(|step| is_near(*step)), "said and taken: {steps:?}");
}

#[test]
fn a_device_that_becomes_slower_is_noticed_with_the_next_chunks() {
    let steps = said_and_taken(token_by_token(), 1.5, |run| if run < 6 { 1.0 } else { 0.25 });
    let slower = &steps[8.min(steps.len() - 1)..];
    assert!(slower.len() > 4 && slower.iter().all(|step| is_near(*step)), "said and taken: {steps:?}");
    // And chunks are cut for it.
    let last = steps.len() - 1;
    let chunk_seconds: Vec<f64> = steps[8..last].windows(2).map(|pair| pair[0].1 - pair[1].1).collect();
    let mean = chunk_seconds.iter().sum::<f64>() / chunk_seconds.len() as f64;
    assert!(mean < 0.25, "{chunk_seconds:?}");
}

#[test]
fn faithfulness_is_counted_as_what_it_is_likely_to_take() {
    let settings = Settings { faithfulness: Some(FaithfulnessSettings::default()), ..token_by_token() };
    let steps = said_and_taken(settings, 3.0, |_| 1.0);
    assert!(steps.iter().all(|step| is_near(*step)), "said and taken: {steps:?}");
}
