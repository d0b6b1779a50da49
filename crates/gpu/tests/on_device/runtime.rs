//! What the executor does besides arithmetic: memory, limits, counting, and failing with errors that say why.

use crate::common::{noise, open, open_from, read, run, stored, upload, weight};
use gpu::{Adapters, GpuError, Limits, Options};
use kernels::{Buffer, Cost, ExecError, Executor, Op, ShapeError, WeightSpec};
use tensor::Format;

fn copy(from: &Buffer, to: &Buffer, words: usize) -> Op {
    Op::Copy { from: from.clone(), from_word: 0, to: to.clone(), to_word: 0, words }
}

#[test]
fn a_dropped_buffer_serves_the_next_request_of_its_size() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let first = gpu.buffer(100_000, "a test").unwrap();
    let held = gpu.stats().buffer_bytes;
    drop(first);
    let second = gpu.buffer(99_000, "a test").unwrap();
    assert_eq!(gpu.stats().buffer_bytes, held);
    // While the second lives, a third needs memory of its own.
    let third = gpu.buffer(100_000, "a test").unwrap();
    assert!(gpu.stats().buffer_bytes >= held + 400_000);
    assert!(!second.is(&third));
}

#[test]
fn bytes_never_exceed_what_lives_and_the_request() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let before = gpu.stats().buffer_bytes;
    gpu.reset_peak();
    // One at a time, each too large for the one before it.
    for words in [100_000, 200_000, 400_000, 800_000] {
        drop(gpu.buffer(words, "a test").unwrap());
    }
    // And one that is so much smaller that taking the freed one would waste most of it.
    let small = gpu.buffer(200_000, "a test").unwrap();
    let grain = 256;
    let stats = gpu.stats();
    assert!(stats.peak_bytes <= before + 4 * 800_000 + grain, "{stats:?}");
    assert!(stats.buffer_bytes <= before + 4 * 200_000 + grain, "{stats:?}");
    drop(small);
    gpu.reset_peak();
    assert_eq!(gpu.stats().peak_bytes, gpu.stats().buffer_bytes);
}

#[test]
fn a_repeated_run_takes_no_more_memory() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let mut peaks = Vec::new();
    for _ in 0..4 {
        let (from, to) = (upload(&mut gpu, &noise(5000, 1)), gpu.buffer(5000, "a test").unwrap());
        run(&mut gpu, &[copy(&from, &to, 5000)], &to);
        peaks.push(gpu.stats().peak_bytes);
    }
    assert_eq!(peaks[0], peaks[3], "{peaks:?}");
}

#[test]
fn weights_are_held_in_their_stored_precision_until_dropped() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    for format in Format::ALL {
        let (rows, cols) = (40, 512);
        let held = weight(&mut gpu, format, rows, cols);
        let stored = held.spec().stored_bytes().unwrap() as u64;
        let bytes = gpu.stats().weight_bytes;
        // Q6_K pads two bytes to every 210; nothing else grows.
        assert!(bytes >= stored && bytes <= stored + stored / 100, "{format}: {bytes} for {stored}");
        drop(held);
        gpu.buffer(1, "a test").unwrap();
        assert_eq!(gpu.stats().weight_bytes, 0, "{format}");
    }
}

#[test]
fn everything_is_counted() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let (a, b) = (upload(&mut gpu, &noise(64, 1)), gpu.buffer(64, "a test").unwrap());
    assert_eq!(gpu.stats().submits, 0);
    let ops = [copy(&a, &b, 64), copy(&a, &b, 10), copy(&a, &b, 0)];
    pollster::block_on(gpu.run(&ops)).unwrap();
    let stats = gpu.stats();
    assert_eq!((stats.ops, stats.dispatches, stats.submits, stats.read_backs), (3, 2, 1, 0));
    assert_eq!(stats.cost, ops.iter().map(Op::cost).sum::<Cost>());
    read(&mut gpu, &b);
    assert_eq!((gpu.stats().submits, gpu.stats().read_backs), (2, 1));
}

#[test]
fn outputs_of_one_shard_leave_the_others_alone() {
    let limits = Limits { binding_bytes: 4096, buffer_bytes: 4096, ..Limits::BASELINE };
    let Some(mut gpu) = open(&Options { at_most: Some(limits), ..Options::default() }) else { return };
    // Sixteen rows of 256 bytes to a shard.
    let w = weight(&mut gpu, Format::F32, 64, 64);
    let x = upload(&mut gpu, &noise(64, 1));
    let out = gpu.buffer(64, "a test").unwrap();
    for (outputs, shards) in [(16..32, 1), (17..18, 1), (15..17, 2), (0..64, 4), (5..5, 0)] {
        let before = gpu.stats().dispatches;
        let (x, out) = (x.clone(), out.clone());
        let op = Op::MatMul { x, weight: w.clone(), outputs: outputs.clone(), out, rows: 1, accumulate: false };
        pollster::block_on(gpu.run(&[op])).unwrap();
        assert_eq!(gpu.stats().dispatches - before, shards, "{outputs:?}");
    }
}

