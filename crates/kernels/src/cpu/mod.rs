//! The CPU executor: all threads of the machine natively, one thread with SIMD in WebAssembly.
//!
//! It is the twin that every shader is compared with, and what people without a usable GPU run.

mod attention;
mod elementwise;
mod few_rows;
mod gemm;
mod head;
mod math;
mod product;
mod threads;

use crate::{Buffer, ExecError, Executor, LocalFuture, Op, Slots, Stats, Weight, WeightSpec};
use attention::Attention;
use product::Stored;
use std::collections::HashMap;

/// Runs operations on the processor. Weights keep their stored bytes; no dequantised copy of one is ever held.
#[derive(Debug, Default)]
pub struct CpuExecutor {
    slots: Slots,
    buffers: HashMap<usize, Vec<f32>>,
    weights: HashMap<usize, Vec<u8>>,
    stats: Stats,
}

impl CpuExecutor {
    /// An executor that holds nothing yet.
    pub fn new() -> CpuExecutor {
        CpuExecutor::default()
    }

    /// How many threads it uses.
    pub fn threads(&self) -> usize {
        threads::count()
    }

    fn release_dropped(&mut self) {
        for id in self.slots.take_dropped() {
            if let Some(buffer) = self.buffers.remove(&id) {
                self.stats.buffer_bytes -= 4 * buffer.len() as u64;
            } else if let Some(weight) = self.weights.remove(&id) {
                self.stats.weight_bytes -= weight.len() as u64;
            }
        }
    }

    fn out_of_memory(&self, purpose: impl Into<String>, bytes: u64) -> ExecError {
        ExecError::OutOfMemory {
            purpose: purpose.into(),
            bytes,
            held_bytes: self.stats.buffer_bytes + self.stats.weight_bytes,
            device: self.describe(),
        }
    }

    fn floats(&self, buffer: &Buffer) -> Result<&[f32], ExecError> {
        self.buffers.get(&buffer.id()).map(Vec::as_slice).ok_or(ExecError::Unknown { what: "buffer", id: buffer.id() })
    }

    fn words(&self, buffer: &Buffer) -> Result<&[u32], ExecError> {
        self.floats(buffer).map(bytemuck::cast_slice)
    }

