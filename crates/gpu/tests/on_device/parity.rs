//! Every kernel against its CPU twin, on shapes that do not fit its tiles, on whatever adapter there is.

use crate::common::{deviation, noise, open, read, run, upload, upload_words, weight};
use gpu::{GpuExecutor, Halves, Limits, Options, Tier};
use kernels::cpu::CpuExecutor;
use kernels::{AttentionShape, Executor, NO_FACTORS, Op, Operator, RowEntry, WeightSpec};
use tensor::Format;

/// The most that a kernel may deviate from its twin, as a part of the largest expected value. What only moves or compares
/// numbers deviates by nothing; sums differ by the order of their terms; `exp` is allowed 3 + 2 |x| units in the last place
/// by WGSL.
mod bound {
    pub(crate) const MOVED: f32 = 0.0;
    /// One rounding more or less, where a multiply-add is fused or not: d q + m and the like.
    pub(crate) const DECODED: f32 = 1e-6;
    pub(crate) const RMS_NORM: f32 = 2e-6;
    pub(crate) const LAYER_NORM: f32 = 3e-6;
    pub(crate) const MATMUL: f32 = 5e-6;
    pub(crate) const ROPE: f32 = 1e-6;
    pub(crate) const SWIGLU: f32 = 5e-6;
    pub(crate) const GELU: f32 = 5e-6;
    pub(crate) const ATTENTION: f32 = 2e-5;
    pub(crate) const LOG_SUM_EXP: f32 = 5e-6;
}

/// Computes on both and compares.
fn agree(gpu: &mut GpuExecutor, bound: f32, what: &str, compute: impl Fn(&mut dyn Executor) -> Vec<f32>) {
    let expected = compute(&mut CpuExecutor::new());
    let found = compute(gpu);
    assert!(expected.iter().any(|value| *value != 0.0), "{what}: nothing was computed");
    let error = deviation(&found, &expected);
    let worst = found.iter().zip(&expected).position(|(a, b)| (a - b).abs() > bound);
    assert!(error <= bound, "{what}: deviates by {error:e}, bound {bound:e}, first at {worst:?}");
}

fn for_each_tier(options: Options, test: impl Fn(&mut GpuExecutor)) {
    for tier in Tier::ALL {
        let Some(mut gpu) = open(&Options { tier: Some(tier), ..options }) else { return };
        assert_eq!(gpu.tier(), tier);
        test(&mut gpu);
    }
}

/// Limits under which a weight of a few rows needs several shards and a dispatch two dimensions.
fn tiny_limits() -> Options {
    let limits = Limits { binding_bytes: 16 << 10, buffer_bytes: 64 << 10, workgroups_per_dimension: 3 };
    Options { at_most: Some(limits), ..Options::baseline() }
}

fn matmul(executor: &mut dyn Executor, format: Format, rows: usize, n: usize, cols: usize, accumulate: bool) -> Vec<f32> {
    let weight = weight(executor, format, n, cols);
    let x = upload(executor, &noise(rows * cols, 1));
    let out = upload(executor, &noise(rows * n, 2));
    let op = Op::MatMul { x, weight, outputs: 0..n, out: out.clone(), rows, accumulate };
    run(executor, &[op], &out)
}

#[test]
fn products_agree_in_every_format() {
    for_each_tier(Options::baseline(), |gpu| {
        for format in Format::ALL {
            let cols = if format.block_len() == 1 { 76 } else { 3 * format.block_len() };
            for (rows, n) in [(1, 67), (2, 5), (13, 67), (65, 130)] {
                let what = format!("{} {format} {rows} x {n} x {cols}", gpu.tier());
                agree(gpu, bound::MATMUL, &what, |executor| matmul(executor, format, rows, n, cols, false));
            }
        }
    });
}

