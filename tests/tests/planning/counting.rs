//! An executor that counts what it is asked for, keeps to limits, and takes the time that a script says.

use kernels::{Buffer, ExecError, Executor, LocalFuture, Op, Slots, Stats, Weight, WeightSpec};
use std::collections::HashMap;
use std::time::Duration;

/// Everything it computes is 1, which makes every log-probability 0.
pub(crate) struct Counting {
    slots: Slots,
    live: HashMap<usize, u64>,
    stats: Stats,
    largest_buffer_bytes: u64,
    /// Whether it says what the largest buffer is, or only refuses larger ones.
    is_frank: bool,
    /// Bytes of all buffers at most.
    memory_bytes: u64,
    /// Floating-point operations a second of each call of `run`, counted from 0; none where it takes no time.
    speed: Option<Box<dyn Fn(usize) -> f64>>,
    runs: usize,
    pub(crate) refused: usize,
    /// The most rows of one matrix product.
    pub(crate) most_rows: usize,
}

impl Counting {
    pub(crate) fn new(largest_buffer_bytes: u64) -> Counting {
        Counting {
            slots: Slots::default(),
            live: HashMap::new(),
            stats: Stats::default(),
            largest_buffer_bytes,
            is_frank: true,
            memory_bytes: u64::MAX,
            speed: None,
            runs: 0,
            refused: 0,
            most_rows: 0,
        }
    }

    /// Does not say what it allows.
    pub(crate) fn secretive(self) -> Counting {
        Counting { is_frank: false, ..self }
    }

    pub(crate) fn set_memory(&mut self, bytes: u64) {
        self.memory_bytes = bytes;
    }

    /// From now on the `n`-th run takes the time that its operations take at `speed(n)` operations a second.
    pub(crate) fn script(&mut self, speed: impl Fn(usize) -> f64 + 'static) {
        self.runs = 0;
        self.speed = Some(Box::new(speed));
    }

    fn let_go(&mut self) {
        for id in self.slots.take_dropped() {
            self.stats.buffer_bytes -= self.live.remove(&id).unwrap_or(0);
        }
    }
}

impl Executor for Counting {
    fn describe(&self) -> String {
        "a device that only counts".to_owned()
    }

    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        self.let_go();
        let (bytes, device) = (4 * words as u64, self.describe());
        if bytes > self.largest_buffer_bytes {
            self.refused += 1;
            let what = format!("a buffer for {purpose}");
            return Err(ExecError::Limit { what, needed: bytes, limit: self.largest_buffer_bytes, device });
        }
        let held_bytes = self.stats.buffer_bytes;
        if held_bytes + bytes > self.memory_bytes {
            self.refused += 1;
            return Err(ExecError::OutOfMemory { purpose: purpose.to_owned(), bytes, held_bytes, device });
        }
        let buffer = self.slots.issue(words);
        self.live.insert(buffer.id(), bytes);
        self.stats.buffer_bytes += bytes;
        self.stats.peak_bytes = self.stats.peak_bytes.max(self.stats.buffer_bytes);
        Ok(buffer)
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        assert!(offset + data.len() <= buffer.words());
        Ok(())
    }

    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.stats.weight_bytes += spec.stored_bytes().unwrap() as u64;
        Ok(Weight::issue(&self.slots, spec))
    }

    fn write_weight(&mut self, _: &Weight, _: usize, _: &[u8]) -> Result<(), ExecError> {
        Ok(())
    }

    fn warm_up<'a>(&'a mut self, _: &'a [Op]) -> LocalFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        let before = self.stats.cost.flops;
        for op in ops {
            op.check().unwrap();
            if let Op::MatMul { rows, .. } = op {
                self.most_rows = self.most_rows.max(*rows);
            }
            self.stats.ops += 1;
            self.stats.cost += op.cost();
        }
        if let Some(speed) = &self.speed {
            let flops = (self.stats.cost.flops - before) as f64;
            std::thread::sleep(Duration::from_secs_f64(flops / speed(self.runs)));
        }
        self.runs += 1;
        Box::pin(std::future::ready(Ok(())))
    }

    fn read<'a>(&'a mut self, _: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        self.stats.read_backs += 1;
        Box::pin(std::future::ready(Ok(vec![1.0f32.to_bits(); words])))
    }

    fn largest_buffer_bytes(&self) -> u64 {
        if self.is_frank { self.largest_buffer_bytes } else { isize::MAX as u64 }
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn reset_peak(&mut self) {
        self.let_go();
        self.stats.peak_bytes = self.stats.buffer_bytes;
    }
}