    fn stored(&self, weight: &Weight) -> Result<Stored<'_>, ExecError> {
        let bytes = self.weights.get(&weight.id()).ok_or(ExecError::Unknown { what: "weight", id: weight.id() })?;
        let row_bytes = weight.spec().row_bytes().unwrap_or(0);
        Ok(Stored { bytes, format: weight.format(), cols: weight.cols(), row_bytes })
    }

    /// Takes the output's memory out, lets `work` fill it beside the inputs, and puts it back.
    fn with_out(&mut self, out: &Buffer, work: impl FnOnce(&Self, &mut [f32]) -> Result<(), ExecError>) -> Result<(), ExecError> {
        let mut memory = self.buffers.remove(&out.id()).ok_or(ExecError::Unknown { what: "buffer", id: out.id() })?;
        let result = work(self, &mut memory);
        self.buffers.insert(out.id(), memory);
        result
    }

    fn run_one(&mut self, op: &Op) -> Result<(), ExecError> {
        op.check()?;
        self.stats.ops += 1;
        self.stats.cost += op.cost();
        match op {
            Op::Embed { table, ids, out, rows } => self.with_out(out, |this, out| {
                let (stored, ids) = (this.stored(table)?, &this.words(ids)?[..*rows]);
                for (id, out) in ids.iter().zip(out.chunks_exact_mut(table.cols())) {
                    let id = in_range("embed", "id", *id, table.rows())?;
                    stored.decode_rows(id, out);
                }
                Ok(())
            }),
            Op::RmsNorm { x, gain, out, rows, cols, eps } => self.with_out(out, |this, out| {
                elementwise::rms_norm(this.floats(x)?, &this.floats(gain)?[..*cols], &mut out[..rows * cols], *cols, *eps);
                Ok(())
            }),
            Op::LayerNorm { x, gain, bias, out, rows, cols, eps } => self.with_out(out, |this, out| {
                let (gain, bias) = (&this.floats(gain)?[..*cols], &this.floats(bias)?[..*cols]);
                elementwise::layer_norm(this.floats(x)?, gain, bias, &mut out[..rows * cols], *cols, *eps);
                Ok(())
            }),
            Op::MatMul { x, weight, outputs, out, rows, accumulate } => self.with_out(out, |this, out| {
                product::matmul(this.floats(x)?, this.stored(weight)?, outputs.start, outputs.len(), out, *rows, *accumulate);
                Ok(())
            }),
            Op::Rope { x, angles, rows, heads, head_dim } => self.with_out(x, |this, x| {
                elementwise::rope(&mut x[..rows * heads * head_dim], this.floats(angles)?, *heads, *head_dim);
                Ok(())
            }),
            Op::Attention { q, k, v, cache_k, cache_v, table, factors, out, n_rows, batch_rows, layer, shape, .. } => self
                .with_out(out, |this, out| {
                    let attention = Attention {
                        q: this.floats(q)?,
                        k: this.floats(k)?,
                        v: this.floats(v)?,
                        cache_k: this.floats(cache_k)?,
                        cache_v: this.floats(cache_v)?,
                        table: bytemuck::cast_slice(&this.words(table)?[..8 * n_rows]),
                        factors: this.floats(factors)?,
                        layer: *layer,
                        shape: *shape,
                    };
                    attention.check(*batch_rows)?;
                    attention.run(&mut out[..n_rows * shape.n_heads * shape.head_dim]);
                    Ok(())
                }),
            Op::SwiGlu { gate, up, words } => self.with_out(gate, |this, gate| {
                elementwise::swiglu(&mut gate[..*words], &this.floats(up)?[..*words]);
                Ok(())
            }),
            Op::Gelu { x, words } => self.with_out(x, |_, x| {
                elementwise::gelu(&mut x[..*words]);
                Ok(())
            }),
            Op::Add { x, addend, words, period } => self.with_out(x, |this, x| {
                elementwise::add(&mut x[..*words], &this.floats(addend)?[..*period]);
                Ok(())
            }),
            Op::Copy { from, from_word, to, to_word, words } => self.with_out(to, |this, to| {
                to[*to_word..][..*words].copy_from_slice(&this.floats(from)?[*from_word..][..*words]);
                Ok(())
            }),
            Op::Gather { from, index, out, rows, cols } => self.with_out(out, |this, out| {
                let (from, index) = (this.floats(from)?, &this.words(index)?[..*rows]);
                for (row, out) in index.iter().zip(out.chunks_exact_mut(*cols)) {
                    let row = in_range("gather", "index", *row, from.len() / cols)?;
                    out.copy_from_slice(&from[row * cols..][..*cols]);
                }
                Ok(())
            }),
            Op::LogSumExp { logits, state, rows, cols, first } => self.with_out(state, |this, state| {
                head::log_sum_exp(this.floats(logits)?, &mut state[..2 * rows], *cols, *first);
                Ok(())
            }),
            Op::Pick { logits, wanted, out, n, rows, cols, first_col } => self.with_out(out, |this, out| {
                let logits = &this.floats(logits)?[..rows * cols];
                head::pick(logits, &this.words(wanted)?[..2 * n], &mut out[..*n], *cols, *first_col);
                Ok(())
            }),
            Op::TopK { logits, out, out_word, rows, cols, first_col, k } => self.with_out(out, |this, out| {
                head::top_k(this.floats(logits)?, &mut out[*out_word..][..2 * rows * k], *cols, *first_col, *k);
                Ok(())
            }),
        }
    }
}

