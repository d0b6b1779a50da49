//! The CPU executor against sums written out in double precision, and against values worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

use kernels::cpu::CpuExecutor;
use kernels::{AttentionShape, Buffer, ExecError, Executor, NO_FACTORS, Op, Operator, RowEntry, Weight, WeightSpec};
use tensor::Format;

struct Bench {
    executor: CpuExecutor,
    state: u32,
}

impl Bench {
    fn new() -> Bench {
        Bench { executor: CpuExecutor::new(), state: 1 }
    }

    /// Numbers between -1 and 1, the same in every run.
    fn random(&mut self, n: usize) -> Vec<f32> {
        let mut next = || {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    fn put(&mut self, values: &[f32]) -> Buffer {
        self.put_words(bytemuck::cast_slice(values))
    }

    fn put_words(&mut self, words: &[u32]) -> Buffer {
        let buffer = self.executor.buffer(words.len(), "test").unwrap();
        self.executor.write(&buffer, 0, words).unwrap();
        buffer
    }

    fn weight(&mut self, rows: usize, cols: usize, format: Format, bytes: &[u8]) -> Weight {
        let spec = WeightSpec { name: "w".to_owned(), rows, cols, format };
        let weight = self.executor.weight(spec).unwrap();
        self.executor.write_weight(&weight, 0, bytes).unwrap();
        weight
    }

    fn run(&mut self, op: Op) {
        pollster::block_on(self.executor.run(&[op])).unwrap();
    }

    fn refused(&mut self, op: Op) -> String {
        pollster::block_on(self.executor.run(&[op])).unwrap_err().to_string()
    }

    fn get(&mut self, buffer: &Buffer) -> Vec<f32> {
        bytemuck::cast_vec(pollster::block_on(self.executor.read(buffer, buffer.words())).unwrap())
    }
}

/// Blocks with random integers and scales of about 0.01 in every half.
fn random_blocks(bench: &mut Bench, format: Format, elements: usize) -> Vec<u8> {
    let n = format.bytes_of(elements).unwrap();
    if format.block_len() == 1 {
        let values = bench.random(elements);
        return match format {
            Format::F32 => bytemuck::cast_slice(&values).to_vec(),
            Format::F16 => values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect(),
        };
    }
    let mut bytes: Vec<u8> = bench.random(n).iter().map(|v| (v * 127.0) as i8 as u8).collect();
    let scale = half::f16::from_f32(0.011).to_le_bytes();
    for block in bytes.chunks_exact_mut(format.block_bytes()) {
        let halves: &[usize] = match format {
            Format::Q6K => &[208],
            Format::Q8_0 | Format::Q4_0 | Format::Q5_0 => &[0],
            _ => &[0, 2],
        };
        for at in halves {
            block[*at..at + 2].copy_from_slice(&scale);
        }
    }
    bytes
}

fn assert_close(found: &[f32], expected: &[f64], bound: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(*found) - expected).abs() <= bound * expected.abs().max(1.0),
            "{what}: [{i}] is {found}, expected {expected}"
        );
    }
}

#[test]
fn products_with_every_format_agree_with_sums_in_double_precision() {
    for format in Format::ALL {
        // Few rows and many take different paths; 37 and 301 fill no tile or panel evenly.
        for (rows, n, cols) in [(1, 37, 256), (3, 301, 512), (4, 2, 256), (5, 301, 256), (33, 700, 768)] {
            let mut bench = Bench::new();
            let bytes = random_blocks(&mut bench, format, n * cols);
            let mut decoded = vec![0.0; n * cols];
            tensor::decode(format, &bytes, &mut decoded).unwrap();
            let weight = bench.weight(n, cols, format, &bytes);
            let x = bench.random(rows * cols);
            let before = bench.random(rows * n);
            for (outputs, accumulate) in [(0..n, false), (n / 3..n, true)] {
                let len = outputs.len();
                let (xb, out) = (bench.put(&x), bench.put(&before));
                bench.run(Op::MatMul {
                    x: xb,
                    weight: weight.clone(),
                    outputs: outputs.clone(),
                    out: out.clone(),
                    rows,
                    accumulate,
                });
                let mut expected = Vec::new();
                for r in 0..rows {
                    for (j, output) in outputs.clone().enumerate() {
                        let pairs = x[r * cols..][..cols].iter().zip(&decoded[output * cols..][..cols]);
                        let sum: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                        expected.push(sum + if accumulate { f64::from(before[r * len + j]) } else { 0.0 });
                    }
                }
                let found = bench.get(&out);
                assert_close(&found[..rows * len], &expected, 2e-4, &format!("{format}, {rows} rows"));
                assert_eq!(found[rows * len..], before[rows * len..], "what lies beyond the output changed");
            }
        }
    }
}

