//! How long a forward pass of SmolLM2 takes on each executor, and where the time goes.
//!
//! One row is a step of decoding behind 128 cached positions, more rows are a prefill from an empty cache; the LM head
//! runs on the last row. With `--against-pytorch PYTHON` the same pass in PyTorch, timed in turn with ours.

use anyhow::{Context, Result};
use clap::Parser;
use kernels::cpu::CpuExecutor;
use kernels::{Buffer, Cost, ExecError, Executor, LocalFuture, Op, Stats, Weight, WeightSpec};
use model::{Input, KvCache, Model, Sequence, Wanted};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use weights::{Checkpoint, ModelFiles};

/// Positions in the cache when one row is timed.
const CACHED: usize = 128;

#[derive(Parser)]
struct Arguments {
    /// The model's file or folder
    #[arg(long)]
    model: PathBuf,
    /// Row counts to time
    #[arg(long, value_delimiter = ',', default_values_t = [1usize, 8, 32, 128])]
    rows: Vec<usize>,
    /// Executors to time
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Device::Cpu, Device::Gpu])]
    devices: Vec<Device>,
    /// A Python that has PyTorch
    #[arg(long)]
    against_pytorch: Option<PathBuf>,
    /// Timed passes of each kind
    #[arg(long, default_value_t = 7)]
    repeats: usize,
    /// Given by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

/// An executor.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Device {
    /// The processor
    Cpu,
    /// The first graphics adapter, even a software one
    Gpu,
}

