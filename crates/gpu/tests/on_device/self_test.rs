//! The self-test: it passes on what computes right, and names the kernel that does not.

use crate::common::open;
use gpu::{Options, SelfTestError, Tier, compare, self_test};
use kernels::cpu::CpuExecutor;
use kernels::{Buffer, ExecError, Executor, LocalFuture, Op, Stats, Weight, WeightSpec};

#[test]
fn this_machines_adapter_passes() {
    for tier in Tier::ALL {
        let Some(mut gpu) = open(&Options { tier: Some(tier), ..Options::default() }) else { return };
        let report = pollster::block_on(self_test(&mut gpu)).unwrap();
        assert_eq!(report.checks.len(), 11);
        assert!(report.checks.iter().all(|check| check.error <= check.bound), "{report}");
    }
}

#[test]
fn the_cpu_agrees_with_itself() {
    let report = pollster::block_on(self_test(&mut CpuExecutor::new())).unwrap();
    assert!(report.checks.iter().all(|check| check.error == 0.0), "{report}");
}

/// The CPU, but one kind of operation comes out wrong.
struct Wrong {
    inner: CpuExecutor,
    op: &'static str,
    spoil: fn(f32) -> f32,
    spoilt: bool,
}

impl Executor for Wrong {
    fn describe(&self) -> String {
        "a broken device".to_owned()
    }
    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        self.inner.buffer(words, purpose)
    }
    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        self.inner.write(buffer, offset, data)
    }
    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.inner.weight(spec)
    }
    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError> {
        self.inner.write_weight(weight, first_row, bytes)
    }
    fn warm_up<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.inner.warm_up(ops)
    }
    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.spoilt = ops.iter().any(|op| op.name() == self.op);
        self.inner.run(ops)
    }
    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        Box::pin(async move {
            let mut words = self.inner.read(buffer, words).await?;
            if let (true, Some(last)) = (self.spoilt, words.last_mut()) {
                *last = (self.spoil)(f32::from_bits(*last)).to_bits();
            }
            Ok(words)
        })
    }
    fn stats(&self) -> Stats {
        self.inner.stats()
    }
    fn reset_peak(&mut self) {
        self.inner.reset_peak();
    }
}

fn refusal(op: &'static str, spoil: fn(f32) -> f32) -> SelfTestError {
    let mut wrong = Wrong { inner: CpuExecutor::new(), op, spoil, spoilt: false };
    pollster::block_on(compare(&mut wrong, &mut CpuExecutor::new())).unwrap_err()
}

#[test]
fn each_kernel_that_deviates_is_named() {
    for (op, named) in [
        ("matmul", "a product of many rows with Q4_1 weights"),
        ("rms_norm", "rms_norm"),
        ("layer_norm", "layer_norm"),
        ("gelu", "gelu"),
        ("attention", "attention with log-additive factors"),
        ("log_sum_exp", "log_sum_exp"),
        ("top_k", "top_k"),
    ] {
        let spoil: fn(f32) -> f32 =
            if op == "top_k" { |token| f32::from_bits(token.to_bits() + 1) } else { |value| 2.0 * value + 0.1 };
        let SelfTestError::Wrong { kernel, error, bound, .. } = refusal(op, spoil) else { panic!("{op} did not run") };
        assert_eq!(kernel, named);
        assert!(error > bound);
    }
}

#[test]
fn what_is_not_a_number_is_refused() {
    let error = refusal("matmul", |_| f32::NAN);
    assert!(matches!(error, SelfTestError::Wrong { error, .. } if error.is_infinite()));
}

#[test]
fn a_refusal_says_what_deviates_by_how_much_and_what_to_do() {
    let text = refusal("rms_norm", |value| value + 1.0).to_string();
    assert!(text.starts_with("a broken device computes wrong numbers: rms_norm deviates by "), "{text}");
    assert!(text.contains("2e-5") && text.ends_with("use the CPU"), "{text}");
}