#[test]
fn embeddings_are_the_table_s_rows() {
    let mut bench = Bench::new();
    let bytes = random_blocks(&mut bench, Format::Q8_0, 5 * 64);
    let mut decoded = vec![0.0; 5 * 64];
    tensor::decode(Format::Q8_0, &bytes, &mut decoded).unwrap();
    let table = bench.weight(5, 64, Format::Q8_0, &bytes);
    let (ids, out) = (bench.put_words(&[4, 0, 4]), bench.put(&[0.0; 3 * 64]));
    bench.run(Op::Embed { table: table.clone(), ids, out: out.clone(), rows: 3 });
    let found = bench.get(&out);
    assert_eq!(found[..64], decoded[4 * 64..]);
    assert_eq!(found[64..128], decoded[..64]);
    let (ids, out) = (bench.put_words(&[5]), bench.put(&[0.0; 64]));
    assert_eq!(bench.refused(Op::Embed { table, ids, out, rows: 1 }), "embed: id 5 is not below 5");
}

#[test]
fn norm_rotation_and_activation_by_hand() {
    let mut bench = Bench::new();
    // mean square of (3, 4) is 12.5; with eps 3.5 the divisor is 4.
    let (x, gain, out) = (bench.put(&[3.0, 4.0]), bench.put(&[2.0, 10.0]), bench.put(&[0.0; 2]));
    bench.run(Op::RmsNorm { x, gain, out: out.clone(), rows: 1, cols: 2, eps: 3.5 });
    assert_eq!(bench.get(&out), [1.5, 10.0]);

    // Pairs are (x0, x2) and (x1, x3): a quarter turn, then none.
    let (x, angles) = (bench.put(&[1.0, 2.0, 3.0, 4.0]), bench.put(&[0.0, 1.0, 1.0, 0.0]));
    bench.run(Op::Rope { x: x.clone(), angles, rows: 1, heads: 1, head_dim: 4 });
    assert_eq!(bench.get(&x), [-3.0, 2.0, 1.0, 4.0]);

    let (gate, up) = (bench.put(&[0.0, 1.0, -100.0, 100.0]), bench.put(&[5.0, 2.0, 1.0, 3.0]));
    bench.run(Op::SwiGlu { gate: gate.clone(), up, words: 4 });
    assert_close(&bench.get(&gate), &[0.0, 2.0 / (1.0 + (-1.0f64).exp()), 0.0, 300.0], 1e-6, "swiglu");
}

