//! The model in `models/atman-tiny` against Hugging Face transformers on prompts with and without pictures, on both executors.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

#[path = "common/adapter.rs"]
mod adapter;

use atman_tests::shipped::{Shipped, run};
use gpu::{GpuExecutor, Options, Tier};
use kernels::Executor;
use kernels::cpu::CpuExecutor;
use model::Model;
use std::path::{Path, PathBuf};
use weights::{Checkpoint, ModelFiles};

/// Of a logit. They are of the order of 10.
const BOUND: f32 = 1e-3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn agrees(executor: &mut dyn Executor) {
    let golden = std::fs::read(root().join("tests/goldens/atman-tiny.json")).unwrap();
    let shipped: Shipped = serde_json::from_slice(&golden).unwrap();
    assert!(shipped.cases.len() >= 20 && shipped.cases.iter().filter(|case| !case.images.is_empty()).count() >= 8);
    let files = ModelFiles::from_path(root().join("models/atman-tiny")).unwrap();
    let checkpoint = pollster::block_on(Checkpoint::open(files)).unwrap();
    let model = pollster::block_on(Model::load(&checkpoint, executor, &mut |_| {})).unwrap();
    let mut greatest = 0.0_f32;
    for case in &shipped.cases {
        let difference = pollster::block_on(run(case, &checkpoint, &model, executor)).unwrap();
        assert!(difference.same_ids, "{:?} became other tokens", case.text);
        assert!(difference.of_logits < BOUND, "{:?}: {}", case.text, difference.of_logits);
        greatest = greatest.max(difference.of_logits);
    }
    println!("{}: logits of {} prompts within {greatest:e}", executor.describe(), shipped.cases.len());
}

fn on_gpu(options: &Options) -> Option<GpuExecutor> {
    let adapters = adapter::adapters()?;
    Some(pollster::block_on(adapters.open(0, options)).unwrap())
}

#[test]
fn logits_on_the_cpu_within_a_thousandth() {
    agrees(&mut CpuExecutor::new());
}

#[test]
fn logits_on_a_gpu_within_a_thousandth() {
    if let Some(mut executor) = on_gpu(&Options::default()) {
        agrees(&mut executor);
    }
}

#[test]
fn logits_with_the_kernels_for_hardware_within_a_thousandth() {
    if let Some(mut executor) = on_gpu(&Options { tier: Some(Tier::Portable), ..Options::default() }) {
        agrees(&mut executor);
    }
}