#[test]
fn products_agree_at_the_edges_of_tiles() {
    for_each_tier(Options::baseline(), |gpu| {
        for rows in [1, 3, 4, 5, 8, 9, 31, 32, 33, 63, 64, 65, 127] {
            for n in [1, 63, 64, 65] {
                let what = format!("{} {rows} x {n}", gpu.tier());
                agree(gpu, bound::MATMUL, &what, |executor| matmul(executor, Format::Q8_0, rows, n, 96, rows % 2 == 1));
            }
        }
    });
}

#[test]
fn products_agree_where_columns_are_no_multiple_of_four() {
    for_each_tier(Options::baseline(), |gpu| {
        for format in [Format::F32, Format::F16, Format::Bf16] {
            for cols in [1, 2, 3, 5, 71] {
                for rows in [1, 4, 11] {
                    let what = format!("{} {format} {rows} rows, {cols} columns", gpu.tier());
                    agree(gpu, bound::MATMUL, &what, |executor| matmul(executor, format, rows, 37, cols, false));
                }
            }
        }
    });
}

/// What a device is given that takes the smallest halves for zero, on values that both ways of reading give, and on those.
#[test]
fn halves_read_by_integers_agree() {
    for_each_tier(Options { halves: Halves::Exact, ..Options::baseline() }, |gpu| {
        for format in Format::ALL {
            let cols = if format.block_len() == 1 { 76 } else { 3 * format.block_len() };
            for rows in [1, 13] {
                let what = format!("{} {format} {rows} rows, exactly", gpu.tier());
                agree(gpu, bound::MATMUL, &what, |executor| matmul(executor, format, rows, 67, cols, false));
            }
            agree(gpu, bound::DECODED, &format!("{format}, exactly"), |executor| embed(executor, format, 19, cols));
        }
        // Every half but infinities and what is no number.
        let halves: Vec<u8> = (0..=u16::MAX).filter(|half| half & 0x7c00 != 0x7c00).flat_map(u16::to_le_bytes).collect();
        let rows = halves.len() / 2 / 64;
        agree(gpu, bound::MOVED, "every half", |executor| {
            let spec = WeightSpec { name: "every half".to_owned(), rows, cols: 64, format: Format::F16 };
            let table = executor.weight(spec).unwrap();
            executor.write_weight(&table, 0, &halves).unwrap();
            let ids = upload_words(executor, &(0..rows as u32).collect::<Vec<_>>());
            let out = executor.buffer(rows * 64, "a test").unwrap();
            run(executor, &[Op::Embed { table, ids, out: out.clone(), rows }], &out)
        });
    });
}

#[test]
fn a_range_of_outputs_agrees_and_leaves_other_rows_of_the_weight_alone() {
    for_each_tier(Options::baseline(), |gpu| {
        for rows in [1, 7, 40] {
            agree(gpu, bound::MATMUL, &format!("{rows} rows of a range"), |executor| {
                let (n, cols, outputs) = (101, 64, 17..90);
                let weight = weight(executor, Format::Q4_1, n, cols);
                let x = upload(executor, &noise(rows * cols, 1));
                let out = executor.buffer(rows * outputs.len(), "a test").unwrap();
                run(executor, &[Op::MatMul { x, weight, outputs, out: out.clone(), rows, accumulate: false }], &out)
            });
        }
    });
}

#[test]
fn sharded_weights_agree() {
    for_each_tier(tiny_limits(), |gpu| {
        for format in Format::ALL {
            let cols = if format.block_len() == 256 { 256 } else { 288 };
            // At 16 KiB a binding even the smallest takes three shards.
            let n = 5 * (8 << 10) / format.bytes_of(cols).unwrap() - 5;
            for rows in [1, 9] {
                let what = format!("{} {format} {rows} rows by shards", gpu.tier());
                agree(gpu, bound::MATMUL, &what, |executor| matmul(executor, format, rows, n, cols, false));
                agree(gpu, bound::MATMUL, &what, |executor| {
                    let weight = weight(executor, format, n, cols);
                    let x = upload(executor, &noise(rows * cols, 1));
                    let outputs = n / 4..n / 2;
                    let out = executor.buffer(rows * outputs.len(), "a test").unwrap();
                    run(executor, &[Op::MatMul { x, weight, outputs, out: out.clone(), rows, accumulate: false }], &out)
                });
            }
            agree(gpu, bound::DECODED, &format!("{format} embedding by shards"), |executor| embed(executor, format, n, cols));
        }
    });
}