#[test]
fn layer_norm_gelu_and_addition_by_hand() {
    let mut bench = Bench::new();
    // (1, 2, 6): mean 3, variance 14 / 3; with eps 13 / 3 the divisor is 3.
    let x = bench.put(&[1.0, 2.0, 6.0, 4.0, 4.0, 4.0]);
    let (gain, bias, out) = (bench.put(&[3.0, -6.0, 1.0]), bench.put(&[0.5, 0.0, 10.0]), bench.put(&[0.0; 6]));
    bench.run(Op::LayerNorm { x, gain, bias, out: out.clone(), rows: 2, cols: 3, eps: 13.0 / 3.0 });
    // A row without variance is its bias.
    assert_close(&bench.get(&out), &[-1.5, 2.0, 11.0, 0.5, 0.0, 10.0], 1e-6, "layer_norm");

    let inputs = [0.0f32, 1.0, -1.0, 2.5, -2.5, 0.01, -6.0, 6.0, -1e30, 1e30];
    let by_definition = |x: f32| {
        let x = f64::from(x);
        x * 0.5 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
    };
    let x = bench.put(&inputs);
    bench.run(Op::Gelu { x: x.clone(), words: 8 });
    let expected: Vec<f64> = inputs.into_iter().map(by_definition).collect();
    let found = bench.get(&x);
    assert_close(&found[..8], &expected[..8], 1e-6, "gelu");
    assert_eq!(found[8..], inputs[8..], "what lies beyond the length changed");
    assert!((f64::from(found[1]) - 0.841_192).abs() < 1e-6);
    bench.run(Op::Gelu { x: x.clone(), words: 10 });
    let far = bench.get(&x);
    assert!(far[9] == 1e30 && far[8].abs() < 1e-12 * 1e30, "{far:?}");

    let (x, addend) = (bench.put(&[1.0, 2.0, 3.0, 4.0, 5.0]), bench.put(&[10.0, 20.0, 99.0]));
    bench.run(Op::Add { x: x.clone(), addend: addend.clone(), words: 5, period: 2 });
    assert_eq!(bench.get(&x), [11.0, 22.0, 13.0, 24.0, 15.0]);
    let refused = bench.refused(Op::Add { x: x.clone(), addend: addend.clone(), words: 5, period: 0 });
    assert_eq!(refused, "add: period is 0");
    let refused = bench.refused(Op::Add { x: x.clone(), addend, words: 5, period: 4 });
    assert_eq!(refused, "add: addend holds 3 words, but its shape needs 4");
    assert_eq!(bench.refused(Op::Gelu { x, words: 6 }), "gelu: x holds 5 words, but its shape needs 6");
}

#[test]
fn attention_without_a_mask_is_that_of_rows_that_all_see_the_last_key() {
    let mut bench = Bench::new();
    let shape = AttentionShape { n_heads: 2, n_kv_heads: 2, head_dim: 4 };
    let (rows, width) = (5usize, 8usize);
    let (q, k, v) = (bench.random(rows * width), bench.random(rows * width), bench.random(rows * width));
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
    let mut expected = Vec::new();
    for (r, h) in (0..rows).flat_map(|r| (0..2).map(move |h| (r, h))) {
        let head = |x: &[f32], row: usize| -> Vec<f64> { x[row * width + 4 * h..][..4].iter().map(|x| f64::from(*x)).collect() };
        let score = |j: usize| head(&q, r).iter().zip(head(&k, j)).map(|(a, b)| a * b).sum::<f64>() / 2.0;
        let weights: Vec<f64> = (0..rows).map(|j| score(j).exp()).collect();
        let total: f64 = weights.iter().sum();
        expected.extend((0..4).map(|i| weights.iter().enumerate().map(|(j, w)| w / total * head(&v, j)[i]).sum::<f64>()));
    }
    let (q, k, v) = (bench.put(&q), bench.put(&k), bench.put(&v));
    let (table, factors) = (bench.put_words(bytemuck::cast_slice(&[entry; 5])), bench.put(&[1.0]));
    let out = bench.put(&[0.0; 40]);
    bench.run(Op::Attention {
        q,
        cache_k: k.clone(),
        cache_v: v.clone(),
        k,
        v,
        table,
        factors,
        out: out.clone(),
        n_rows: rows,
        batch_rows: rows,
        layer: 0,
        shape,
        pairs: 25,
    });
    assert_close(&bench.get(&out), &expected, 1e-5, "attention without a mask");
}

