//! Buffers: made, reused, freed, and every byte of them counted.

use crate::Limits;
use crate::device::{Attempt, Device, Guarded};
use kernels::ExecError;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What sizes are rounded up to, so that nearly equal requests can take each other's place.
const GRAIN_BYTES: u64 = 256;
/// A freed buffer serves a request this much smaller at most, so that little of what counts as live is waste..
const MAX_SLACK: u64 = 4;
/// ..unless it is so small that it does not matter.
const SMALL_BYTES: u64 = 64 << 10;

/// A buffer of the device, and a number that no other ever has.
#[derive(Clone, Debug)]
pub(crate) struct Physical {
    pub(crate) raw: wgpu::Buffer,
    pub(crate) unique: u64,
    pub(crate) bytes: u64,
}

/// Bytes held in buffers, and the most that it has been.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    pub(crate) held_bytes: u64,
    pub(crate) peak_bytes: u64,
}

impl Meter {
    fn add(&mut self, bytes: u64) {
        self.held_bytes += bytes;
        self.peak_bytes = self.peak_bytes.max(self.held_bytes);
    }

    fn remove(&mut self, bytes: u64) {
        self.held_bytes -= bytes;
    }
}

/// The buffers behind the handles of an executor.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    live: HashMap<usize, Physical>,
    free: Vec<Physical>,
    /// Buffers for reading back; shared with the reads under way, so that one given up midway returns its buffer.
    staging: Rc<RefCell<Vec<Physical>>>,
    pub(crate) meter: Meter,
    next_unique: u64,
}

impl Memory {
    /// Makes a buffer of the device, counted by the caller.
    pub(crate) fn make(
        &mut self,
        device: &mut Device,
        bytes: u64,
        usage: wgpu::BufferUsages,
        purpose: &str,
        held_bytes: u64,
    ) -> Result<Physical, ExecError> {
        let descriptor = wgpu::BufferDescriptor { label: Some(purpose), size: bytes, usage, mapped_at_creation: false };
        let attempt = || Attempt { purpose: purpose.to_owned(), bytes, held_bytes };
        let raw = device.guarded(Guarded::Allocation, attempt, |device, _| device.create_buffer(&descriptor))?;
        self.next_unique += 1;
        Ok(Physical { raw, unique: self.next_unique, bytes })
    }

    /// Memory for the handle `id`: the freed buffer that fits best, else a new one, for which everything unused is given up
    /// first. Returns the unique numbers of what was given up.
    pub(crate) fn take(
        &mut self,
        device: &mut Device,
        limits: Limits,
        id: usize,
        words: usize,
        purpose: &'static str,
        weight_bytes: u64,
    ) -> Result<Vec<u64>, ExecError> {
        let needed = 4 * words as u64;
        if needed > limits.whole_bytes() {
            let (what, limit, device) = (format!("a buffer for {purpose}"), limits.whole_bytes(), device.name().to_owned());
            return Err(ExecError::Limit { what, needed, limit, device });
        }
        let bytes = needed.max(1).next_multiple_of(GRAIN_BYTES).min((limits.whole_bytes() & !15).max(needed));
        let fitting = self
            .free
            .iter()
            .enumerate()
            .filter(|(_, free)| free.bytes >= bytes && free.bytes <= (bytes + bytes / MAX_SLACK).max(SMALL_BYTES));
        if let Some((at, _)) = fitting.min_by_key(|(_, free)| free.bytes) {
            let physical = self.free.swap_remove(at);
            self.live.insert(id, physical);
            return Ok(Vec::new());
        }
        let gone = self.give_up_unused(device)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let physical = self.make(device, bytes, usage, purpose, self.meter.held_bytes + weight_bytes)?;
        self.meter.add(physical.bytes);
        self.live.insert(id, physical);
        Ok(gone)
    }

    /// Frees every buffer that no handle names and no read uses; returns their unique numbers.
    pub(crate) fn give_up_unused(&mut self, device: &Device) -> Result<Vec<u64>, ExecError> {
        let staging = self.staging.borrow_mut().split_off(0);
        let mut gone = Vec::new();
        for physical in self.free.drain(..).chain(staging) {
            self.meter.remove(physical.bytes);
            physical.raw.destroy();
            gone.push(physical.unique);
        }
        if !gone.is_empty() {
            // The driver frees memory once nothing that uses it is under way.
            device.finish()?;
        }
        Ok(gone)
    }

    /// The handle `id` is no more. Says whether it was a buffer's.
    pub(crate) fn release(&mut self, id: usize) -> bool {
        match self.live.remove(&id) {
            Some(physical) => {
                self.free.push(physical);
                true
            }
            None => false,
        }
    }

    /// The memory of the handle `id`.
    pub(crate) fn get(&self, id: usize) -> Result<&Physical, ExecError> {
        self.live.get(&id).ok_or(ExecError::Unknown { what: "buffer", id })
    }

    /// A buffer to read `bytes` back through.
    pub(crate) fn stage(&mut self, device: &mut Device, bytes: u64) -> Result<Staging, ExecError> {
        let fitting = {
            let mut free = self.staging.borrow_mut();
            let best = free.iter().enumerate().filter(|(_, free)| free.bytes >= bytes).min_by_key(|(_, free)| free.bytes);
            let best = best.map(|(at, _)| at);
            best.map(|at| free.swap_remove(at))
        };
        let physical = match fitting {
            Some(physical) => physical,
            None => {
                for small in self.staging.borrow_mut().drain(..) {
                    self.meter.remove(small.bytes);
                    small.raw.destroy();
                }
                let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                let bytes = bytes.next_multiple_of(4096);
                let physical = self.make(device, bytes, usage, "reading back", self.meter.held_bytes)?;
                self.meter.add(physical.bytes);
                physical
            }
        };
        Ok(Staging { physical: Some(physical), mapped: false, home: self.staging.clone() })
    }

    /// Counts a buffer that lives as long as the executor.
    pub(crate) fn count_permanent(&mut self, bytes: u64) {
        self.meter.add(bytes);
    }
}

/// A staging buffer in use; returns home when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    physical: Option<Physical>,
    mapped: bool,
    home: Rc<RefCell<Vec<Physical>>>,
}

impl Staging {
    pub(crate) fn buffer(&self) -> Option<&wgpu::Buffer> {
        self.physical.as_ref().map(|physical| &physical.raw)
    }

    /// Says that mapping was asked for, to be undone on the way home.
    pub(crate) fn mark_mapped(&mut self) {
        self.mapped = true;
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(physical) = self.physical.take() {
            if self.mapped {
                // Also calls off a mapping that nobody waits for any more.
                physical.raw.unmap();
            }
            self.home.borrow_mut().push(physical);
        }
    }
}
