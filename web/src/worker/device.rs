//! Choosing between WebGPU and the CPU.

use crate::messages::{DeviceChoice, DeviceReport, KernelCheck};
use anyhow::Result;
use gpu::{Adapters, Choice, GpuExecutor, SelfTestReport, Wish};
use kernels::cpu::CpuExecutor;
use kernels::{Executor, Uses};

/// The device in use.
pub(super) enum Device {
    Cpu(CpuExecutor),
    Gpu(Box<GpuExecutor>),
}

impl Device {
    pub(super) fn executor(&mut self) -> &mut dyn Executor {
        match self {
            Self::Cpu(executor) => executor,
            Self::Gpu(executor) => executor.as_mut(),
        }
    }

    /// Whether it computes what the CPU does in all that a model uses. Where the choice was left open and it does not, it becomes
    /// the CPU, and what that is to be told of is returned.
    pub(super) async fn suit(&mut self, uses: &Uses, choice: DeviceChoice) -> Result<Option<DeviceReport>> {
        let Self::Gpu(executor) = self else { return Ok(None) };
        match gpu::self_test(executor, uses).await {
            Ok(_) => Ok(None),
            Err(error) if choice == DeviceChoice::Auto => {
                let (device, report) = cpu(instead_of_gpu(&error.into()));
                *self = device;
                Ok(Some(report))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn instead_of_gpu(error: &anyhow::Error) -> String {
    format!("CPU: the GPU cannot be used: {error:#}")
}

/// Makes the device asked for, or the one that suits best, and says why it is that one. A GPU that cannot be opened or
/// computes wrong numbers is an error where it was asked for; `auto` then takes the CPU.
pub(super) async fn choose(choice: DeviceChoice) -> Result<(Device, DeviceReport)> {
    let wish = match choice {
        DeviceChoice::Auto => Wish::Auto,
        DeviceChoice::Cpu => Wish::Cpu,
        DeviceChoice::Gpu => Wish::Gpu,
    };
    let adapters = Adapters::find().await;
    let selection = gpu::select(wish, &adapters.facts())?;
    let Choice::Gpu(index) = selection.choice else {
        return Ok(cpu(selection.reason));
    };
    match open(&adapters, index).await {
        Ok((executor, report)) => {
            let self_test = report
                .checks
                .into_iter()
                .map(|check| KernelCheck { kernel: check.kernel, difference: check.error, bound: check.bound })
                .collect();
            let description = executor.describe();
            let report = DeviceReport { description, reason: selection.reason, is_gpu: true, self_test };
            Ok((Device::Gpu(Box::new(executor)), report))
        }
        Err(error) if wish == Wish::Auto => Ok(cpu(instead_of_gpu(&error))),
        Err(error) => Err(error),
    }
}

async fn open(adapters: &Adapters, index: usize) -> Result<(GpuExecutor, SelfTestReport)> {
    let mut executor = adapters.open(index, &gpu::Options::default()).await?;
    let report = gpu::self_test(&mut executor, &Uses::default()).await?;
    Ok((executor, report))
}

fn cpu(reason: String) -> (Device, DeviceReport) {
    let executor = CpuExecutor::new();
    let report = DeviceReport { description: executor.describe(), reason, is_gpu: false, self_test: Vec::new() };
    (Device::Cpu(executor), report)
}