/// Attention as the definition in `Op::Attention` reads, in double precision.
fn attention_by_definition(
    shape: AttentionShape,
    q: &[f32],
    keys: &[Vec<&[f32]>],
    values: &[Vec<&[f32]>],
    table: &[RowEntry],
    factors: &[f32],
    layer: u32,
) -> Vec<f64> {
    let mut out = Vec::new();
    for (r, e) in table.iter().enumerate() {
        for h in 0..shape.n_heads {
            let kv = h / (shape.n_heads / shape.n_kv_heads);
            let head = |row: &[f32]| row[kv * shape.head_dim..][..shape.head_dim].to_vec();
            let query = &q[(r * shape.n_heads + h) * shape.head_dim..][..shape.head_dim];
            let score = |j: usize| {
                let dot: f64 = head(keys[r][j]).iter().zip(query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                dot / (shape.head_dim as f64).sqrt()
            };
            let visible = e.position as usize + 1;
            let mut s: Vec<f64> = (0..keys[r].len()).map(score).collect();
            if e.factors != NO_FACTORS && e.layer_begin <= layer && layer < e.layer_end {
                let least = |s: &[f64]| s.iter().copied().fold(f64::MAX, f64::min);
                let (causal, full) = (least(&s[..visible]), least(&s));
                for (j, s) in s.iter_mut().enumerate() {
                    let f = f64::from(factors[e.factors as usize + j]);
                    *s = match e.operator {
                        0 => *s + f.max(1e-30).ln(),
                        1 => *s * f,
                        2 => (*s - causal) * f,
                        _ => (*s - full) * f,
                    };
                }
            }
            let most = s[..visible].iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = s[..visible].iter().map(|s| (s - most).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for d in 0..shape.head_dim {
                out.push(weights.iter().enumerate().map(|(j, w)| w / sum * f64::from(head(values[r][j])[d])).sum());
            }
        }
    }
    out
}

#[test]
fn attention_agrees_with_its_definition_for_every_operator_and_layer_range() {
    let shape = AttentionShape { n_heads: 6, n_kv_heads: 2, head_dim: 8 };
    let width = shape.n_kv_heads * shape.head_dim;
    for operator in Operator::ALL {
        let mut bench = Bench::new();
        // Two sequences: one from position 0 of length 5, one (where it may share) from position 3 of length 4.
        let starts: &[(u32, u32)] = if operator == Operator::ShiftedFull { &[(0, 5), (0, 4)] } else { &[(0, 5), (3, 4)] };
        let n_rows: u32 = starts.iter().map(|(_, len)| len).sum();
        let (q, k, v) =
            (bench.random(n_rows as usize * 48), bench.random(n_rows as usize * width), bench.random(n_rows as usize * width));
        let (cache_k, cache_v) = (bench.random(3 * width), bench.random(3 * width));
        let mut factors = Vec::new();
        let mut table = Vec::new();
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (start, len) in starts {
            let (first_row, offset, end) = (table.len() as u32, factors.len() as u32, start + len);
            factors.extend((0..end).map(|j| {
                if j % 3 == 1 {
                    0.0
                } else if j % 3 == 2 {
                    1.0
                } else {
                    0.3
                }
            }));
            for position in *start..end {
                table.push(RowEntry {
                    cached: *start,
                    first_row,
                    position,
                    n_positions: end,
                    factors: if position == 1 { NO_FACTORS } else { offset },
                    operator: operator.code(),
                    layer_begin: 2,
                    layer_end: 4,
                });
                let row = |cache: &'static [f32], batch: &'static [f32], j: u32| {
                    let at = if j < *start { j } else { first_row + j - start } as usize * width;
                    &(if j < *start { cache } else { batch })[at..][..width]
                };
                let leak = |v: &Vec<f32>| -> &'static [f32] { Box::leak(v.clone().into_boxed_slice()) };
                let (ck, kb, cv, vb) = (leak(&cache_k), leak(&k), leak(&cache_v), leak(&v));
                keys.push((0..end).map(|j| row(ck, kb, j)).collect::<Vec<_>>());
                values.push((0..end).map(|j| row(cv, vb, j)).collect::<Vec<_>>());
            }
        }
        for layer in [1, 2, 3, 4] {
            let out = bench.put(&vec![0.0; q.len()]);
            let op = Op::Attention {
                q: bench.put(&q),
                k: bench.put(&k),
                v: bench.put(&v),
                cache_k: bench.put(&cache_k),
                cache_v: bench.put(&cache_v),
                table: bench.put_words(bytemuck::cast_slice(&table)),
                factors: bench.put(&factors),
                out: out.clone(),
                n_rows: table.len(),
                batch_rows: n_rows as usize,
                layer,
                shape,
                pairs: 0,
            };
            bench.run(op);
            let expected = attention_by_definition(shape, &q, &keys, &values, &table, &factors, layer);
            assert_close(&bench.get(&out), &expected, 1e-5, &format!("{operator}, layer {layer}"));
        }
    }
}

#[test]
fn a_row_that_sees_only_a_removed_key_keeps_it() {
    let mut bench = Bench::new();
    let entry =
        RowEntry { cached: 0, first_row: 0, position: 0, n_positions: 1, factors: 0, operator: 0, layer_begin: 0, layer_end: 1 };
    let (one, out) = (bench.put(&[1.0, 2.0]), bench.put(&[0.0; 2]));
    let op = Op::Attention {
        q: bench.put(&[0.5, 0.5]),
        k: one.clone(),
        v: one.clone(),
        cache_k: one.clone(),
        cache_v: one,
        table: bench.put_words(
            bytemuck::bytes_of(&entry).as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect::<Vec<_>>().as_slice(),
        ),
        factors: bench.put(&[0.0]),
        out: out.clone(),
        n_rows: 1,
        batch_rows: 1,
        layer: 0,
        shape: AttentionShape { n_heads: 1, n_kv_heads: 1, head_dim: 2 },
        pairs: 1,
    };
    bench.run(op);
    assert_eq!(bench.get(&out), [1.0, 2.0]);
}

#[test]
fn a_row_table_that_points_outside_its_keys_is_refused() {
    let mut bench = Bench::new();
    let entry = RowEntry {
        cached: 0,
        first_row: 1,
        position: 0,
        n_positions: 1,
        factors: NO_FACTORS,
        operator: 0,
        layer_begin: 0,
        layer_end: 0,
    };
    let (one, out) = (bench.put(&[1.0, 2.0]), bench.put(&[0.0; 2]));
    let op = Op::Attention {
        q: one.clone(),
        k: one.clone(),
        v: one.clone(),
        cache_k: one.clone(),
        cache_v: one,
        table: bench.put_words(bytemuck::cast_slice(&[entry])),
        factors: bench.put(&[1.0]),
        out,
        n_rows: 1,
        batch_rows: 1,
        layer: 0,
        shape: AttentionShape { n_heads: 1, n_kv_heads: 1, head_dim: 2 },
        pairs: 1,
    };
    assert!(bench.refused(op).contains("row 0 reaches beyond"));
}

#[test]
fn normalisers_wanted_logits_and_the_largest_join_over_pieces() {
    let mut bench = Bench::new();
    let (rows, vocab) = (3, 70);
    let logits: Vec<f32> = bench.random(rows * vocab).iter().map(|x| x * 20.0).collect();
    let state = bench.put(&[0.0; 6]);
    let wanted = bench.put_words(&[0, 0, 1, 69, 2, 40, 2, 39]);
    let (picked, top) = (bench.put(&[0.0; 4]), bench.put(&vec![0.0; 2 * rows * 4 * 2]));
    for (piece, cols) in [(0, 40), (1, 30)] {
        let first_col = piece * 40;
        let part: Vec<f32> = (0..rows).flat_map(|r| logits[r * vocab + first_col..][..cols].to_vec()).collect();
        let part = bench.put(&part);
        bench.run(Op::LogSumExp { logits: part.clone(), state: state.clone(), rows, cols, first: piece == 0 });
        bench.run(Op::Pick { logits: part.clone(), wanted: wanted.clone(), out: picked.clone(), n: 4, rows, cols, first_col });
        bench.run(Op::TopK { logits: part, out: top.clone(), out_word: piece * rows * 8, rows, cols, first_col, k: 4 });
    }
    let states = bench.get(&state);
    for r in 0..rows {
        let exact: f64 = logits[r * vocab..][..vocab].iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
        assert!((f64::from(states[2 * r]) + f64::from(states[2 * r + 1]).ln() - exact).abs() < 1e-5);
    }
    assert_eq!(bench.get(&picked), [logits[0], logits[vocab + 69], logits[2 * vocab + 40], logits[2 * vocab + 39]]);
    let tops = bench.get(&top);
    for r in 0..rows {
        let mut best: Vec<(f32, u32)> = (0..2)
            .flat_map(|piece| tops[piece * rows * 8 + r * 8..][..8].chunks(2).map(|e| (e[0], e[1].to_bits())).collect::<Vec<_>>())
            .collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut expected: Vec<(f32, u32)> = logits[r * vocab..][..vocab].iter().copied().zip(0..).collect();
        expected.sort_by(|a, b| b.0.total_cmp(&a.0));
        assert_eq!(best[..4], expected[..4]);
    }
}

#[test]
fn the_largest_of_fewer_than_k_and_of_equals() {
    let mut bench = Bench::new();
    let (logits, out) = (bench.put(&[1.0, 3.0, 3.0]), bench.put(&[0.0; 8]));
    bench.run(Op::TopK { logits, out: out.clone(), out_word: 0, rows: 1, cols: 3, first_col: 10, k: 4 });
    let found: Vec<(f32, u32)> = bench.get(&out).chunks(2).map(|e| (e[0], e[1].to_bits())).collect();
    assert_eq!(found, [(3.0, 11), (3.0, 12), (1.0, 10), (-1e30, 0)]);
}

#[test]
fn rows_are_gathered_and_words_copied() {
    let mut bench = Bench::new();
    let (from, index, out) = (bench.put(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), bench.put_words(&[2, 0]), bench.put(&[0.0; 4]));
    bench.run(Op::Gather { from: from.clone(), index, out: out.clone(), rows: 2, cols: 2 });
    assert_eq!(bench.get(&out), [5.0, 6.0, 1.0, 2.0]);
    bench.run(Op::Copy { from, from_word: 3, to: out.clone(), to_word: 1, words: 2 });
    assert_eq!(bench.get(&out), [5.0, 4.0, 5.0, 2.0]);
}

#[test]
fn bytes_are_counted_and_come_back_when_handles_are_dropped() {
    let mut executor = CpuExecutor::new();
    let a = executor.buffer(100, "a").unwrap();
    let b = executor.buffer(50, "b").unwrap();
    assert_eq!((executor.stats().buffer_bytes, executor.stats().peak_bytes), (600, 600));
    drop(b);
    executor.reset_peak();
    assert_eq!(executor.stats().peak_bytes, 400);
    let spec = WeightSpec { name: "w".to_owned(), rows: 3, cols: 64, format: Format::Q8_0 };
    let weight = executor.weight(spec).unwrap();
    assert_eq!(executor.stats().weight_bytes, 3 * 2 * 34);
    drop((a, weight));
    executor.reset_peak();
    assert_eq!((executor.stats().buffer_bytes, executor.stats().weight_bytes), (0, 0));
}

#[test]
fn operands_that_do_not_fit_are_named() {
    let mut bench = Bench::new();
    let (x, short) = (bench.put(&[0.0; 6]), bench.put(&[0.0; 5]));
    let op =
        |x: &Buffer, out: &Buffer| Op::RmsNorm { x: x.clone(), gain: x.clone(), out: out.clone(), rows: 2, cols: 3, eps: 0.0 };
    assert_eq!(bench.refused(op(&x, &short)), "rms_norm: out holds 5 words, but its shape needs 6");
    assert_eq!(bench.refused(op(&x, &x)), "rms_norm: x is the same memory as the output");
    let spec = WeightSpec { name: "w".to_owned(), rows: 3, cols: 33, format: Format::Q4_0 };
    let refusal = bench.executor.weight(spec).unwrap_err().to_string();
    assert_eq!(refusal, "weight: w: rows of 33 are no whole number of Q4_0 blocks of 32");
    let other = CpuExecutor::new().buffer(6, "elsewhere").unwrap();
    drop(bench);
    let missing = pollster::block_on(CpuExecutor::new().read(&other, 1)).unwrap_err();
    assert!(matches!(missing, ExecError::Unknown { .. }));
}