#[test]
fn warming_up_computes_nothing_and_leaves_nothing_to_make() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let x = upload(&mut gpu, &noise(64, 1));
    let w = weight(&mut gpu, Format::Q8_0, 8, 64);
    let out = upload(&mut gpu, &[3.0; 8]);
    let op = Op::MatMul { x, weight: w, outputs: 0..8, out: out.clone(), rows: 1, accumulate: true };
    pollster::block_on(gpu.warm_up(std::slice::from_ref(&op))).unwrap();
    assert_eq!(read(&mut gpu, &out), [3.0; 8]);
    let dispatches = gpu.stats().dispatches;
    assert_eq!(gpu.stats().ops, 0);
    pollster::block_on(gpu.warm_up(std::slice::from_ref(&op))).unwrap();
    assert_eq!(gpu.stats().dispatches, dispatches);
}

#[test]
fn a_mistake_among_operations_runs_none_of_them() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let (a, b) = (upload(&mut gpu, &[1.0; 4]), upload(&mut gpu, &[2.0; 4]));
    let result = pollster::block_on(gpu.run(&[copy(&a, &b, 4), copy(&a, &b, 5)]));
    assert!(matches!(result, Err(ExecError::Shape(ShapeError::TooShort { found: 4, needed: 5, .. }))), "{result:?}");
    assert_eq!(read(&mut gpu, &b), [2.0; 4]);
}

#[test]
fn handles_of_another_executor_are_refused() {
    let (Some(mut one), Some(mut other)) = (open(&Options::default()), open(&Options::default())) else { return };
    let _shift = one.buffer(4, "a test").unwrap();
    let foreign = one.buffer(4, "a test").unwrap();
    assert!(matches!(other.write(&foreign, 0, &[1]), Err(ExecError::Unknown { what: "buffer", .. })));
    assert!(matches!(pollster::block_on(other.read(&foreign, 4)), Err(ExecError::Unknown { what: "buffer", .. })));
}

#[test]
fn reading_and_writing_past_the_end_is_refused() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let buffer = upload(&mut gpu, &[1.0; 4]);
    assert!(matches!(gpu.write(&buffer, 3, &[0, 0]), Err(ExecError::Shape(ShapeError::TooShort { needed: 5, .. }))));
    assert!(matches!(gpu.write(&buffer, usize::MAX, &[0]), Err(ExecError::Shape(ShapeError::TooShort { .. }))));
    let read = pollster::block_on(gpu.read(&buffer, 5));
    assert!(matches!(read, Err(ExecError::Shape(ShapeError::TooShort { needed: 5, .. }))));
    assert_eq!(pollster::block_on(gpu.read(&buffer, 0)).unwrap(), []);
}

#[test]
fn what_exceeds_a_limit_is_refused_with_the_numbers() {
    let limits = Limits { binding_bytes: 4096, buffer_bytes: 8192, ..Limits::BASELINE };
    let Some(mut gpu) = open(&Options { at_most: Some(limits), ..Options::default() }) else { return };
    let error = gpu.buffer(1025, "key factors").unwrap_err();
    assert!(error.to_string().starts_with("a buffer for key factors needs 4100, but "), "{error}");
    assert!(gpu.buffer(1024, "key factors").is_ok());
    let spec = WeightSpec { name: "wide".to_owned(), rows: 2, cols: 1028, format: Format::F32 };
    assert!(matches!(gpu.weight(spec), Err(ExecError::Limit { needed: 4112, limit: 4096, .. })));
}

#[test]
fn weights_that_do_not_fit_their_shape_are_refused() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let spec = |rows, cols| WeightSpec { name: "odd".to_owned(), rows, cols, format: Format::Q8_0 };
    assert!(matches!(gpu.weight(spec(4, 33)), Err(ExecError::Shape(_))));
    assert!(matches!(gpu.weight(spec(4, 0)), Err(ExecError::Shape(_))));
    let weight = gpu.weight(spec(4, 32)).unwrap();
    let bytes = stored(Format::Q8_0, 64, 1);
    assert!(matches!(gpu.write_weight(&weight, 3, &bytes), Err(ExecError::Shape(_))));
    assert!(matches!(gpu.write_weight(&weight, usize::MAX, &bytes), Err(ExecError::Shape(_))));
    assert!(matches!(gpu.write_weight(&weight, 0, &bytes[1..]), Err(ExecError::Shape(_))));
    assert!(gpu.write_weight(&weight, 2, &bytes).is_ok());
}

