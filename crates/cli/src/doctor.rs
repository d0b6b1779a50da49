//! `atman doctor`: what this machine offers, what would be used, and why.

mod cpu;
mod text;

use crate::args::DoctorArguments;
use crate::device;
use crate::store::{Store, Stored};
use anyhow::{Context, Result};
use cpu::Cpu;
use gpu::{AdapterFacts, Adapters, Choice, GpuError, Limits, SelfTestReport, Tier, Wish};
use kernels::Uses;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;
use weights::catalogue::DEFAULT;

/// All that is found out; the JSON is this, field by field.
#[derive(Debug, PartialEq, Serialize)]
struct Report {
    version: &'static str,
    cpu: Cpu,
    adapters: Vec<Adapter>,
    auto: Auto,
    /// The model that is part of this program.
    built_in: BuiltIn,
    models_folder: PathBuf,
    models: Vec<Stored>,
}

#[derive(Debug, PartialEq, Serialize)]
struct BuiltIn {
    name: &'static str,
    len_bytes: u64,
}

/// An adapter, and how it did.
#[derive(Debug, PartialEq, Serialize)]
struct Adapter {
    name: String,
    kind: &'static str,
    is_software: bool,
    backend: String,
    driver: String,
    /// At most.
    offers: Sizes,
    /// What the engine keeps to; none where the adapter could not be opened.
    keeps_to: Option<Sizes>,
    tier: &'static str,
    tier_reason: &'static str,
    self_test: SelfTest,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Sizes {
    binding_bytes: u64,
    buffer_bytes: u64,
    workgroups_per_dimension: u32,
}

#[derive(Debug, PartialEq, Serialize)]
struct SelfTest {
    passed: bool,
    /// Why it did not pass.
    failure: Option<String>,
    /// Deviations from the CPU, each as a part of the largest value.
    checks: Vec<Check>,
    took_ms: f64,
}

#[derive(Debug, PartialEq, Serialize)]
struct Check {
    kernel: String,
    deviation: f32,
    bound: f32,
}

/// What `--device auto` takes.
#[derive(Debug, PartialEq, Serialize)]
struct Auto {
    device: &'static str,
    /// Index into the adapters.
    adapter: Option<usize>,
    reason: String,
}

/// Examines the machine and prints what was found.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<()> {
    let report = pollster::block_on(examine())?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).context("cannot write the report as JSON")?;
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}

async fn examine() -> Result<Report> {
    let store = Store::from_environment()?;
    let found = Adapters::find().await;
    let facts = found.facts();
    let selection = gpu::select(Wish::Auto, &facts)?;
    let mut auto = match selection.choice {
        Choice::Cpu => Auto { device: "cpu", adapter: None, reason: selection.reason },
        Choice::Gpu(index) => Auto { device: "gpu", adapter: Some(index), reason: selection.reason },
    };
    let uses = Uses::default();
    let mut adapters = Vec::with_capacity(facts.len());
    for (index, facts) in facts.iter().enumerate() {
        let started = Instant::now();
        let tested = device::open_tested(&found, index, &uses).await;
        let took_ms = started.elapsed().as_secs_f64() * 1e3;
        if let Err(error) = &tested
            && auto.adapter == Some(index)
        {
            auto = Auto { device: "cpu", adapter: None, reason: device::instead_of_gpu(error) };
        }
        let keeps_to = tested.as_ref().ok().map(|(executor, _)| executor.limits().into());
        adapters.push(adapter(facts, keeps_to, self_test(tested.map(|(_, report)| report), took_ms)));
    }
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        cpu: Cpu::of_this_machine(),
        adapters,
        auto,
        built_in: BuiltIn { name: DEFAULT.name, len_bytes: DEFAULT.len_bytes() },
        models: store.list()?,
        models_folder: store.folder().to_owned(),
    })
}

fn adapter(facts: &AdapterFacts, keeps_to: Option<Sizes>, self_test: SelfTest) -> Adapter {
    let tier = facts.tier();
    let tier_reason = match tier {
        Tier::Portable => "hardware shares loads within a workgroup",
        Tier::Software => "a program on the processor gains nothing from workgroup memory",
    };
    Adapter {
        name: facts.name.clone(),
        kind: facts.kind.phrase(),
        is_software: facts.is_software(),
        backend: facts.backend.clone(),
        driver: facts.driver.clone(),
        offers: facts.limits.into(),
        keeps_to,
        tier: tier.name(),
        tier_reason,
        self_test,
    }
}

fn self_test(result: Result<SelfTestReport, GpuError>, took_ms: f64) -> SelfTest {
    match result {
        Ok(report) => {
            let checks = report.checks.into_iter();
            let checks = checks.map(|c| Check { kernel: c.kernel, deviation: c.error, bound: c.bound });
            SelfTest { passed: true, failure: None, checks: checks.collect(), took_ms }
        }
        Err(error) => {
            let failure = format!("{:#}", anyhow::Error::new(error));
            SelfTest { passed: false, failure: Some(failure), checks: Vec::new(), took_ms }
        }
    }
}

impl From<Limits> for Sizes {
    fn from(limits: Limits) -> Self {
        let Limits { binding_bytes, buffer_bytes, workgroups_per_dimension, .. } = limits;
        Self { binding_bytes, buffer_bytes, workgroups_per_dimension }
    }
}
