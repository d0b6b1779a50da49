//! Whether a device computes what the CPU computes, in every program that a model uses, before anything it says is believed.
//!
//! Drivers and browsers do miscompile shaders; wrong numbers look like numbers. On hardware it takes little more than making the
//! pipelines, which the model needs anyway.

use crate::program::has_halves;
use crate::{GpuExecutor, Halves};
use kernels::cpu::CpuExecutor;
use kernels::{AttentionShape, Buffer, ExecError, Executor, NO_FACTORS, Op, Operator, RowEntry, Uses, Weight, WeightSpec};
use std::fmt;
use tensor::Format;

/// A kernel's deviation from its twin, as a part of the largest value.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was computed.
    pub kernel: String,
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
        kernel: String,
        /// The largest deviation over the largest magnitude.
        error: f32,
        /// The most that is accepted.
        bound: f32,
    },
    /// It could not compute at all.
    #[error("{kernel} failed in the self-test")]
    Failed {
        /// What was to be computed.
        kernel: String,
        /// Why it was not.
        #[source]
        source: ExecError,
    },
}

/// Compares a device with the CPU executor, in all that a model uses. A device that takes halves below the smallest normal one
/// for zero reads them by integers from here on.
pub async fn self_test(device: &mut GpuExecutor, uses: &Uses) -> Result<SelfTestReport, SelfTestError> {
    let mut twin = CpuExecutor::new();
    if device.halves() == Halves::Native && flushes_halves(device, &mut twin, uses).await? {
        device.set_halves(Halves::Exact);
    }
    compare(device, &mut twin, uses).await
}

