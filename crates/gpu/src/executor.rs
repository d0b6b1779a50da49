//! The executor: handles in, dispatches out.

use crate::device::{Attempt, Device, Guarded};
use crate::memory::Memory;
use crate::pace::Pace;
use crate::pipelines::Pipelines;
use crate::plan::{Dispatch, Operand, Planner};
use crate::program::{Halves, PARAM_WORDS, Program};
use crate::signal::Signal;
use crate::weights::Weights;
use crate::{Limits, Tier};
use kernels::{Buffer, Cost, ExecError, Executor, LocalFuture, Op, ShapeError, Slots, Stats, Weight, WeightSpec};
use std::collections::{HashMap, HashSet, VecDeque};
use web_time::Instant;

/// Bytes from one dispatch's parameters to the next's: WebGPU's default alignment of dynamic offsets.
const SLOT_BYTES: u64 = 256;
/// Dispatches of a submit at most, each with a slot of its own: what is written to one buffer between the dispatches of a
/// submit is written before all of them.
const SLOTS: usize = 512;
/// Submits under way at most: one that runs and one that waits, so that the device never idles and nothing piles up.
const MAX_IN_FLIGHT: usize = 2;

/// Runs operations as compute shaders on one device.
#[derive(Debug)]
pub struct GpuExecutor {
    device: Device,
    description: String,
    tier: Tier,
    halves: Halves,
    limits: Limits,
    slots: Slots,
    memory: Memory,
    weights: Weights,
    pipelines: Pipelines,
    arena: wgpu::Buffer,
    pace: Pace,
    in_flight: VecDeque<InFlight>,
    /// When the last submit that was waited for ended.
    last_end: Option<Instant>,
    stats: Stats,
}

/// A submit under way.
#[derive(Debug)]
struct InFlight {
    submission: wgpu::SubmissionIndex,
    begun: Instant,
    ended: Signal<Instant>,
    /// What each program has to do.
    work: Vec<(Program, Cost)>,
}

/// Dispatches on their way into one submit.
#[derive(Debug, Default)]
struct Batch {
    dispatches: Vec<Dispatch>,
    ns: f64,
}

