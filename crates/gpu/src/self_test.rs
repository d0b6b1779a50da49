//! Whether a device computes what the CPU computes, on a few kernels, before anything it says is believed.
//!
//! Drivers and browsers do miscompile shaders; wrong numbers look like numbers. It takes a few milliseconds on hardware.

use kernels::cpu::CpuExecutor;
use kernels::{AttentionShape, Buffer, ExecError, Executor, NO_FACTORS, Op, Operator, RowEntry, WeightSpec};
use std::fmt;
use tensor::Format;

/// A kernel's deviation from its twin, as a part of the largest value.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was computed.
    pub kernel: &'static str,
    /// The largest deviation over the largest magnitude; infinite if something was not finite.
    pub error: f32,
    /// The most that is accepted.
    pub bound: f32,
}

/// What a device was tried on, all of it within bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfTestReport {
    /// One entry for each kernel.
    pub checks: Vec<Check>,
}

impl fmt::Display for SelfTestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, check) in self.checks.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{}: {:.1e} of at most {:.0e}", check.kernel, check.error, check.bound)?;
        }
        Ok(())
    }
}

/// Why a device is refused.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// It computes something else.
    #[error(
        "{device} computes wrong numbers: {kernel} deviates by {error:.1e} of its largest value from the CPU, where {bound:.0e} is the most that rounding explains. It would give wrong results; use the CPU"
    )]
    Wrong {
        /// The device.
        device: String,
        /// What was computed.
        kernel: &'static str,
        /// The largest deviation over the largest magnitude.
        error: f32,
        /// The most that is accepted.
        bound: f32,
    },
    /// It could not compute at all.
    #[error("{kernel} failed in the self-test")]
    Failed {
        /// What was to be computed.
        kernel: &'static str,
        /// Why it was not.
        #[source]
        source: ExecError,
    },
}

/// Compares a device with the CPU executor.
pub async fn self_test(device: &mut dyn Executor) -> Result<SelfTestReport, SelfTestError> {
    compare(device, &mut CpuExecutor::new()).await
}

/// Compares two executors; the second is believed.
pub async fn compare(device: &mut dyn Executor, twin: &mut dyn Executor) -> Result<SelfTestReport, SelfTestError> {
    let mut report = SelfTestReport::default();
    for trial in Trial::ALL {
        let kernel = trial.name();
        let failed = |source| SelfTestError::Failed { kernel, source };
        let expected = trial.run(twin).await.map_err(failed)?;
        let found = trial.run(device).await.map_err(failed)?;
        let (error, bound) = (deviation(&found, &expected), trial.bound());
        if error > bound {
            return Err(SelfTestError::Wrong { device: device.describe(), kernel, error, bound });
        }
        report.checks.push(Check { kernel, error, bound });
    }
    Ok(report)
}

/// The largest difference over the largest expected magnitude.
fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    if found.len() != expected.len() || found.iter().chain(expected).any(|value| !value.is_finite()) {
        return f32::INFINITY;
    }
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let difference = found.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    difference / largest.max(f32::MIN_POSITIVE)
}

/// What is computed.
#[derive(Clone, Copy, Debug)]
enum Trial {
    ManyRows,
    OneRow,
    RmsNorm,
    LayerNorm,
    Gelu,
    Attention(Operator),
    LogSumExp,
    TopK,
}

impl Trial {
    const ALL: [Trial; 11] = [
        Trial::ManyRows,
        Trial::OneRow,
        Trial::RmsNorm,
        Trial::LayerNorm,
        Trial::Gelu,
        Trial::Attention(Operator::LogAdditive),
        Trial::Attention(Operator::Multiplicative),
        Trial::Attention(Operator::Shifted),
        Trial::Attention(Operator::ShiftedFull),
        Trial::LogSumExp,
        Trial::TopK,
    ];

