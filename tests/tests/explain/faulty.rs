//! The CPU executor with a fault.

use kernels::cpu::CpuExecutor;
use kernels::{Buffer, ExecError, Executor, LocalFuture, Op, Stats, Weight, WeightSpec};

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The device is gone after so many runs.
    LostAfter(usize),
    /// No buffer of more words can be had.
    WordsAtMost(usize),
}

pub(crate) struct Faulty<'a> {
    pub(crate) inner: &'a mut CpuExecutor,
    pub(crate) fault: Fault,
    pub(crate) runs: usize,
    /// How often memory was refused.
    pub(crate) refused: usize,
}

impl<'a> Faulty<'a> {
    pub(crate) fn new(inner: &'a mut CpuExecutor, fault: Fault) -> Self {
        Self { inner, fault, runs: 0, refused: 0 }
    }
}

impl Executor for Faulty<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        if let Fault::WordsAtMost(most) = self.fault
            && words > most
        {
            self.refused += 1;
            let (purpose, device) = (purpose.to_owned(), self.describe());
            return Err(ExecError::OutOfMemory { purpose, bytes: 4 * words as u64, held_bytes: 0, device });
        }
        self.inner.buffer(words, purpose)
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        self.inner.write(buffer, offset, data)
    }

    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.inner.weight(spec)
    }

    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError> {
        self.inner.write_weight(weight, first_row, bytes)
    }

    fn warm_up<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.inner.warm_up(ops)
    }

    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        self.runs += 1;
        if let Fault::LostAfter(most) = self.fault
            && self.runs > most
        {
            let lost = ExecError::DeviceLost { device: self.describe(), reason: "unplugged".to_owned() };
            return Box::pin(std::future::ready(Err(lost)));
        }
        self.inner.run(ops)
    }

    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        self.inner.read(buffer, words)
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn reset_peak(&mut self) {
        self.inner.reset_peak();
    }
}
