//! `atman doctor`: what this machine offers, what would be used, and why.

mod apart;
mod cpu;
mod text;

use crate::args::DoctorArguments;
use crate::device;
use crate::store::{Store, Stored};
use anyhow::{Context, Result};
use apart::Examined;
pub(crate) use apart::Part;
use cpu::Cpu;
use gpu::{AdapterFacts, Adapters, Choice, GpuError, Limits, SelfTestReport, Tier, Wish};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use weights::catalogue::DEFAULT;

/// All that is found out; the JSON is this, field by field.
#[derive(Debug, PartialEq, Serialize)]
struct Report {
    version: &'static str,
    cpu: Cpu,
    adapters: Vec<Adapter>,
    /// Why no adapters could be looked for.
    no_adapters: Option<String>,
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

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Sizes {
    binding_bytes: u64,
    buffer_bytes: u64,
    workgroups_per_dimension: u32,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct SelfTest {
    passed: bool,
    /// Why it did not pass.
    failure: Option<String>,
    /// Deviations from the CPU, each as a part of the largest value.
    checks: Vec<Check>,
    took_ms: f64,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Check {
    kernel: String,
    deviation: f32,
    bound: f32,
}

/// What `--device auto` takes.
#[derive(Debug, PartialEq, Serialize)]
struct Auto {
    /// "cpu" or "gpu", or "none" where a driver ends the program.
    device: &'static str,
    /// Index into the adapters.
    adapter: Option<usize>,
    reason: String,
}

/// Examines the machine and prints what was found.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<()> {
    if let Some(part) = arguments.part {
        return pollster::block_on(apart::answer(part));
    }
    let report = pollster::block_on(examine(Duration::from_secs(arguments.driver_timeout)))?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).context("cannot write the report as JSON")?;
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}

async fn examine(patience: Duration) -> Result<Report> {
    let store = Store::from_environment()?;
    let no_adapters = apart::ask::<usize>(Part::Adapters, patience).err();
    let no_adapters = no_adapters.map(|reason| format!("a driver {reason}"));
    let (adapters, auto) = match &no_adapters {
        None => adapters(patience).await?,
        Some(reason) => (Vec::new(), Auto::none(reason)),
    };
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        cpu: Cpu::of_this_machine(),
        adapters,
        no_adapters,
        auto,
        built_in: BuiltIn { name: DEFAULT.name, len_bytes: DEFAULT.len_bytes() },
        models: store.list()?,
        models_folder: store.folder().to_owned(),
    })
}

/// Every adapter, and what `--device auto` takes.
async fn adapters(patience: Duration) -> Result<(Vec<Adapter>, Auto)> {
    let facts = Adapters::find().await.facts();
    let selection = gpu::select(Wish::Auto, &facts)?;
    let mut auto = match selection.choice {
        Choice::Cpu => Auto { device: "cpu", adapter: None, reason: selection.reason },
        Choice::Gpu(index) => Auto { device: "gpu", adapter: Some(index), reason: selection.reason },
    };
    let mut adapters = Vec::with_capacity(facts.len());
    for (index, facts) in facts.iter().enumerate() {
        let examined = apart::ask::<Examined>(Part::Adapter(index), patience);
        let examined = examined.and_then(|examined| match examined.name == facts.name {
            true => Ok(examined),
            false => Err(format!("is another adapter, {}, to another process", examined.name)),
        });
        if auto.adapter == Some(index) {
            auto = match &examined {
                Err(reason) => Auto::none(&format!("{}, which it would take, {reason}", facts.name)),
                Ok(Examined { self_test: SelfTest { failure: Some(failure), .. }, .. }) => {
                    Auto { device: "cpu", adapter: None, reason: device::instead_of_gpu(failure) }
                }
                Ok(_) => auto,
            };
        }
        let (keeps_to, self_test) = match examined {
            Ok(Examined { keeps_to, self_test, .. }) => (keeps_to, self_test),
            Err(reason) => (None, SelfTest::failed(format!("the driver {reason}"), 0.0)),
        };
        adapters.push(adapter(facts, keeps_to, self_test));
    }
    Ok((adapters, auto))
}

impl Auto {
    /// A driver ends the program.
    fn none(reason: &str) -> Self {
        Self { device: "none", adapter: None, reason: format!("nothing: {reason}; --device cpu asks no driver") }
    }
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

impl SelfTest {
    fn new(result: Result<SelfTestReport, GpuError>, took_ms: f64) -> Self {
        match result {
            Ok(report) => {
                let checks = report.checks.into_iter();
                let checks = checks.map(|c| Check { kernel: c.kernel, deviation: c.error, bound: c.bound });
                Self { passed: true, failure: None, checks: checks.collect(), took_ms }
            }
            Err(error) => Self::failed(format!("{:#}", anyhow::Error::new(error)), took_ms),
        }
    }

    fn failed(failure: String, took_ms: f64) -> Self {
        Self { passed: false, failure: Some(failure), checks: Vec::new(), took_ms }
    }
}

impl From<Limits> for Sizes {
    fn from(limits: Limits) -> Self {
        let Limits { binding_bytes, buffer_bytes, workgroups_per_dimension, .. } = limits;
        Self { binding_bytes, buffer_bytes, workgroups_per_dimension }
    }
}