fn embed(executor: &mut dyn Executor, format: Format, entries: usize, cols: usize) -> Vec<f32> {
    let table = weight(executor, format, entries, cols);
    let ids = [0, entries - 1, entries / 2, entries / 3, 0, entries / 2 + 1].map(|id| id as u32);
    let ids = upload_words(executor, &ids);
    let out = executor.buffer(6 * cols, "a test").unwrap();
    run(executor, &[Op::Embed { table, ids, out: out.clone(), rows: 6 }], &out)
}

#[test]
fn embeddings_agree_in_every_format() {
    let Some(mut gpu) = open(&Options::baseline()) else { return };
    for format in Format::ALL {
        let widths = if format.block_len() == 1 { vec![1, 6, 64] } else { vec![format.block_len(), 5 * format.block_len()] };
        for cols in widths {
            agree(&mut gpu, bound::DECODED, &format!("{format} of {cols}"), |executor| embed(executor, format, 19, cols));
        }
    }
}

#[test]
fn rms_norm_agrees() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (rows, cols) in [(1, 1), (1, 576), (7, 63), (11, 65), (5, 577)] {
            agree(&mut gpu, bound::RMS_NORM, &format!("{rows} x {cols}"), |executor| {
                let (x, gain) = (upload(executor, &noise(rows * cols, 1)), upload(executor, &noise(cols, 2)));
                let out = executor.buffer(rows * cols, "a test").unwrap();
                run(executor, &[Op::RmsNorm { x, gain, out: out.clone(), rows, cols, eps: 1e-5 }], &out)
            });
        }
    }
}

#[test]
fn a_row_of_zeros_is_normed_to_zeros() {
    let Some(mut gpu) = open(&Options::baseline()) else { return };
    let (x, gain) = (upload(&mut gpu, &[0.0; 8]), upload(&mut gpu, &[1.0; 8]));
    let out = gpu.buffer(8, "a test").unwrap();
    assert_eq!(run(&mut gpu, &[Op::RmsNorm { x, gain, out: out.clone(), rows: 1, cols: 8, eps: 1e-5 }], &out), [0.0; 8]);
}

#[test]
fn layer_norm_agrees() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (rows, cols) in [(1, 2), (1, 576), (7, 63), (11, 65), (31, 128), (5, 577)] {
            agree(&mut gpu, bound::LAYER_NORM, &format!("{rows} x {cols}"), |executor| {
                // A mean that is large beside the variation, as residual streams have it.
                let x: Vec<f32> = noise(rows * cols, 1).into_iter().map(|value| value + 3.0).collect();
                let (gain, bias) = (upload(executor, &noise(cols, 2)), upload(executor, &noise(cols, 3)));
                let (x, out) = (upload(executor, &x), executor.buffer(rows * cols, "a test").unwrap());
                run(executor, &[Op::LayerNorm { x, gain, bias, out: out.clone(), rows, cols, eps: 1e-6 }], &out)
            });
        }
    }
}

#[test]
fn rope_agrees() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (rows, heads, head_dim) in [(1, 1, 2), (1, 9, 64), (7, 3, 80), (13, 5, 6)] {
            agree(&mut gpu, bound::ROPE, &format!("{rows} x {heads} x {head_dim}"), |executor| {
                let x = upload(executor, &noise(rows * heads * head_dim, 1));
                let angles = upload(executor, &noise(rows * head_dim, 2));
                run(executor, &[Op::Rope { x: x.clone(), angles, rows, heads, head_dim }], &x)
            });
        }
    }
}