impl GpuExecutor {
    pub(crate) fn new(
        raw: wgpu::Device,
        queue: wgpu::Queue,
        name: String,
        tier: Tier,
        limits: Limits,
        submit_ms: f64,
    ) -> Result<GpuExecutor, ExecError> {
        let description = format!("{name}, {tier} kernels");
        let mut device = Device::new(raw, queue, name);
        let arena_bytes = SLOT_BYTES * SLOTS as u64;
        let attempt = || Attempt { purpose: "kernel parameters".to_owned(), bytes: arena_bytes, held_bytes: 0 };
        let arena = device.guarded(Guarded::Allocation, attempt, |device, _| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("kernel parameters"),
                size: arena_bytes,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })?;
        let mut memory = Memory::default();
        memory.count_permanent(arena_bytes);
        Ok(GpuExecutor {
            device,
            description,
            tier,
            halves: Halves::default(),
            limits,
            slots: Slots::default(),
            memory,
            weights: Weights::default(),
            pipelines: Pipelines::default(),
            arena,
            pace: Pace::new(tier, submit_ms),
            in_flight: VecDeque::new(),
            last_end: None,
            stats: Stats::default(),
        })
    }

    /// Which kernels it runs.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// How it reads halves.
    pub fn halves(&self) -> Halves {
        self.halves
    }

    /// Has it read halves in another way from now on.
    pub fn set_halves(&mut self, halves: Halves) {
        self.halves = halves;
    }

    /// What it keeps to.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Gives the device up, with everything on it. Whatever is asked of the executor afterwards fails with
    /// [`ExecError::DeviceLost`].
    pub fn close(&self) {
        self.device.raw.destroy();
    }

    /// Takes back the memory of handles that were dropped.
    fn reclaim(&mut self) {
        for id in self.slots.take_dropped() {
            if !self.memory.release(id) {
                let gone = self.weights.release(id);
                self.pipelines.forget(&gone);
            }
        }
    }

    fn plan(&self, op: &Op) -> Result<Vec<Dispatch>, ExecError> {
        let planner = Planner {
            tier: self.tier,
            halves: self.halves,
            limits: self.limits,
            device: self.device.name(),
            weights: &self.weights,
            pace: &self.pace,
        };
        planner.plan(op)
    }

    async fn run_all(&mut self, ops: &[Op]) -> Result<(), ExecError> {
        self.reclaim();
        // All of them before any of them, so that a mistake leaves everything as it was.
        for op in ops {
            op.check()?;
        }
        let mut batch = Batch::default();
        for op in ops {
            for dispatch in self.plan(op)? {
                let ns = self.pace.estimate_ns(dispatch.program, dispatch.cost);
                let full = batch.dispatches.len() == SLOTS || self.pace.is_too_long(batch.ns + ns);
                if full && !batch.dispatches.is_empty() {
                    self.submit(std::mem::take(&mut batch)).await?;
                }
                batch.ns += ns;
                batch.dispatches.push(dispatch);
            }
            self.stats.ops += 1;
            self.stats.cost += op.cost();
        }
        self.submit(batch).await
    }

    /// Sends a batch on its way, once fewer than two others are.
    async fn submit(&mut self, batch: Batch) -> Result<(), ExecError> {
        if batch.dispatches.is_empty() {
            return Ok(());
        }
        while self.in_flight.len() >= MAX_IN_FLIGHT {
            self.await_oldest().await?;
        }
        self.device.settle().await?;
        let mut slots = vec![0u32; batch.dispatches.len() * SLOT_BYTES as usize / 4];
        let mut kernels = Vec::with_capacity(batch.dispatches.len());
        for (dispatch, slot) in batch.dispatches.iter().zip(slots.chunks_exact_mut(SLOT_BYTES as usize / 4)) {
            for (word, param) in slot.iter_mut().zip(dispatch.params) {
                *word = param;
            }
            let pipeline = self.pipelines.get(&mut self.device, dispatch.program)?;
            kernels.push((pipeline, self.operands(dispatch)?));
        }
        let (arena, pipelines) = (&self.arena, &mut self.pipelines);
        let attempt = || Attempt { purpose: "submitting work".to_owned(), ..Attempt::default() };
        let ended = Signal::new();
        let signal = ended.clone();
        let submission = self.device.guarded(Guarded::Submit, attempt, |device, queue| {
            queue.write_buffer(arena, 0, bytemuck::cast_slice(&slots));
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for (i, (dispatch, (pipeline, operands))) in batch.dispatches.iter().zip(&kernels).enumerate() {
                let bind_group = pipelines.bind(device, pipeline, arena, operands);
                let [x, y, z] = dispatch.workgroups;
                pass.set_pipeline(&pipeline.raw);
                pass.set_bind_group(0, &bind_group, &[i as u32 * SLOT_BYTES as u32]);
                pass.dispatch_workgroups(x, y, z);
            }
            drop(pass);
            let submission = queue.submit([encoder.finish()]);
            queue.on_submitted_work_done(move || signal.set(Instant::now()));
            submission
        })?;
        self.weights.flushed();
        self.device.promises += 1;
        self.stats.submits += 1;
        self.stats.dispatches += batch.dispatches.len() as u64;
        let mut work: HashMap<Program, Cost> = HashMap::new();
        for dispatch in &batch.dispatches {
            *work.entry(dispatch.program).or_default() += dispatch.cost;
        }
        let work = work.into_iter().collect();
        self.in_flight.push_back(InFlight { submission, begun: Instant::now(), ended, work });
        Ok(())
    }

    /// The buffers of a dispatch, each with its unique number.
    fn operands(&self, dispatch: &Dispatch) -> Result<Vec<(wgpu::Buffer, u64)>, ExecError> {
        let operand = |operand: &Operand| {
            let physical = match *operand {
                Operand::Buffer(id) => self.memory.get(id)?,
                Operand::Shard(id, shard) => {
                    self.weights.get(id)?.shards.get(shard).ok_or(ExecError::Unknown { what: "weight", id })?
                }
            };
            Ok((physical.raw.clone(), physical.unique))
        };
        dispatch.operands.iter().map(operand).collect()
    }

    /// Waits for the oldest submit under way and learns from the time it took.
    async fn await_oldest(&mut self) -> Result<(), ExecError> {
        let Some(oldest) = self.in_flight.pop_front() else { return Ok(()) };
        // Natively the end is noticed only by asking: if it lies in the past already, how long ago is anyone's guess.
        let seen = oldest.ended.get().is_none();
        let ended = self.device.wait(&oldest.ended, &oldest.submission).await?;
        let begun = self.last_end.map_or(oldest.begun, |last| last.max(oldest.begun));
        let ns = ended.saturating_duration_since(begun).as_nanos() as f64;
        let estimate: f64 = oldest.work.iter().map(|(program, cost)| self.pace.estimate_ns(*program, *cost)).sum();
        if seen || ns < estimate {
            self.pace.learn(&oldest.work, ns);
        }
        self.last_end = Some(ended);
        Ok(())
    }

    async fn warm(&mut self, ops: &[Op]) -> Result<(), ExecError> {
        self.reclaim();
        let mut seen = HashSet::new();
        for op in ops {
            op.check()?;
            for mut dispatch in self.plan(op)? {
                if self.pipelines.has(dispatch.program) || !seen.insert(dispatch.program) {
                    continue;
                }
                // Drivers compile at the first dispatch. This one has nothing to do: its range is empty.
                dispatch.params = [0; PARAM_WORDS];
                dispatch.workgroups = [1, 1, 1];
                dispatch.cost = Cost::default();
                self.submit(Batch { dispatches: vec![dispatch], ns: 0.0 }).await?;
                while !self.in_flight.is_empty() {
                    self.await_oldest().await?;
                }
            }
        }
        self.device.settle().await
    }

    async fn read_back(&mut self, buffer: &Buffer, words: usize) -> Result<Vec<u32>, ExecError> {
        self.reclaim();
        within("read", buffer, words)?;
        self.device.settle().await?;
        if words == 0 {
            return Ok(Vec::new());
        }
        let bytes = 4 * words as u64;
        let mut staging = self.memory.stage(&mut self.device, bytes)?;
        let source = self.memory.get(buffer.id())?.raw.clone();
        let Some(target) = staging.buffer().cloned() else { return Ok(Vec::new()) };
        let mapped = Signal::new();
        let signal = mapped.clone();
        let attempt = || Attempt { purpose: "reading back".to_owned(), ..Attempt::default() };
        let submission = self.device.guarded(Guarded::Submit, attempt, |device, queue| {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(&source, 0, &target, 0, Some(bytes));
            let submission = queue.submit([encoder.finish()]);
            target.map_async(wgpu::MapMode::Read, 0..bytes, move |result| signal.set(result.is_ok()));
            submission
        })?;
        staging.mark_mapped();
        self.device.promises += 1;
        self.weights.flushed();
        self.stats.submits += 1;
        self.stats.read_backs += 1;
        while !self.in_flight.is_empty() {
            self.await_oldest().await?;
        }
        let refused = |device: &Device, message: String| ExecError::Device { device: device.name().to_owned(), message };
        if !self.device.wait(&mapped, &submission).await? {
            self.device.settle().await?;
            return Err(refused(&self.device, "what was to be read back could not be mapped".to_owned()));
        }
        self.device.settle().await?;
        let view = target.get_mapped_range(0..bytes).map_err(|error| refused(&self.device, error.to_string()))?;
        Ok(bytemuck::pod_collect_to_vec(&view))
    }
}

