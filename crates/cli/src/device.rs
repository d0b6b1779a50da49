//! What computes: the choice, and why.

use anyhow::{Context, Result};
use gpu::{Adapters, Choice, GpuError, GpuExecutor, Options, SelfTestReport, Wish};
use kernels::cpu::CpuExecutor;
use kernels::{Executor, Uses};

/// An executor, and why it is this one.
pub(crate) struct Opened {
    pub(crate) executor: Box<dyn Executor>,
    pub(crate) reason: String,
}

/// Opens what was asked for. A GPU is used after a self-test in all that the model uses; `auto` takes the CPU where that or the
/// opening fails.
pub(crate) async fn open(wish: Wish, uses: &Uses) -> Result<Opened> {
    let cpu = |reason: String| Opened { executor: Box::new(CpuExecutor::new()), reason };
    if wish == Wish::Cpu {
        // Looking for adapters loads drivers, which somebody who asks for the CPU may well want to avoid.
        return Ok(cpu(gpu::select(wish, &[])?.reason));
    }
    let adapters = Adapters::find().await;
    let selection = gpu::select(wish, &adapters.facts())?;
    let Choice::Gpu(index) = selection.choice else { return Ok(cpu(selection.reason)) };
    match open_tested(&adapters, index, uses).await {
        Ok((executor, _)) => Ok(Opened { executor: Box::new(executor), reason: selection.reason }),
        Err(error) if wish == Wish::Auto => Ok(cpu(instead_of_gpu(&error))),
        Err(error) => Err(error).context("the GPU cannot be used; --device cpu always can"),
    }
}

/// Opens an adapter and has it pass the self-test.
pub(crate) async fn open_tested(
    adapters: &Adapters,
    index: usize,
    uses: &Uses,
) -> Result<(GpuExecutor, SelfTestReport), GpuError> {
    let mut executor = adapters.open(index, &Options::default()).await?;
    let report = gpu::self_test(&mut executor, uses).await?;
    Ok((executor, report))
}

/// Why `auto` takes the CPU although there is a GPU.
pub(crate) fn instead_of_gpu(error: &dyn std::fmt::Display) -> String {
    format!("CPU: the GPU cannot be used: {error}")
}