#[test]
fn swiglu_agrees_and_stays_finite_far_out() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for words in [1, 63, 65, 1031] {
            agree(&mut gpu, bound::SWIGLU, &format!("{words} words"), |executor| {
                let gate: Vec<f32> = noise(words, 1).into_iter().map(|value| 6.0 * value).collect();
                let (gate, up) = (upload(executor, &gate), upload(executor, &noise(words, 2)));
                run(executor, &[Op::SwiGlu { gate: gate.clone(), up, words }], &gate)
            });
        }
        let (gate, up) = (upload(&mut gpu, &[-1e4, -90.0, 0.0, 1e4]), upload(&mut gpu, &[1.0; 4]));
        let out = run(&mut gpu, &[Op::SwiGlu { gate: gate.clone(), up, words: 4 }], &gate);
        assert!(out[0].abs() < 1e-20 && out[1].abs() < 1e-20 && out[2] == 0.0 && out[3] == 1e4, "{out:?}");
    }
}

#[test]
fn gelu_agrees_and_stays_finite_far_out() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for words in [1, 63, 65, 1031] {
            agree(&mut gpu, bound::GELU, &format!("{words} words"), |executor| {
                let x: Vec<f32> = noise(words, 1).into_iter().map(|value| 6.0 * value).collect();
                let x = upload(executor, &x);
                run(executor, &[Op::Gelu { x: x.clone(), words }], &x)
            });
        }
        let x = upload(&mut gpu, &[-1e30, -90.0, 0.0, 90.0, 1e30]);
        let out = run(&mut gpu, &[Op::Gelu { x: x.clone(), words: 5 }], &x);
        assert!(out[0].abs() < 1e18 && out[1].abs() < 1e-10 && out[2] == 0.0, "{out:?}");
        assert!((out[3] - 90.0).abs() < 1e-4 && (out[4] - 1e30).abs() < 1e24, "{out:?}");
    }
}

#[test]
fn additions_agree_over_periods() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (words, period) in [(1, 1), (64, 64), (195, 65), (1031, 63), (7, 100)] {
            agree(&mut gpu, bound::MOVED, &format!("{words} words, period {period}"), |executor| {
                let (x, addend) = (upload(executor, &noise(words, 1)), upload(executor, &noise(period, 2)));
                run(executor, &[Op::Add { x: x.clone(), addend, words, period }], &x)
            });
        }
    }
}

#[test]
fn copies_and_gathers_move_words_as_they_are() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for words in [1, 63, 65, 1009] {
            agree(&mut gpu, bound::MOVED, &format!("{words} words"), |executor| {
                let from = upload(executor, &noise(words + 5, 1));
                let to = upload(executor, &noise(words + 9, 2));
                run(executor, &[Op::Copy { from, from_word: 5, to: to.clone(), to_word: 7, words }], &to)
            });
        }
        for (rows, cols) in [(1, 1), (5, 67), (67, 5)] {
            agree(&mut gpu, bound::MOVED, &format!("{rows} x {cols}"), |executor| {
                let from = upload(executor, &noise(11 * cols, 1));
                let index: Vec<u32> = (0..rows as u32).map(|row| row * 7 % 11).collect();
                let index = upload_words(executor, &index);
                let out = executor.buffer(rows * cols, "a test").unwrap();
                run(executor, &[Op::Gather { from, index, out: out.clone(), rows, cols }], &out)
            });
        }
    }
}

#[test]
fn log_sum_exp_agrees_over_pieces() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (rows, cols) in [(1, 1), (7, 63), (3, 1009)] {
            agree(&mut gpu, bound::LOG_SUM_EXP, &format!("{rows} x {cols}"), |executor| {
                let state = executor.buffer(2 * rows, "a test").unwrap();
                let ops: Vec<Op> = (0..3)
                    .map(|piece| {
                        let logits: Vec<f32> = noise(rows * cols, piece).into_iter().map(|value| 20.0 * value).collect();
                        let logits = upload(executor, &logits);
                        Op::LogSumExp { logits, state: state.clone(), rows, cols, first: piece == 0 }
                    })
                    .collect();
                let pairs = run(executor, &ops, &state);
                pairs.chunks_exact(2).map(|pair| pair[0] + pair[1].ln()).collect()
            });
        }
    }
}

