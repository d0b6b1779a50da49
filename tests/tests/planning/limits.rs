//! Long prompts on devices that allow little.

use crate::counting::Counting;
use crate::shaped::{SEVEN_B, SMALL, question};
use atman::{Budget, Explainer, FaithfulnessSettings, Granularity, Job, Runs, Settings, Suppression};
use kernels::{Executor, Operator};
use model::{Model, PREFILL_ROWS};

/// WebGPU's default for what a shader can be given.
const BINDING_BYTES: u64 = 128 << 20;

fn run(runs: &mut Runs, model: &Model, executor: &mut Counting) {
    pollster::block_on(runs.begin(model, executor)).unwrap();
    while pollster::block_on(runs.step(model, executor)).unwrap().is_some() {}
}

/// A set of units over the whole prompt.
fn jobs(n_prompt: usize, step: usize, n_layers: usize) -> Vec<Job> {
    let of = |at: usize| Job::scaled(vec![(at, 0.0)], Operator::LogAdditive, 0..n_layers);
    (0..n_prompt).step_by(step).map(of).collect()
}

#[test]
fn a_prompt_of_3000_tokens_plans_and_runs_with_a_7b_model() {
    let mut executor = Counting::new(BINDING_BYTES);
    let model = SEVEN_B.load(&mut executor);
    let question = question(3000, 100, &model);
    // One pass over all of it would take a larger buffer than any device must allow.
    assert!(4 * question.n_positions() as u64 * SEVEN_B.d_ff as u64 > BINDING_BYTES);
    let settings = Settings { granularity: Granularity::Token, ..Settings::default() };
    let mut explainer = Explainer::new(question.clone(), settings, Vec::new(), Budget::default(), &model).unwrap();
    pollster::block_on(explainer.prepare(&model, &mut executor)).unwrap();
    let expected = explainer.expected(&model).unwrap();
    assert!(expected.rows > 4_000_000 && expected.baseline_flops > 0, "{expected:?}");

    executor.reset_peak();
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget::default());
    let mut some = jobs(3000, 500, SEVEN_B.n_layers);
    some.push(Job::without(&[0, 1, 2], question.row_of(0)));
    let added = runs.add(&model, some).unwrap();
    pollster::block_on(runs.begin(&model, &mut executor)).unwrap();
    let planned = runs.peak_bytes(&model).unwrap();
    while pollster::block_on(runs.step(&model, &mut executor)).unwrap().is_some() {}
    assert_eq!(executor.refused, 0, "what is too large is known before it is asked for");
    assert!(added.clone().all(|job| runs.outcome(job).is_some()));
    let peak = executor.stats().peak_bytes;
    assert!(peak <= planned && 2 * peak > planned, "{peak} of {planned}");
}

#[test]
fn the_baseline_is_read_in_pieces() {
    let mut executor = Counting::new(u64::MAX);
    let model = SMALL.load(&mut executor);
    let question = question(1000, 10, &model);
    executor.most_rows = 0;
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget::default());
    run(&mut runs, &model, &mut executor);
    assert_eq!(executor.most_rows, PREFILL_ROWS);
    assert_eq!(runs.baseline().unwrap().len(), 10);
}

#[test]
fn no_chunk_has_a_larger_buffer_than_there_may_be() {
    // What 300 rows of the widest activation take.
    let limit = 300 * 4 * SMALL.d_ff as u64;
    let mut executor = Counting::new(limit);
    let model = SMALL.load(&mut executor);
    let question = question(200, 4, &model);
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget { chunk_seconds: 1e9, ..Budget::default() });
    pollster::block_on(runs.begin(&model, &mut executor)).unwrap();
    runs.add(&model, jobs(200, 5, SMALL.n_layers)).unwrap();
    let chunks = runs.pending().chunks;
    assert!(chunks.iter().all(|chunk| chunk.estimate.largest_buffer_bytes <= limit));
    assert!(chunks.len() > 10 && chunks.len() < 40, "{}", chunks.len());
    while pollster::block_on(runs.step(&model, &mut executor)).unwrap().is_some() {}
    assert_eq!(executor.refused, 0);
}

#[test]
fn a_chunk_that_meets_a_limit_nobody_told_of_is_halved_and_a_job_runs_in_pieces() {
    let mut executor = Counting::new(u64::MAX);
    let model = SMALL.load(&mut executor);
    // Not even one whole run fits a buffer.
    let mut executor = Counting::new(150 * 4 * SMALL.d_ff as u64).secretive();
    let question = question(200, 4, &model);
    let n_layers = SMALL.n_layers;
    let mut all = jobs(200, 20, n_layers);
    all.push(Job::without(&[3, 4], question.row_of(0)));
    let n_jobs = all.len();
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget { chunk_seconds: 1e9, ..Budget::default() });
    runs.add(&model, all).unwrap();
    run(&mut runs, &model, &mut executor);
    assert!(executor.refused > 3, "{}", executor.refused);
    assert!((0..n_jobs).all(|job| runs.outcome(job).is_some()));
    // One that looks at future keys is one pass or none.
    let identity = Job::identity(0, Operator::ShiftedFull, 0..n_layers);
    runs.add(&model, vec![identity]).unwrap();
    let error = pollster::block_on(runs.step(&model, &mut executor)).unwrap_err().to_string();
    assert!(error.contains("a device that only counts allows"), "{error}");
}

#[test]
fn a_shortage_of_memory_is_learnt_from() {
    let mut executor = Counting::new(u64::MAX);
    let model = SMALL.load(&mut executor);
    let question = question(200, 4, &model);
    let budget = Budget { chunk_seconds: 1e9, ..Budget::default() };
    let mut runs = Runs::new(question.input().clone(), question.wanted(), budget);
    pollster::block_on(runs.begin(&model, &mut executor)).unwrap();
    runs.add(&model, jobs(200, 1, SMALL.n_layers)).unwrap();
    let most = runs.pending().chunk_bytes();
    executor.set_memory(executor.stats().buffer_bytes + most / 5);
    while pollster::block_on(runs.step(&model, &mut executor)).unwrap().is_some() {}
    assert!((2..=4).contains(&executor.refused), "{}", executor.refused);
}

#[test]
fn everything_that_can_be_asked_for_fits_small_buffers() {
    let mut executor = Counting::new(u64::MAX);
    let model = SMALL.load(&mut executor);
    let mut executor = Counting::new(100 * 4 * SMALL.d_ff as u64);
    let settings = Settings {
        granularity: Granularity::Word,
        faithfulness: Some(FaithfulnessSettings::default()),
        suppression: Suppression::default(),
        ..Settings::default()
    };
    let question = question(150, 3, &model);
    let mut explainer = Explainer::new(question, settings, Vec::new(), Budget::default(), &model).unwrap();
    pollster::block_on(async {
        explainer.begin(&model, &mut executor).await.unwrap();
        while explainer.step(&model, &mut executor).await.unwrap() {}
    });
    assert_eq!(executor.refused, 0);
    assert!(explainer.explanation().faithfulness.is_some());
}
