//! What the tests that need an adapter share: opening one, numbers to compute with, and comparing two executors.

use gpu::{Adapters, Choice, GpuExecutor, Options, Wish, select};
use kernels::{Buffer, Executor, Op, WeightSpec};
use tensor::Format;

/// An executor on this machine's adapter, a software adapter if there is no other.
///
/// `None`, with a line that says so, where there is no adapter; a panic where `ATMAN_REQUIRE_GPU=1` says that there must be.
pub(crate) fn open(options: &Options) -> Option<GpuExecutor> {
    open_from(&pollster::block_on(Adapters::find()), options)
}

/// The same from among these adapters.
pub(crate) fn open_from(adapters: &Adapters, options: &Options) -> Option<GpuExecutor> {
    let index = match select(Wish::Gpu, &adapters.facts()) {
        Ok(selection) => match selection.choice {
            Choice::Gpu(index) => index,
            Choice::Cpu => panic!("asking for a GPU gave the CPU"),
        },
        Err(error) => {
            let required = std::env::var_os("ATMAN_REQUIRE_GPU").is_some_and(|value| value == "1");
            assert!(!required, "ATMAN_REQUIRE_GPU=1, but {error}");
            eprintln!("skipped: {error}");
            return None;
        }
    };
    Some(pollster::block_on(adapters.open(index, options)).expect("the adapter opens"))
}

/// Numbers in -1 .. 1 that look random and are the same in every run.
pub(crate) fn noise(n: usize, seed: u32) -> Vec<f32> {
    (0..n as u32).map(|i| (hash(i ^ hash(seed)) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// A number that looks random (the finaliser of MurmurHash3).
pub(crate) fn hash(mut n: u32) -> u32 {
    n = (n ^ n >> 16).wrapping_mul(0x85eb_ca6b);
    n = (n ^ n >> 13).wrapping_mul(0xc2b2_ae35);
    n ^ n >> 16
}

/// Stored bytes that decode to values of about 1 at most, in any format.
pub(crate) fn stored(format: Format, elements: usize, seed: u32) -> Vec<u8> {
    let bytes = format.bytes_of(elements).expect("a whole number of blocks");
    if format == Format::F32 {
        return bytemuck::cast_slice(&noise(elements, seed)).to_vec();
    }
    let mut stored: Vec<u8> = (0..bytes as u32).map(|i| hash(i ^ hash(seed)) as u8).collect();
    // Where each block has halves (low byte, high byte), and the exponents that keep its values small.
    let (halves, sign_and_exponent): (&[usize], u8) = match format {
        Format::F32 => (&[], 0),
        Format::F16 | Format::Bf16 => (&[0], if format == Format::F16 { 0x38 } else { 0x3f }),
        Format::Q8_0 => (&[0], 0x20),
        Format::Q4_0 | Format::Q5_0 => (&[0], 0x2c),
        Format::Q4_1 | Format::Q5_1 => (&[0, 2], 0x2c),
        Format::Q4K | Format::Q5K => (&[0, 2], 0x14),
        Format::Q6K => (&[208], 0x0c),
    };
    for block in stored.chunks_exact_mut(format.block_bytes()) {
        for at in halves {
            let high = &mut block[at + 1];
            *high = match format {
                // Both signs, for there is nothing else that has one.
                Format::F16 | Format::Bf16 => *high & 0x83 | sign_and_exponent,
                _ => *high & 0x03 | sign_and_exponent,
            };
        }
        if format == Format::Bf16 {
            block[1] = block[1] & 0x80 | 0x3f;
            block[0] &= 0x7f;
        }
    }
    stored
}

/// A buffer that holds these values.
pub(crate) fn upload(executor: &mut dyn Executor, values: &[f32]) -> Buffer {
    upload_words(executor, bytemuck::cast_slice(values))
}

/// A buffer that holds these words.
pub(crate) fn upload_words(executor: &mut dyn Executor, words: &[u32]) -> Buffer {
    let buffer = executor.buffer(words.len(), "a test").expect("a buffer");
    executor.write(&buffer, 0, words).expect("the buffer is written");
    buffer
}

/// A weight filled with [`stored`] bytes, in two pieces.
pub(crate) fn weight(executor: &mut dyn Executor, format: Format, rows: usize, cols: usize) -> kernels::Weight {
    let spec = WeightSpec { name: format!("a test's {format}"), rows, cols, format };
    let row_bytes = spec.row_bytes().expect("whole blocks");
    let bytes = stored(format, rows * cols, 77);
    let weight = executor.weight(spec).expect("a weight");
    let first = rows / 3;
    executor.write_weight(&weight, first, &bytes[first * row_bytes..]).expect("the rest is written");
    if first > 0 {
        executor.write_weight(&weight, 0, &bytes[..first * row_bytes]).expect("the beginning is written");
    }
    weight
}

/// Runs the operations and reads a buffer.
pub(crate) fn run(executor: &mut dyn Executor, ops: &[Op], out: &Buffer) -> Vec<f32> {
    pollster::block_on(executor.run(ops)).expect("the operations run");
    read(executor, out)
}

/// A whole buffer.
pub(crate) fn read(executor: &mut dyn Executor, out: &Buffer) -> Vec<f32> {
    let words = pollster::block_on(executor.read(out, out.words())).expect("the buffer is read");
    words.into_iter().map(f32::from_bits).collect()
}

/// The largest difference over the largest expected magnitude; infinite if anything is not finite.
pub(crate) fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    if found.iter().chain(expected).any(|value| !value.is_finite()) {
        return f32::INFINITY;
    }
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let difference = found.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    if difference == 0.0 { 0.0 } else { difference / largest }
}