    const fn name(self) -> &'static str {
        match self {
            Trial::ManyRows => "a product of many rows with Q4_1 weights",
            Trial::OneRow => "a product of one row with Q8_0 weights",
            Trial::RmsNorm => "rms_norm",
            Trial::LayerNorm => "layer_norm",
            Trial::Gelu => "gelu",
            Trial::Attention(Operator::LogAdditive) => "attention with log-additive factors",
            Trial::Attention(Operator::Multiplicative) => "attention with multiplicative factors",
            Trial::Attention(Operator::Shifted) => "attention with shifted factors",
            Trial::Attention(Operator::ShiftedFull) => "attention with shifted-full factors",
            Trial::LogSumExp => "log_sum_exp",
            Trial::TopK => "top_k",
        }
    }

    /// What rounding and the accuracy that WGSL asks of `exp` explain, with room for hardware's own ways of summing.
    const fn bound(self) -> f32 {
        match self {
            Trial::ManyRows | Trial::OneRow | Trial::RmsNorm | Trial::LayerNorm | Trial::Gelu | Trial::LogSumExp => 2e-5,
            Trial::Attention(_) => 5e-5,
            // Values and tokens as they are, none of them computed.
            Trial::TopK => 0.0,
        }
    }

    async fn run(self, executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
        match self {
            Trial::ManyRows => product(executor, Format::Q4_1, 37).await,
            Trial::OneRow => product(executor, Format::Q8_0, 1).await,
            Trial::RmsNorm => rms_norm(executor).await,
            Trial::LayerNorm => layer_norm(executor).await,
            Trial::Gelu => gelu(executor).await,
            Trial::Attention(operator) => attention(executor, operator).await,
            Trial::LogSumExp => log_sum_exp(executor).await,
            Trial::TopK => top_k(executor).await,
        }
    }
}

