//! Handles of memory that an executor holds.

use std::sync::{Arc, Mutex, PoisonError};

/// A piece of an executor's memory: `words` 32-bit words, read as f32 or u32 by the operations that name it.
///
/// Cloning is cheap and shares the memory; when the last clone is dropped the executor may reuse it.
/// Contents are undefined until they are written.
#[derive(Clone, Debug)]
pub struct Buffer {
    slot: Arc<Slot>,
    words: usize,
}

#[derive(Debug)]
struct Slot {
    id: usize,
    slots: Slots,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().dropped.push(self.id);
    }
}

impl Buffer {
    /// Names the memory within its executor.
    pub fn id(&self) -> usize {
        self.slot.id
    }

    /// Length in 32-bit words, as it was asked for.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Whether both name the same memory.
    pub fn is(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }
}

/// An executor's record of which handles were dropped, shared with the handles themselves.
#[derive(Clone, Debug, Default)]
pub struct Slots(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    next: usize,
    dropped: Vec<usize>,
}

impl Slots {
    /// A handle of `words` words with a fresh id.
    pub fn issue(&self, words: usize) -> Buffer {
        let mut record = self.lock();
        let id = record.next;
        record.next += 1;
        drop(record);
        Buffer { slot: Arc::new(Slot { id, slots: self.clone() }), words }
    }

    /// The ids whose last handle was dropped since the last call.
    pub fn take_dropped(&self) -> Vec<usize> {
        std::mem::take(&mut self.lock().dropped)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        // A panic while the lock is held cannot leave the two fields inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