impl Device {
    fn open(self) -> Result<Option<Box<dyn Executor>>> {
        if matches!(self, Device::Cpu) {
            return Ok(Some(Box::new(CpuExecutor::new())));
        }
        let adapters = pollster::block_on(gpu::Adapters::find());
        if adapters.facts().is_empty() {
            println!("\nThis machine has no graphics adapter.");
            return Ok(None);
        }
        Ok(Some(Box::new(pollster::block_on(adapters.open(0, &gpu::Options::default()))?)))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut pytorch = arguments.against_pytorch.as_ref().map(PyTorch::start).transpose()?;
    for device in &arguments.devices {
        let Some(mut executor) = device.open()? else { continue };
        println!("\n## {}\n", executor.describe());
        let files = ModelFiles::from_path(&arguments.model)?;
        let checkpoint = pollster::block_on(Checkpoint::open(files))?;
        let model = pollster::block_on(Model::load(&checkpoint, executor.as_mut(), &mut |_| {}))?;
        for rows in &arguments.rows {
            measure(&model, executor.as_mut(), *rows, arguments.repeats, pytorch.as_mut())?;
        }
    }
    Ok(())
}

/// Times one row count and prints its table.
fn measure(
    model: &Model,
    executor: &mut dyn Executor,
    rows: usize,
    repeats: usize,
    mut pytorch: Option<&mut PyTorch>,
) -> Result<()> {
    let mut pass = Prepared::new(model, executor, rows)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    pass.run(model, executor)?;
    if let Some(pytorch) = &mut pytorch {
        pytorch.forward_ms(rows)?;
    }
    for _ in 0..repeats {
        let begin = Instant::now();
        pass.run(model, executor)?;
        ours.push(begin.elapsed().as_secs_f64() * 1e3);
        if let Some(pytorch) = &mut pytorch {
            theirs.push(pytorch.forward_ms(rows)?);
        }
    }
    let our_ms = median(&mut ours);
    print!("### {rows} rows: median {our_ms:.1} ms, best {:.1} ms", ours[0]);
    if let Some(pytorch) = pytorch {
        let their_ms = median(&mut theirs);
        print!(
            "; PyTorch {} median {their_ms:.1} ms, best {:.1} ms; its time over ours {:.2}",
            pytorch.version,
            theirs[0],
            their_ms / our_ms
        );
    }
    println!("\n");
    let mut timed = Timed { inner: executor, kernels: BTreeMap::new() };
    pass.run(model, &mut timed)?;
    let total: Duration = timed.kernels.values().map(|kernel| kernel.time).sum();
    println!("| kernel | calls | ms | share | GFLOP/s | GB/s |\n|---|---|---|---|---|---|");
    let mut kernels: Vec<_> = timed.kernels.iter().collect();
    kernels.sort_by_key(|(_, kernel)| std::cmp::Reverse(kernel.time));
    for (name, Kernel { calls, time, cost }) in kernels {
        let seconds = time.as_secs_f64();
        let share = 100.0 * seconds / total.as_secs_f64();
        let (gflops, gbytes) = (cost.flops as f64 / seconds / 1e9, (cost.read_bytes + cost.written_bytes) as f64 / seconds / 1e9);
        println!("| {name} | {calls} | {:.2} | {share:.1} % | {gflops:.1} | {gbytes:.1} |", seconds * 1e3);
    }
    println!();
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A pass that can be run again and again.
struct Prepared {
    cache: KvCache,
    start: usize,
    ids: Vec<u32>,
}

impl Prepared {
    fn new(model: &Model, executor: &mut dyn Executor, rows: usize) -> Result<Prepared> {
        let start = if rows == 1 { CACHED } else { 0 };
        let ids = |n: usize| (0..n).map(|i| 1000 + i as u32).collect::<Vec<_>>();
        let mut cache = KvCache::new(model, executor, start + rows)?;
        if start > 0 {
            let sequence = Sequence { start: 0, input: Input::Tokens(ids(start)), factors: None, wanted: Vec::new() };
            pollster::block_on(model.extend(executor, sequence, &mut cache, 0))?;
        }
        Ok(Prepared { cache, start, ids: ids(rows) })
    }

    fn run(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<()> {
        self.cache.truncate(self.start);
        let wanted = vec![Wanted { position: self.start + self.ids.len() - 1, tokens: Vec::new() }];
        let sequence = Sequence { start: self.start, input: Input::Tokens(self.ids.clone()), factors: None, wanted };
        pollster::block_on(model.extend(executor, sequence, &mut self.cache, 1))?;
        Ok(())
    }
}

/// PyTorch in a process of its own, asked for one pass at a time so that both are measured in the same conditions.
struct PyTorch {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: String,
}

impl PyTorch {
    fn start(python: &PathBuf) -> Result<PyTorch> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pytorch_forward.py");
        let threads = CpuExecutor::new().threads().to_string();
        let mut process = Command::new(python)
            .args([script, &threads])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let input = process.stdin.take().context("no standard input")?;
        let mut output = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut version = String::new();
        output.read_line(&mut version)?;
        anyhow::ensure!(!version.is_empty(), "{} has no PyTorch", python.display());
        Ok(PyTorch { process, input, output, version: version.trim().to_owned() })
    }

    fn forward_ms(&mut self, rows: usize) -> Result<f64> {
        writeln!(self.input, "{rows}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for PyTorch {
    fn drop(&mut self) {
        // It ends by itself once its input is closed; a failure to end it sooner leaves nothing to do.
        let _ = self.process.kill();
    }
}

/// What one kind of operation took.
#[derive(Default)]
struct Kernel {
    calls: usize,
    time: Duration,
    cost: Cost,
}

/// An executor that runs operations one by one, waits for each, and adds up their times. It is slower than the one within.
struct Timed<'a> {
    inner: &'a mut dyn Executor,
    kernels: BTreeMap<String, Kernel>,
}

impl Timed<'_> {
    async fn run_each(&mut self, ops: &[Op]) -> Result<(), ExecError> {
        let fence = self.inner.buffer(1, "fence")?;
        for op in ops {
            let begin = Instant::now();
            self.inner.run(std::slice::from_ref(op)).await?;
            self.inner.read(&fence, 1).await?;
            let name = match op {
                Op::MatMul { weight, .. } => format!("{} {}", op.name(), weight.format()),
                _ => op.name().to_owned(),
            };
            let kernel = self.kernels.entry(name).or_default();
            kernel.calls += 1;
            kernel.time += begin.elapsed();
            kernel.cost += op.cost();
        }
        Ok(())
    }
}

impl Executor for Timed<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn buffer(&mut self, words: usize, purpose: &'static str) -> Result<Buffer, ExecError> {
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
        Box::pin(self.run_each(ops))
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
