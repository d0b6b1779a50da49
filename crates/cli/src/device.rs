//! What computes: the choice, and why.

use anyhow::Result;
use clap::ValueEnum;
use kernels::Executor;
use kernels::cpu::CpuExecutor;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceChoice {
    /// The GPU, or the CPU where there is none or only a software adapter
    Auto,
    /// The CPU
    Cpu,
}

/// An executor, and why it is this one.
pub(crate) struct Opened {
    pub(crate) executor: Box<dyn Executor>,
    pub(crate) reason: String,
}

/// Opens what was asked for.
pub(crate) fn open(choice: DeviceChoice) -> Result<Opened> {
    let reason = match choice {
        DeviceChoice::Cpu => "asked for".to_owned(),
        DeviceChoice::Auto => "no GPU".to_owned(),
    };
    Ok(Opened { executor: Box::new(CpuExecutor::new()), reason })
}