#[test]
fn picks_take_wanted_tokens_of_their_piece_only() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        agree(&mut gpu, bound::MOVED, "pick", |executor| {
            let (rows, cols, first_col) = (3, 50, 100);
            let logits = upload(executor, &noise(rows * cols, 1));
            let wanted: Vec<u32> = (0..70).flat_map(|i| [i % 3, 90 + i]).collect();
            let wanted = upload_words(executor, &wanted);
            let out = upload(executor, &[7.0; 70]);
            run(executor, &[Op::Pick { logits, wanted, out: out.clone(), n: 70, rows, cols, first_col }], &out)
        });
    }
}

#[test]
fn top_k_agrees_with_ties_and_with_fewer_columns_than_wanted() {
    for options in [Options::baseline(), tiny_limits()] {
        let Some(mut gpu) = open(&options) else { return };
        for (rows, cols, k) in [(1, 1, 1), (2, 3, 5), (3, 64, 64), (3, 1009, 10)] {
            agree(&mut gpu, bound::MOVED, &format!("the {k} of {rows} x {cols}"), |executor| {
                // Steps of a tenth, so that many are equal.
                let logits: Vec<f32> = noise(rows * cols, 1).into_iter().map(|value| (10.0 * value).round() / 10.0).collect();
                let logits = upload(executor, &logits);
                let out = upload(executor, &vec![5.0; 2 * rows * k + 3]);
                let op = Op::TopK { logits, out: out.clone(), out_word: 3, rows, cols, first_col: 1000, k };
                let words = run(executor, &[op], &out);
                let pairs = words[3..].chunks_exact(2);
                pairs.flat_map(|pair| [pair[0], pair[1].to_bits() as f32]).chain(words[..3].iter().copied()).collect()
            });
        }
    }
}

/// One sequence of a batch.
struct Sequence {
    cached: u32,
    rows: u32,
    operator: Option<Operator>,
}

/// Attention over packed sequences, all of whose cached keys are positions of one cache.
fn attention(executor: &mut dyn Executor, shape: AttentionShape, sequences: &[Sequence], own_cache: bool) -> Vec<f32> {
    let kv = shape.n_kv_heads * shape.head_dim;
    let (mut table, mut factors) = (Vec::new(), Vec::new());
    let mut batch_rows = 0;
    for sequence in sequences {
        let n_positions = sequence.cached + sequence.rows;
        let begin = factors.len() as u32;
        if sequence.operator.is_some() {
            factors.extend((0..n_positions).map(|j| [1.0, 0.0, 0.1, 0.9, 3.0, 1.0, 1.0][(j as usize + table.len()) % 7]));
        }
        for row in 0..sequence.rows {
            table.push(RowEntry {
                cached: sequence.cached,
                first_row: batch_rows,
                position: sequence.cached + row,
                n_positions,
                factors: if sequence.operator.is_some() { begin } else { NO_FACTORS },
                operator: sequence.operator.unwrap_or_default().code(),
                layer_begin: 2,
                layer_end: 4,
            });
        }
        batch_rows += sequence.rows;
    }
    factors.push(1.0);
    let rows = batch_rows as usize;
    let pairs = table.iter().map(|entry| u64::from(entry.position) + 1).sum();
    let most_cached = sequences.iter().map(|sequence| sequence.cached).max().unwrap_or(0) as usize;
    let k = upload(executor, &noise(rows * kv, 2));
    let v = upload(executor, &noise(rows * kv, 3));
    let (cache_k, cache_v) = if own_cache {
        (upload(executor, &noise(most_cached.max(1) * kv, 4)), upload(executor, &noise(most_cached.max(1) * kv, 5)))
    } else {
        (k.clone(), v.clone())
    };
    let q: Vec<f32> = noise(rows * shape.n_heads * shape.head_dim, 1).into_iter().map(|value| 4.0 * value).collect();
    let (q, table, factors) =
        (upload(executor, &q), upload_words(executor, bytemuck::cast_slice(&table)), upload(executor, &factors));
    let out = executor.buffer(rows * shape.n_heads * shape.head_dim, "a test").unwrap();
    let mut results = Vec::new();
    // Within the factors' layers and outside.
    for layer in [1, 3, 4] {
        let op = Op::Attention {
            q: q.clone(),
            k: k.clone(),
            v: v.clone(),
            cache_k: cache_k.clone(),
            cache_v: cache_v.clone(),
            table: table.clone(),
            factors: factors.clone(),
            out: out.clone(),
            n_rows: rows,
            batch_rows: rows,
            layer,
            shape,
            pairs,
        };
        results.extend(run(executor, &[op], &out));
    }
    results
}