/// Whether the buffer has so many words.
fn within(op: &'static str, buffer: &Buffer, needed: usize) -> Result<(), ExecError> {
    let found = buffer.words();
    if found < needed {
        return Err(ShapeError::TooShort { op, operand: "buffer", found, needed }.into());
    }
    Ok(())
}

impl Executor for GpuExecutor {
    fn describe(&self) -> String {
        self.description.clone()
    }

    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
        self.reclaim();
        let buffer = self.slots.issue(words);
        let (limits, weight_bytes) = (self.limits, self.weights.held_bytes);
        let gone = self.memory.take(&mut self.device, limits, buffer.id(), words, purpose, weight_bytes)?;
        self.pipelines.forget(&gone);
        Ok(buffer)
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, data: &[u32]) -> Result<(), ExecError> {
        within("write", buffer, offset.saturating_add(data.len()))?;
        let raw = &self.memory.get(buffer.id())?.raw;
        // Without error scopes: what is wrong with a write, and little can be, comes out of what is done next.
        self.device.queue.write_buffer(raw, 4 * offset as u64, bytemuck::cast_slice(data));
        self.device.check()
    }

    fn weight(&mut self, spec: WeightSpec) -> Result<Weight, ExecError> {
        self.reclaim();
        // Weights come in bulk: what an earlier model's runs left behind makes room for them.
        let gone = self.memory.give_up_unused(&self.device)?;
        self.pipelines.forget(&gone);
        let sharded = self.weights.make(&mut self.device, &mut self.memory, self.limits, &spec)?;
        let weight = Weight::issue(&self.slots, spec);
        self.weights.insert(weight.id(), sharded);
        Ok(weight)
    }

    fn write_weight(&mut self, weight: &Weight, first_row: usize, bytes: &[u8]) -> Result<(), ExecError> {
        self.weights.write(&mut self.device, weight.id(), weight.spec(), first_row, bytes)
    }

    fn warm_up<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        Box::pin(self.warm(ops))
    }

    fn run<'a>(&'a mut self, ops: &'a [Op]) -> LocalFuture<'a, ()> {
        Box::pin(self.run_all(ops))
    }

    fn read<'a>(&'a mut self, buffer: &'a Buffer, words: usize) -> LocalFuture<'a, Vec<u32>> {
        Box::pin(self.read_back(buffer, words))
    }

    fn largest_buffer_bytes(&self) -> u64 {
        self.limits.whole_bytes()
    }

    fn stats(&self) -> Stats {
        Stats {
            weight_bytes: self.weights.held_bytes,
            buffer_bytes: self.memory.meter.held_bytes,
            peak_bytes: self.memory.meter.peak_bytes,
            promises: self.device.promises,
            ..self.stats
        }
    }

    fn reset_peak(&mut self) {
        self.memory.meter.peak_bytes = self.memory.meter.held_bytes;
    }
}