/// An index read from a buffer, if it is below `limit`.
fn in_range(op: &'static str, what: &str, index: u32, limit: usize) -> Result<usize, crate::ShapeError> {
    let index = index as usize;
    if index >= limit {
        return Err(crate::ShapeError::Dimension { op, what: format!("{what} {index} is not below {limit}") });
    }
    Ok(index)
}

/// A future that is already done: the CPU works while it is asked.
fn done<'a, T: 'a>(result: Result<T, ExecError>) -> LocalFuture<'a, T> {
    Box::pin(std::future::ready(result))
}

impl Executor for CpuExecutor {
    fn describe(&self) -> String {
        format!("CPU, {} thread{}", threads::count(), if threads::count() == 1 { "" } else { "s" })
    }

    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        self.release_dropped();
        let mut memory = Vec::new();
        memory.try_reserve_exact(words).map_err(|_| self.out_of_memory(purpose, 4 * words as u64))?;
        memory.resize(words, 0.0);
        let buffer = self.slots.issue(words);
        self.buffers.insert(buffer.id(), memory);
        self.stats.buffer_bytes += 4 * words as u64;
        self.stats.peak_bytes = self.stats.peak_bytes.max(self.stats.buffer_bytes);
        Ok(buffer)
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        let memory = self.buffers.get_mut(&buffer.id()).ok_or(ExecError::Unknown { what: "buffer", id: buffer.id() })?;
        let found = memory.len();
        let target = offset.checked_add(data.len()).and_then(|end| memory.get_mut(offset..end));
        let needed = offset.saturating_add(data.len());
        let target = target.ok_or(crate::ShapeError::TooShort { op: "write", operand: "buffer", found, needed })?;
        target.copy_from_slice(bytemuck::cast_slice(data));
        Ok(())
    }

    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.release_dropped();
        let bytes = spec.stored_bytes().ok_or_else(|| not_whole_blocks(&spec))?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(bytes).map_err(|_| self.out_of_memory(format!("weight {}", spec.name), bytes as u64))?;
        memory.resize(bytes, 0);
        let weight = Weight::issue(&self.slots, spec);
        self.weights.insert(weight.id(), memory);
        self.stats.weight_bytes += bytes as u64;
        Ok(weight)
    }

    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError> {
        let memory = self.weights.get_mut(&weight.id()).ok_or(ExecError::Unknown { what: "weight", id: weight.id() })?;
        let found = memory.len();
        let begin = weight.spec().row_bytes().and_then(|row_bytes| row_bytes.checked_mul(first_row)).unwrap_or(usize::MAX);
        let needed = begin.saturating_add(bytes.len());
        let target = memory.get_mut(begin..needed);
        let target = target.ok_or(crate::ShapeError::TooShort { op: "write_weight", operand: "weight", found, needed })?;
        target.copy_from_slice(bytes);
        Ok(())
    }

    fn warm_up<'a>(&'a mut self, _ops: &'a [Op]) -> LocalFuture<'a, ()> {
        done(Ok(()))
    }

    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        done(threads::together(|| ops.iter().try_for_each(|op| self.run_one(op))))
    }

    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        self.stats.read_backs += 1;
        done(self.words(buffer).and_then(|all| {
            let too_short = crate::ShapeError::TooShort { op: "read", operand: "buffer", found: all.len(), needed: words };
            all.get(..words).map(<[u32]>::to_vec).ok_or(too_short.into())
        }))
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn reset_peak(&mut self) {
        self.release_dropped();
        self.stats.peak_bytes = self.stats.buffer_bytes;
    }
}

fn not_whole_blocks(spec: &WeightSpec) -> ExecError {
    let what = format!(
        "{}: rows of {} are no whole number of {} blocks of {}",
        spec.name,
        spec.cols,
        spec.format,
        spec.format.block_len()
    );
    crate::ShapeError::Dimension { op: "weight", what }.into()
}
