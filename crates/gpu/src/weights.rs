//! Weights on the device: repacked as they stream in, split by rows where one binding cannot hold them.

use crate::Limits;
use crate::device::Device;
use crate::memory::{Memory, Physical};
use crate::program::words_per_element;
use kernels::{ExecError, ShapeError, WeightSpec};
use std::collections::HashMap;
use std::ops::Range;
use tensor::repack;

/// Written bytes, and writes, after which an upload is handed to the device: what was written waits in the driver's memory
/// until then, and hundreds of waiting writes have been seen to go astray.
const FLUSH_BYTES: usize = 32 << 20;
const FLUSH_WRITES: usize = 64;

/// A weight's rows in device memory.
#[derive(Debug)]
pub(crate) struct Sharded {
    /// 32-bit words of a row.
    row_words: usize,
    /// Rows of every shard but the last.
    shard_rows: usize,
    rows: usize,
    pub(crate) shards: Vec<Physical>,
}

impl Sharded {
    /// Elements of the shader's array in a row.
    pub(crate) fn row_stride(&self, spec: &WeightSpec) -> usize {
        self.row_words / words_per_element(spec.format)
    }

    /// Those shards that hold any of the rows: number, the first row of the shard, and which of the weight's rows it gives.
    pub(crate) fn covering(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        let shards = if rows.is_empty() { 0..0 } else { rows.start / self.shard_rows..(rows.end - 1) / self.shard_rows + 1 };
        shards.map(move |shard| {
            let begin = shard * self.shard_rows;
            (shard, begin, rows.start.max(begin)..rows.end.min(begin + self.shard_rows))
        })
    }

    /// Rows of one shard.
    pub(crate) fn rows_of(&self, shard: usize) -> usize {
        self.shard_rows.min(self.rows - shard * self.shard_rows)
    }
}

/// The weights of an executor.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    held: HashMap<usize, Sharded>,
    pub(crate) held_bytes: u64,
    /// Reused from one piece to the next.
    scratch: Vec<u32>,
    unflushed_bytes: usize,
    unflushed_writes: usize,
}

impl Weights {
    /// Room for a weight.
    pub(crate) fn make(
        &mut self,
        device: &mut Device,
        memory: &mut Memory,
        limits: Limits,
        spec: &WeightSpec,
    ) -> Result<Sharded, ExecError> {
        let misfit = || {
            ExecError::from(ShapeError::Dimension {
                op: "weight",
                what: format!("{} of {} rows by {} columns in {}", spec.name, spec.rows, spec.cols, spec.format),
            })
        };
        let row_words = repack::row_words(spec.format, spec.cols).filter(|words| *words > 0).ok_or_else(misfit)?;
        let row_bytes = row_words as u64 * 4;
        let shard_rows = usize::try_from(limits.whole_bytes() / row_bytes).unwrap_or(usize::MAX).min(spec.rows.max(1));
        if shard_rows == 0 {
            let (what, device) = (format!("a row of {}", spec.name), device.name().to_owned());
            return Err(ExecError::Limit { what, needed: row_bytes, limit: limits.whole_bytes(), device });
        }
        let mut sharded = Sharded { row_words, shard_rows, rows: spec.rows, shards: Vec::new() };
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        for shard in 0..spec.rows.div_ceil(shard_rows) {
            let bytes = row_bytes * sharded.rows_of(shard) as u64;
            let held = self.held_bytes + memory.meter.held_bytes;
            match memory.make(device, bytes, usage, &spec.name, held) {
                Ok(physical) => {
                    self.held_bytes += physical.bytes;
                    sharded.shards.push(physical);
                }
                Err(error) => {
                    self.give_up(sharded);
                    return Err(error);
                }
            }
        }
        Ok(sharded)
    }

    fn give_up(&mut self, sharded: Sharded) -> Vec<u64> {
        let mut gone = Vec::new();
        for physical in sharded.shards {
            self.held_bytes -= physical.bytes;
            physical.raw.destroy();
            gone.push(physical.unique);
        }
        gone
    }

    pub(crate) fn insert(&mut self, id: usize, sharded: Sharded) {
        self.held.insert(id, sharded);
    }

    /// The handle `id` is no more. Returns the unique numbers of its buffers if it was a weight's.
    pub(crate) fn release(&mut self, id: usize) -> Vec<u64> {
        self.held.remove(&id).map(|sharded| self.give_up(sharded)).unwrap_or_default()
    }

    pub(crate) fn get(&self, id: usize) -> Result<&Sharded, ExecError> {
        self.held.get(&id).ok_or(ExecError::Unknown { what: "weight", id })
    }

    /// Fills rows from `first_row` on with stored rows.
    pub(crate) fn write(
        &mut self,
        device: &mut Device,
        id: usize,
        spec: &WeightSpec,
        first_row: usize,
        bytes: &[u8],
    ) -> Result<(), ExecError> {
        let sharded = self.held.get(&id).ok_or(ExecError::Unknown { what: "weight", id })?;
        let misfit = |what: String| ExecError::from(ShapeError::Dimension { op: "write_weight", what });
        self.scratch.clear();
        repack::repack(spec.format, spec.cols, bytes, &mut self.scratch)
            .map_err(|error| misfit(format!("{}: {error}", spec.name)))?;
        let n_rows = self.scratch.len() / sharded.row_words;
        if first_row.checked_add(n_rows).is_none_or(|end| end > sharded.rows) {
            return Err(misfit(format!("{n_rows} rows from {first_row} on, but {} has {}", spec.name, sharded.rows)));
        }
        for (shard, begin, rows) in sharded.covering(first_row..first_row + n_rows) {
            let words = (rows.start - first_row) * sharded.row_words..(rows.end - first_row) * sharded.row_words;
            let offset = 4 * ((rows.start - begin) * sharded.row_words) as u64;
            if let (Some(physical), Some(words)) = (sharded.shards.get(shard), self.scratch.get(words)) {
                device.queue.write_buffer(&physical.raw, offset, bytemuck::cast_slice(words));
                device.check()?;
                self.unflushed_bytes += 4 * words.len();
                self.unflushed_writes += 1;
            }
        }
        if self.unflushed_bytes >= FLUSH_BYTES || self.unflushed_writes >= FLUSH_WRITES {
            (self.unflushed_bytes, self.unflushed_writes) = (0, 0);
            device.queue.submit([]);
            device.finish()?;
        }
        Ok(())
    }

    /// What was written has been handed to the device by a submit.
    pub(crate) fn flushed(&mut self) {
        (self.unflushed_bytes, self.unflushed_writes) = (0, 0);
    }
}