/// Numbers in -1 .. 1 that look random and are the same everywhere.
fn noise(n: usize, seed: u32) -> Vec<f32> {
    (0..n as u32).map(|i| (hash(i ^ seed << 20) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// A number that looks random (the finaliser of MurmurHash3).
fn hash(mut n: u32) -> u32 {
    n = (n ^ n >> 16).wrapping_mul(0x85eb_ca6b);
    n = (n ^ n >> 13).wrapping_mul(0xc2b2_ae35);
    n ^ n >> 16
}

fn upload(executor: &mut dyn Executor, values: &[f32]) -> Result<Buffer, ExecError> {
    upload_words(executor, bytemuck::cast_slice(values))
}

fn upload_words(executor: &mut dyn Executor, words: &[u32]) -> Result<Buffer, ExecError> {
    let buffer = executor.buffer(words.len(), "the self-test")?;
    executor.write(&buffer, 0, words)?;
    Ok(buffer)
}

async fn result(executor: &mut dyn Executor, ops: &[Op], out: &Buffer) -> Result<Vec<f32>, ExecError> {
    executor.run(ops).await?;
    Ok(executor.read(out, out.words()).await?.into_iter().map(f32::from_bits).collect())
}

async fn product(executor: &mut dyn Executor, format: Format, rows: usize) -> Result<Vec<f32>, ExecError> {
    let (n, cols) = (131, 96);
    let spec = WeightSpec { name: "the self-test's".to_owned(), rows: n, cols, format };
    let mut bytes: Vec<u8> = (0..spec.stored_bytes().unwrap_or(0) as u32).map(|i| hash(i) as u8).collect();
    for block in bytes.chunks_exact_mut(format.block_bytes()) {
        // Halves between 1/16 and 1/8 where the format has its scale, or its scale and minimum.
        let halves = if format == Format::Q4_1 { 2 } else { 1 };
        for half in block.chunks_exact_mut(2).take(halves) {
            if let [_, high] = half {
                *high = 0x2c | *high & 3;
            }
        }
    }
    let weight = executor.weight(spec)?;
    executor.write_weight(&weight, 0, &bytes)?;
    let x = upload(executor, &noise(rows * cols, 1))?;
    let out = executor.buffer(rows * n, "the self-test")?;
    let op = Op::MatMul { x, weight, outputs: 0..n, out: out.clone(), rows, accumulate: false };
    result(executor, &[op], &out).await
}

async fn rms_norm(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols) = (3, 577);
    let (x, gain) = (upload(executor, &noise(rows * cols, 2))?, upload(executor, &noise(cols, 3))?);
    let out = executor.buffer(rows * cols, "the self-test")?;
    let op = Op::RmsNorm { x, gain, out: out.clone(), rows, cols, eps: 1e-5 };
    result(executor, &[op], &out).await
}

async fn layer_norm(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols) = (3, 193);
    let (gain, bias) = (upload(executor, &noise(cols, 13))?, upload(executor, &noise(cols, 14))?);
    let x = upload(executor, &noise(rows * cols, 12))?;
    let out = executor.buffer(rows * cols, "the self-test")?;
    let op = Op::LayerNorm { x, gain, bias, out: out.clone(), rows, cols, eps: 1e-6 };
    result(executor, &[op], &out).await
}

async fn gelu(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    // From where it is nearly 0 over its curve to where it is nearly x, and far out where a naive tanh is no number.
    let mut values: Vec<f32> = noise(501, 15).into_iter().map(|value| 6.0 * value).collect();
    values.extend([-1e4, -50.0, 50.0]);
    let x = upload(executor, &values)?;
    result(executor, &[Op::Gelu { x: x.clone(), words: values.len() }], &x).await
}

async fn attention(executor: &mut dyn Executor, operator: Operator) -> Result<Vec<f32>, ExecError> {
    // Two sequences: one from a cache of 5 positions on with factors, one of its own without.
    let shape = AttentionShape { n_heads: 6, n_kv_heads: 2, head_dim: 64 };
    let (cached, lengths) = (if operator == Operator::ShiftedFull { 0 } else { 5u32 }, [7u32, 4]);
    let batch_rows = lengths.iter().sum::<u32>() as usize;
    let kv = shape.n_kv_heads * shape.head_dim;
    let mut table = Vec::new();
    for (sequence, length) in lengths.into_iter().enumerate() {
        let (cached, first_row) = if sequence == 0 { (cached, 0) } else { (0, lengths[0]) };
        let factors = if sequence == 0 { 0 } else { NO_FACTORS };
        table.extend((0..length).map(|i| RowEntry {
            cached,
            first_row,
            position: cached + i,
            n_positions: cached + length,
            factors,
            operator: operator.code(),
            layer_begin: 0,
            layer_end: 1,
        }));
    }
    let mut factors = vec![1.0; (cached + lengths[0]) as usize];
    for (i, factor) in factors.iter_mut().enumerate() {
        *factor = [1.0, 0.1, 0.5, 2.0][i % 4];
    }
    let pairs = table.iter().map(|entry| u64::from(entry.position) + 1).sum();
    let out = executor.buffer(batch_rows * shape.n_heads * shape.head_dim, "the self-test")?;
    let op = Op::Attention {
        q: upload(executor, &noise(batch_rows * shape.n_heads * shape.head_dim, 4))?,
        k: upload(executor, &noise(batch_rows * kv, 5))?,
        v: upload(executor, &noise(batch_rows * kv, 6))?,
        cache_k: upload(executor, &noise(5 * kv, 7))?,
        cache_v: upload(executor, &noise(5 * kv, 8))?,
        table: upload_words(executor, bytemuck::cast_slice(&table))?,
        factors: upload(executor, &factors)?,
        out: out.clone(),
        n_rows: batch_rows,
        batch_rows,
        layer: 0,
        shape,
        pairs,
    };
    result(executor, &[op], &out).await
}

async fn log_sum_exp(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols) = (2, 1001);
    let pieces = [upload(executor, &noise(rows * cols, 9))?, upload(executor, &noise(rows * cols, 10))?];
    let state = executor.buffer(2 * rows, "the self-test")?;
    let ops: Vec<Op> = pieces
        .into_iter()
        .enumerate()
        .map(|(i, logits)| Op::LogSumExp { logits, state: state.clone(), rows, cols, first: i == 0 })
        .collect();
    let pairs = result(executor, &ops, &state).await?;
    Ok(pairs.chunks_exact(2).map(|pair| pair[0] + pair[1].ln()).collect())
}

async fn top_k(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols, k) = (2, 1001, 7);
    let logits = upload(executor, &noise(rows * cols, 11))?;
    let out = executor.buffer(2 * rows * k, "the self-test")?;
    let op = Op::TopK { logits, out: out.clone(), out_word: 0, rows, cols, first_col: 100, k };
    let pairs = result(executor, &[op], &out).await?;
    Ok(pairs.chunks_exact(2).flat_map(|pair| [pair[0], pair[1].to_bits() as f32]).collect())
}