/// Runs in a process of its own whose memory is limited, as software adapters take theirs from there.
#[cfg(target_os = "linux")]
#[test]
fn running_out_of_memory_is_an_error_that_says_what_for() {
    const NAME: &str = "runtime::running_out_of_memory_is_an_error_that_says_what_for";
    if std::env::var_os("ATMAN_TEST_LITTLE_MEMORY").is_some() {
        return run_out_of_memory();
    }
    let Some(gpu) = open(&Options::default()) else { return };
    if !gpu.describe().contains("llvmpipe") {
        return eprintln!("skipped: a device with memory of its own is not filled up for a test");
    }
    let binary = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 4000000; exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(binary)
        .arg(NAME)
        .env("ATMAN_TEST_LITTLE_MEMORY", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("ran out of memory as it should"), "{text}");
}

#[cfg(target_os = "linux")]
fn run_out_of_memory() {
    let mut gpu = open(&Options::default()).expect("the adapter was there before");
    let (a, b) = (upload(&mut gpu, &[1.0, 2.0]), upload(&mut gpu, &[0.0; 2]));
    let mut held = Vec::new();
    for _ in 0..64 {
        match gpu.buffer(32 << 20, "a test") {
            Ok(buffer) => held.push(buffer),
            Err(ExecError::OutOfMemory { purpose, bytes, held_bytes, .. }) => {
                assert_eq!((purpose.as_str(), bytes), ("a test", 128 << 20));
                assert!(!held.is_empty() && held_bytes >= held.len() as u64 * (128 << 20));
                // What was there before still works.
                assert_eq!(run(&mut gpu, &[copy(&a, &b, 2)], &b), [1.0, 2.0]);
                assert_eq!(gpu.stats().buffer_bytes, gpu.stats().peak_bytes);
                println!("ran out of memory as it should");
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("8 GiB fitted into 4");
}

#[test]
fn a_lost_device_is_an_error_of_its_own() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let (a, b) = (upload(&mut gpu, &[1.0; 4]), upload(&mut gpu, &[2.0; 4]));
    gpu.close();
    let run = pollster::block_on(gpu.run(&[copy(&a, &b, 4)]));
    assert!(matches!(run, Err(ExecError::DeviceLost { .. })), "{run:?}");
    assert!(matches!(gpu.buffer(1 << 20, "a test"), Err(ExecError::DeviceLost { .. })));
    let read = pollster::block_on(gpu.read(&b, 4));
    assert!(matches!(read, Err(ExecError::DeviceLost { .. })), "{read:?}");
}

#[test]
fn an_adapter_that_is_not_there_cannot_be_opened() {
    let adapters = pollster::block_on(Adapters::find());
    let found = adapters.facts().len();
    let opened = pollster::block_on(adapters.open(found, &Options::default()));
    assert!(matches!(opened, Err(GpuError::NoSuchAdapter { index, .. }) if index == found));
}

#[test]
fn larger_limits_are_what_the_adapter_offers_unless_the_defaults_are_asked_for() {
    let adapters = pollster::block_on(Adapters::find());
    let Some(gpu) = open_from(&adapters, &Options::default()) else { return };
    let offers = adapters.facts().into_iter().find(|facts| gpu.describe().starts_with(&facts.title())).unwrap().limits;
    assert!(gpu.limits().binding_bytes >= Limits::BASELINE.binding_bytes.min(offers.binding_bytes));
    // As far as 32-bit numbers of words reach.
    assert_eq!(gpu.limits().binding_bytes, offers.binding_bytes.min((4 << 30) - 4));
    assert_eq!(gpu.limits().buffer_bytes, offers.buffer_bytes.min(4 << 30));
    assert_eq!(gpu.largest_buffer_bytes(), gpu.limits().binding_bytes.min(gpu.limits().buffer_bytes));
    let Some(gpu) = open_from(&adapters, &Options::baseline()) else { return };
    assert_eq!(gpu.limits(), Limits::BASELINE);
}

/// A browser pays for each answer that is waited for with a turn of its event loop.
#[test]
fn answers_are_asked_for_once_a_submit_and_once_for_new_memory_and_pipelines() {
    let Some(mut gpu) = open(&Options::default()) else { return };
    let (a, b) = (upload(&mut gpu, &noise(64, 1)), gpu.buffer(64, "a test").unwrap());
    let of_memory = gpu.stats().promises;
    gpu.write(&a, 0, &[7; 64]).unwrap();
    assert_eq!(gpu.stats().promises, of_memory, "writing asks for nothing");
    let ops = [copy(&a, &b, 64), copy(&a, &b, 10)];
    pollster::block_on(gpu.run(&ops)).unwrap();
    let first = gpu.stats();
    pollster::block_on(gpu.run(&ops)).unwrap();
    // Whether it is valid, and when it has ended.
    assert_eq!(gpu.stats().promises - first.promises, 2 * (gpu.stats().submits - first.submits));
    read(&mut gpu, &b);
    let before = gpu.stats();
    read(&mut gpu, &b);
    assert_eq!(gpu.stats().promises - before.promises, 2);
}