#[test]
fn attention_agrees_over_heads_and_sizes() {
    for_each_tier(Options::baseline(), |gpu| {
        for (n_heads, n_kv_heads, head_dim) in
            [(1, 1, 4), (9, 3, 64), (4, 4, 80), (8, 1, 32), (5, 1, 12), (7, 1, 128), (2, 1, 256), (3, 1, 6), (2, 2, 5)]
        {
            let shape = AttentionShape { n_heads, n_kv_heads, head_dim };
            for own_cache in [true, false] {
                let sequences = [
                    Sequence { cached: if own_cache { 3 } else { 0 }, rows: 5, operator: Some(Operator::LogAdditive) },
                    Sequence { cached: 0, rows: 1, operator: None },
                    Sequence { cached: if own_cache { 70 } else { 0 }, rows: 2, operator: Some(Operator::Shifted) },
                ];
                let what = format!("{} {shape:?}, cache apart: {own_cache}", gpu.tier());
                agree(gpu, bound::ATTENTION, &what, |executor| attention(executor, shape, &sequences, own_cache));
            }
        }
    });
}

/// As a vision tower asks for it: every row of an image sees all of its patches.
#[test]
fn attention_without_a_mask_agrees() {
    for_each_tier(Options::baseline(), |gpu| {
        for (rows, n_heads, head_dim) in [(1, 1, 4), (9, 3, 16), (64, 4, 32), (70, 2, 12)] {
            agree(gpu, bound::ATTENTION, &format!("{} {rows} rows", gpu.tier()), |executor| {
                let shape = AttentionShape { n_heads, n_kv_heads: n_heads, head_dim };
                let words = rows * n_heads * head_dim;
                let entry = RowEntry {
                    cached: 0,
                    first_row: 0,
                    position: rows as u32 - 1,
                    n_positions: rows as u32,
                    factors: NO_FACTORS,
                    operator: 0,
                    layer_begin: 0,
                    layer_end: 0,
                };
                let (k, v) = (upload(executor, &noise(words, 2)), upload(executor, &noise(words, 3)));
                let out = executor.buffer(words, "a test").unwrap();
                let op = Op::Attention {
                    q: upload(executor, &noise(words, 1)),
                    k: k.clone(),
                    v: v.clone(),
                    cache_k: k,
                    cache_v: v,
                    table: upload_words(executor, bytemuck::cast_slice(&vec![entry; rows])),
                    factors: upload(executor, &[1.0]),
                    out: out.clone(),
                    n_rows: rows,
                    batch_rows: rows,
                    layer: 0,
                    shape,
                    pairs: (rows * rows) as u64,
                };
                run(executor, &[op], &out)
            });
        }
    });
}