/// Whether the device takes scales below the smallest normal half for zero, in any format that the model has.
pub async fn flushes_halves(device: &mut dyn Executor, twin: &mut dyn Executor, uses: &Uses) -> Result<bool, SelfTestError> {
    for trial in Trial::of(uses).into_iter().filter(|trial| matches!(trial, Trial::SmallHalves(_))) {
        let check = trial.check(device, twin).await?;
        if check.error > check.bound {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Compares two executors in all that a model uses; the second is believed.
pub async fn compare(device: &mut dyn Executor, twin: &mut dyn Executor, uses: &Uses) -> Result<SelfTestReport, SelfTestError> {
    let mut report = SelfTestReport::default();
    for trial in Trial::of(uses) {
        let check = trial.check(device, twin).await?;
        if check.error > check.bound {
            let Check { kernel, error, bound } = check;
            return Err(SelfTestError::Wrong { device: device.describe(), kernel, error, bound });
        }
        report.checks.push(check);
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
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trial {
    /// Rows of a table of that format; whether they are of a multiple of 4 columns.
    Embed(Format, bool),
    /// The same with scales below the smallest normal half.
    SmallHalves(Format),
    /// A product of so many rows.
    Product(Format, bool, usize),
    RmsNorm,
    LayerNorm,
    Rope,
    SwiGlu,
    Gelu,
    Add,
    Copy,
    Gather,
    /// With keys from a cache, or all of the batch's own.
    Attention {
        operator: Operator,
        shape: AttentionShape,
        is_cached: bool,
    },
    LogSumExp,
    Pick,
    TopK,
}

/// Rows of products: one, few and many are different kernels.
const ROWS: [usize; 3] = [1, 3, 37];

impl Trial {
    fn of(uses: &Uses) -> Vec<Trial> {
        let mut all = Vec::new();
        for (format, is_aligned) in uses.weights.iter().copied() {
            all.push(Trial::Embed(format, is_aligned));
            if has_halves(format) {
                all.push(Trial::SmallHalves(format));
            }
            all.extend(ROWS.map(|rows| Trial::Product(format, is_aligned, rows)));
        }
        for AttentionShape { n_heads, n_kv_heads, head_dim } in uses.attention.iter().copied() {
            // Two are enough of those that do the same.
            let few = n_kv_heads.min(2);
            let shape = AttentionShape { n_heads: few * (n_heads / n_kv_heads.max(1)), n_kv_heads: few, head_dim };
            all.extend(Operator::ALL.map(|operator| Trial::Attention { operator, shape, is_cached: true }));
            all.push(Trial::Attention { operator: Operator::LogAdditive, shape, is_cached: false });
        }
        all.extend([Trial::RmsNorm, Trial::LayerNorm, Trial::Rope, Trial::SwiGlu, Trial::Gelu, Trial::Add]);
        all.extend([Trial::Copy, Trial::Gather, Trial::LogSumExp, Trial::Pick, Trial::TopK]);
        all
    }

    fn name(self) -> String {
        let columns = |is_aligned: bool| if is_aligned { "" } else { " of odd columns" };
        match self {
            Trial::Embed(format, is_aligned) => format!("embed with {format} weights{}", columns(is_aligned)),
            Trial::SmallHalves(format) => format!("embed with {format} weights below the smallest normal half"),
            Trial::Product(format, is_aligned, rows) => {
                let plural = if rows == 1 { "" } else { "s" };
                format!("a product of {rows} row{plural} with {format} weights{}", columns(is_aligned))
            }
            Trial::RmsNorm => "rms_norm".to_owned(),
            Trial::LayerNorm => "layer_norm".to_owned(),
            Trial::Rope => "rope".to_owned(),
            Trial::SwiGlu => "swiglu".to_owned(),
            Trial::Gelu => "gelu".to_owned(),
            Trial::Add => "add".to_owned(),
            Trial::Copy => "copy".to_owned(),
            Trial::Gather => "gather".to_owned(),
            Trial::Attention { operator, shape, is_cached } => {
                let AttentionShape { n_heads, n_kv_heads, head_dim } = shape;
                let cache = if is_cached { "" } else { " without a cache" };
                format!("attention with {operator} factors, {} heads of {head_dim} to a key{cache}", n_heads / n_kv_heads.max(1))
            }
            Trial::LogSumExp => "log_sum_exp".to_owned(),
            Trial::Pick => "pick".to_owned(),
            Trial::TopK => "top_k".to_owned(),
        }
    }

    /// What rounding and the accuracy that WGSL asks of `exp` explain, with room for hardware's own ways of summing.
    const fn bound(self) -> f32 {
        match self {
            // One rounding more or less, where a multiply-add is fused or not.
            Trial::Embed(..) | Trial::SmallHalves(_) | Trial::Rope | Trial::Add => 2e-6,
            Trial::Product(..) | Trial::RmsNorm | Trial::LayerNorm | Trial::SwiGlu | Trial::Gelu | Trial::LogSumExp => 2e-5,
            Trial::Attention { .. } => 5e-5,
            // Values and tokens as they are, none of them computed.
            Trial::Copy | Trial::Gather | Trial::Pick | Trial::TopK => 0.0,
        }
    }

    async fn check(self, device: &mut dyn Executor, twin: &mut dyn Executor) -> Result<Check, SelfTestError> {
        let failed = |source| SelfTestError::Failed { kernel: self.name(), source };
        let expected = self.run(twin).await.map_err(failed)?;
        let found = self.run(device).await.map_err(failed)?;
        Ok(Check { kernel: self.name(), error: deviation(&found, &expected), bound: self.bound() })
    }

    async fn run(self, executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
        match self {
            Trial::Embed(format, is_aligned) => embed(executor, format, cols(format, is_aligned), Scales::Usual).await,
            Trial::SmallHalves(format) => embed(executor, format, cols(format, true), Scales::Small).await,
            Trial::Product(format, is_aligned, rows) => product(executor, format, cols(format, is_aligned), rows).await,
            Trial::RmsNorm => rms_norm(executor).await,
            Trial::LayerNorm => layer_norm(executor).await,
            Trial::Rope => rope(executor).await,
            Trial::SwiGlu => swiglu(executor).await,
            Trial::Gelu => gelu(executor).await,
            Trial::Add => add(executor).await,
            Trial::Copy => copy(executor).await,
            Trial::Gather => gather(executor).await,
            Trial::Attention { operator, shape, is_cached } => attention(executor, operator, shape, is_cached).await,
            Trial::LogSumExp => log_sum_exp(executor).await,
            Trial::Pick => pick(executor).await,
            Trial::TopK => top_k(executor).await,
        }
    }
}

/// Columns of a weight: whole blocks, or an odd number where a format has no blocks.
fn cols(format: Format, is_aligned: bool) -> usize {
    match format.block_len() {
        1 if !is_aligned => 71,
        1 => 96,
        len => (3 * len).min(512),
    }
}

/// How large the halves of a weight are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scales {
    /// So that the weights are about 1.
    Usual,
    /// Below the smallest normal half.
    Small,
}

/// Stored bytes of a weight that look random: where each block has halves, these are as `scales` says.
fn stored(format: Format, elements: usize, scales: Scales) -> Vec<u8> {
    if format == Format::F32 {
        return bytemuck::cast_slice(&noise(elements, 21)).to_vec();
    }
    let n_bytes = format.bytes_of(elements).unwrap_or(0);
    let mut bytes: Vec<u8> = (0..n_bytes as u32).map(|i| hash(i ^ 22 << 20) as u8).collect();
    // Where the halves of a block begin, and the sign and exponent that make its values about 1, without the exponent's last bit.
    let (halves, high): (&[usize], u8) = match format {
        Format::F32 => (&[], 0),
        Format::F16 => (&[0], 0x38),
        Format::Bf16 => (&[0], 0x3f),
        Format::Q8_0 => (&[0], 0x20),
        Format::Q4_0 | Format::Q5_0 => (&[0], 0x2c),
        Format::Q4_1 | Format::Q5_1 => (&[0, 2], 0x2c),
        Format::Q4K | Format::Q5K => (&[0, 2], 0x14),
        Format::Q6K => (&[208], 0x0c),
    };
    let high = if scales == Scales::Small { 0 } else { high };
    for block in bytes.chunks_exact_mut(format.block_bytes()) {
        for at in halves {
            if let Some(byte) = block.get_mut(at + 1) {
                // Of either sign, and at least a quarter of the greatest small half.
                *byte = if scales == Scales::Small { *byte & 0x81 | 0x02 } else { *byte & 0x83 | high };
            }
        }
        if format == Format::Bf16
            && let [low, high] = block
        {
            (*low, *high) = (*low & 0x7f, *high & 0x80 | 0x3f);
        }
    }
    bytes
}

fn weight(executor: &mut dyn Executor, format: Format, rows: usize, cols: usize, scales: Scales) -> Result<Weight, ExecError> {
    let spec = WeightSpec { name: "the self-test's".to_owned(), rows, cols, format };
    let bytes = stored(format, rows * cols, scales);
    let weight = executor.weight(spec)?;
    executor.write_weight(&weight, 0, &bytes)?;
    Ok(weight)
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

async fn embed(executor: &mut dyn Executor, format: Format, cols: usize, scales: Scales) -> Result<Vec<f32>, ExecError> {
    let table = weight(executor, format, 19, cols, scales)?;
    let ids = [0, 18, 7, 7];
    let (ids, out) = (upload_words(executor, &ids)?, executor.buffer(ids.len() * cols, "the self-test")?);
    result(executor, &[Op::Embed { table, ids, out: out.clone(), rows: 4 }], &out).await
}

async fn product(executor: &mut dyn Executor, format: Format, cols: usize, rows: usize) -> Result<Vec<f32>, ExecError> {
    let n = 131;
    let weight = weight(executor, format, n, cols, Scales::Usual)?;
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

async fn rope(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, heads, head_dim) = (3, 5, 26);
    let angles: Vec<f32> = (0..rows)
        .flat_map(|row| {
            let of = move |turn: fn(f32) -> f32| (0..head_dim / 2).map(move |i| turn((row * 7 + i) as f32));
            of(f32::cos).chain(of(f32::sin)).collect::<Vec<_>>()
        })
        .collect();
    let (x, angles) = (upload(executor, &noise(rows * heads * head_dim, 16))?, upload(executor, &angles)?);
    result(executor, &[Op::Rope { x: x.clone(), angles, rows, heads, head_dim }], &x).await
}

async fn swiglu(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    // Also far out, where a naive exponential is no number.
    let mut values: Vec<f32> = noise(501, 17).into_iter().map(|value| 8.0 * value).collect();
    values.extend([-1e3, -100.0, 100.0]);
    let (gate, up) = (upload(executor, &values)?, upload(executor, &noise(values.len(), 18))?);
    result(executor, &[Op::SwiGlu { gate: gate.clone(), up, words: values.len() }], &gate).await
}

async fn add(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (words, period) = (331, 37);
    let (x, addend) = (upload(executor, &noise(words, 19))?, upload(executor, &noise(period, 20))?);
    result(executor, &[Op::Add { x: x.clone(), addend, words, period }], &x).await
}

async fn copy(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (from, to) = (upload(executor, &noise(300, 23))?, upload(executor, &noise(300, 24))?);
    result(executor, &[Op::Copy { from, from_word: 3, to: to.clone(), to_word: 65, words: 201 }], &to).await
}

async fn gather(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (cols, index) = (35, [8, 0, 3, 3]);
    let (from, out) = (upload(executor, &noise(9 * cols, 25))?, executor.buffer(index.len() * cols, "the self-test")?);
    let rows = index.len();
    let index = upload_words(executor, &index)?;
    result(executor, &[Op::Gather { from, index, out: out.clone(), rows, cols }], &out).await
}

async fn attention(
    executor: &mut dyn Executor,
    operator: Operator,
    shape: AttentionShape,
    is_cached: bool,
) -> Result<Vec<f32>, ExecError> {
    // Two sequences: one from a cache of 5 positions on with factors, one of its own without.
    let (cached, lengths) = (if operator == Operator::ShiftedFull || !is_cached { 0 } else { 5u32 }, [7u32, 4]);
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
        *factor = [1.0, 0.1, 0.5, 2.0, 0.0][i % 5];
    }
    let pairs = table.iter().map(|entry| u64::from(entry.position) + 1).sum();
    let out = executor.buffer(batch_rows * shape.n_heads * shape.head_dim, "the self-test")?;
    let (k, v) = (upload(executor, &noise(batch_rows * kv, 5))?, upload(executor, &noise(batch_rows * kv, 6))?);
    let (cache_k, cache_v) = if is_cached {
        (upload(executor, &noise(5 * kv, 7))?, upload(executor, &noise(5 * kv, 8))?)
    } else {
        (k.clone(), v.clone())
    };
    let op = Op::Attention {
        q: upload(executor, &noise(batch_rows * shape.n_heads * shape.head_dim, 4))?,
        k,
        v,
        cache_k,
        cache_v,
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

async fn pick(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols, first_col) = (3, 201, 100);
    // The first and the last column of the piece, one within, and one of another piece, which stays as it is.
    let wanted = [0, 100, 1, 300, 2, 217, 2, 99];
    let n = wanted.len() / 2;
    let (logits, out) = (upload(executor, &noise(rows * cols, 26))?, upload(executor, &noise(n, 27))?);
    let wanted = upload_words(executor, &wanted)?;
    result(executor, &[Op::Pick { logits, wanted, out: out.clone(), n, rows, cols, first_col }], &out).await
}

async fn top_k(executor: &mut dyn Executor) -> Result<Vec<f32>, ExecError> {
    let (rows, cols, k) = (2, 1001, 7);
    let logits = upload(executor, &noise(rows * cols, 11))?;
    let out = executor.buffer(2 * rows * k, "the self-test")?;
    let op = Op::TopK { logits, out: out.clone(), out_word: 0, rows, cols, first_col: 100, k };
    let pairs = result(executor, &[op], &out).await?;
    Ok(pairs.chunks_exact(2).flat_map(|pair| [pair[0], pair[1].to_bits() as f32]).collect())
}
