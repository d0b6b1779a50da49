//! The self-test: it passes on what computes right, and names the kernel that does not.

use crate::common::open;
use gpu::{Halves, Options, SelfTestError, Tier, compare, flushes_halves, self_test};
use kernels::cpu::CpuExecutor;
use kernels::{AttentionShape, Buffer, ExecError, Executor, LocalFuture, Op, Operator, Stats, Uses, Weight, WeightSpec};
use tensor::Format;

/// All formats, and heads of several kinds.
fn everything() -> Uses {
    let mut uses = Uses::none();
    for format in Format::ALL {
        uses.add_weight(format, format.block_len().max(4));
    }
    uses.add_weight(Format::F16, 71);
    for (n_heads, n_kv_heads, head_dim) in [(9, 3, 64), (12, 12, 64), (14, 2, 18), (32, 8, 128)] {
        uses.add_attention(AttentionShape { n_heads, n_kv_heads, head_dim });
    }
    uses
}

#[test]
fn this_machines_adapter_passes() {
    for tier in Tier::ALL {
        let Some(mut gpu) = open(&Options { tier: Some(tier), ..Options::default() }) else { return };
        let report = pollster::block_on(self_test(&mut gpu, &everything())).unwrap();
        assert!(report.checks.iter().all(|check| check.error <= check.bound), "{report}");
    }
}

/// Whatever a model runs was tried: the pipelines of the self-test are those of its passes.
#[test]
fn every_program_is_tried() {
    let report = pollster::block_on(compare(&mut CpuExecutor::new(), &mut CpuExecutor::new(), &everything())).unwrap();
    let names: Vec<&str> = report.checks.iter().map(|check| check.kernel.as_str()).collect();
    for format in Format::ALL {
        for kernel in ["embed", "a product of 1 row", "a product of 3 rows", "a product of 37 rows"] {
            let name = format!("{kernel} with {format} weights");
            assert!(names.contains(&name.as_str()), "{name} is not in {names:?}");
        }
    }
    for operator in Operator::ALL {
        assert!(names.iter().any(|name| name.starts_with(&format!("attention with {operator} factors"))), "{operator}");
    }
    for kernel in ["rms_norm", "layer_norm", "rope", "swiglu", "gelu", "add", "copy", "gather", "log_sum_exp", "pick", "top_k"] {
        assert!(names.contains(&kernel), "{kernel} is not in {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with("without a cache")), "as a vision tower attends");
}

#[test]
fn the_cpu_agrees_with_itself() {
    let report = pollster::block_on(compare(&mut CpuExecutor::new(), &mut CpuExecutor::new(), &everything())).unwrap();
    assert!(report.checks.iter().all(|check| check.error == 0.0), "{report}");
}

/// A device that takes the smallest halves for zero is found out, and with halves read by integers passes.
#[test]
fn a_device_that_flushes_halves_is_told_to_read_them_by_integers() {
    let mut flushing = Flushing(CpuExecutor::new());
    let uses = everything();
    assert!(pollster::block_on(flushes_halves(&mut flushing, &mut CpuExecutor::new(), &uses)).unwrap());
    let error = pollster::block_on(compare(&mut flushing, &mut CpuExecutor::new(), &uses)).unwrap_err().to_string();
    assert!(error.contains("weights below the smallest normal half deviates"), "{error}");
    assert!(!pollster::block_on(flushes_halves(&mut CpuExecutor::new(), &mut CpuExecutor::new(), &uses)).unwrap());
    for halves in [Halves::Native, Halves::Exact] {
        let Some(mut gpu) = open(&Options { halves, ..Options::default() }) else { return };
        let flushes = pollster::block_on(flushes_halves(&mut gpu, &mut CpuExecutor::new(), &uses)).unwrap();
        println!("{}: {halves:?} halves, flushes the smallest: {flushes}", gpu.describe());
        assert!(!flushes || halves == Halves::Native);
        pollster::block_on(self_test(&mut gpu, &uses)).unwrap();
        assert_eq!(gpu.halves(), if flushes { Halves::Exact } else { halves });
    }
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

/// The CPU, but halves below the smallest normal one are zero.
struct Flushing(CpuExecutor);

impl Executor for Flushing {
    fn describe(&self) -> String {
        "a flushing device".to_owned()
    }
    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        self.0.buffer(words, purpose)
    }
    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        self.0.write(buffer, offset, data)
    }
    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.0.weight(spec)
    }
    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError> {
        let mut flushed = bytes.to_vec();
        if weight.format() == Format::Q8_0 {
            for block in flushed.chunks_exact_mut(Format::Q8_0.block_bytes()) {
                if block[1] & 0x7c == 0 {
                    block[..2].fill(0);
                }
            }
        }
        self.0.write_weight(weight, first_row, &flushed)
    }
    fn warm_up<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.0.warm_up(ops)
    }
    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.0.run(ops)
    }
    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        self.0.read(buffer, words)
    }
    fn stats(&self) -> Stats {
        self.0.stats()
    }
    fn reset_peak(&mut self) {
        self.0.reset_peak();
    }
}

fn refusal(op: &'static str, spoil: fn(f32) -> f32) -> SelfTestError {
    let mut wrong = Wrong { inner: CpuExecutor::new(), op, spoil, spoilt: false };
    pollster::block_on(compare(&mut wrong, &mut CpuExecutor::new(), &Uses::default())).unwrap_err()
}

#[test]
fn each_kernel_that_deviates_is_named() {
    for (op, named) in [
        ("embed", "embed with F32 weights"),
        ("matmul", "a product of 1 row with F32 weights"),
        ("rms_norm", "rms_norm"),
        ("layer_norm", "layer_norm"),
        ("rope", "rope"),
        ("swiglu", "swiglu"),
        ("gelu", "gelu"),
        ("add", "add"),
        ("copy", "copy"),
        ("gather", "gather"),
        ("attention", "attention with log-additive factors, 3 heads of 64 to a key"),
        ("log_sum_exp", "log_sum_exp"),
        ("pick", "pick"),
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