/// Lengths around the spans of keys that a workgroup takes at once.
#[test]
fn attention_agrees_over_operators_and_lengths() {
    for options in [Options::baseline(), tiny_limits()] {
        let shape = AttentionShape { n_heads: 3, n_kv_heads: 1, head_dim: 16 };
        let lengths: &[u32] = if options.at_most.is_some() { &[1, 40] } else { &[1, 2, 17, 63, 65, 257, 300, 515] };
        for_each_tier(options, |gpu| {
            for (operator, &length) in
                Operator::ALL.iter().flat_map(|operator| lengths.iter().map(move |length| (*operator, length)))
            {
                // Few rows that see many keys, most of those in the cache; future keys cannot be there.
                let rows = if operator == Operator::ShiftedFull { length } else { length.min(40) };
                let sequences = [
                    Sequence { cached: length - rows, rows, operator: Some(operator) },
                    Sequence { cached: 0, rows: 2, operator: Some(operator) },
                ];
                let what = format!("{} {operator} over {length} keys", gpu.tier());
                agree(gpu, bound::ATTENTION, &what, |executor| attention(executor, shape, &sequences, true));
            }
        });
    }
}

#[test]
fn a_removed_key_that_is_the_only_one_is_kept() {
    let Some(mut gpu) = open(&Options::baseline()) else { return };
    let v = noise(8, 3);
    let entry = RowEntry {
        cached: 0,
        first_row: 0,
        position: 0,
        n_positions: 1,
        factors: 0,
        operator: Operator::LogAdditive.code(),
        layer_begin: 0,
        layer_end: 1,
    };
    let k = upload(&mut gpu, &noise(8, 2));
    let out = gpu.buffer(8, "a test").unwrap();
    let values = upload(&mut gpu, &v);
    let op = Op::Attention {
        q: upload(&mut gpu, &noise(8, 1)),
        k: k.clone(),
        v: values.clone(),
        cache_k: k,
        cache_v: values,
        table: upload_words(&mut gpu, bytemuck::cast_slice(&[entry])),
        factors: upload(&mut gpu, &[0.0]),
        out: out.clone(),
        n_rows: 1,
        batch_rows: 1,
        layer: 0,
        shape: AttentionShape { n_heads: 1, n_kv_heads: 1, head_dim: 8 },
        pairs: 1,
    };
    assert_eq!(run(&mut gpu, &[op], &out), v);
}

#[test]
fn work_cut_into_many_submits_agrees() {
    for tier in Tier::ALL {
        // So short a submit that every operation that can be cut is.
        let Some(mut gpu) = open(&Options { tier: Some(tier), submit_ms: 0.02, ..Options::baseline() }) else { return };
        for rows in [1, 200] {
            let compute = |executor: &mut dyn Executor| matmul(executor, Format::Q4_0, rows, 130, 256, true);
            agree(&mut gpu, bound::MATMUL, &format!("{tier} {rows} rows in pieces"), compute);
        }
        let shape = AttentionShape { n_heads: 4, n_kv_heads: 2, head_dim: 32 };
        let sequences = [Sequence { cached: 5, rows: 90, operator: Some(Operator::Shifted) }];
        agree(&mut gpu, bound::ATTENTION, "attention in pieces", |executor| attention(executor, shape, &sequences, true));
        let stats = gpu.stats();
        assert!(stats.submits > 2 * stats.ops, "{stats:?}");
        assert_eq!(stats.read_backs, 5);
    }
}

#[test]
fn operations_happen_in_the_order_of_their_calls() {
    let Some(mut gpu) = open(&Options::baseline()) else { return };
    let a = upload(&mut gpu, &[1.0, 2.0, 3.0]);
    let b = gpu.buffer(3, "a test").unwrap();
    let copy = |from_word, to_word| Op::Copy { from: a.clone(), from_word, to: b.clone(), to_word, words: 1 };
    pollster::block_on(gpu.run(&[copy(0, 0), copy(1, 1), copy(2, 2), copy(0, 2)])).unwrap();
    gpu.write(&a, 0, bytemuck::cast_slice(&[9.0f32])).unwrap();
    assert_eq!(read(&mut gpu, &b), [1.0, 2.0, 1.0]);
    pollster::block_on(gpu.run(&[copy(0, 0)])).unwrap();
    assert_eq!(read(&mut gpu, &b), [9.0, 2.0, 1.0]);
}
