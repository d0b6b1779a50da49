//! How fast this device runs, so that one can say how long something will take.

use anyhow::Result;
use kernels::Executor;
use model::{Generation, Model, Sampling};
use web_time::Instant;

/// Tokens of the text that speed is measured on: enough to use the device as a chunk does, few enough not to be waited for.
const TOKENS: u32 = 24;

/// Floating-point operations a second, as measured last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speed {
    flops_per_second: f64,
}

impl Speed {
    /// Runs a short text once.
    pub(super) async fn measure(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<()> {
        let vocab_size = u32::try_from(model.config().vocab_size).unwrap_or(u32::MAX);
        let ids: Vec<u32> = (0..TOKENS).map(|id| id % vocab_size.max(1)).collect();
        let before = executor.stats().cost.flops;
        let started = Instant::now();
        Generation::start(model, executor, &ids, 1, Sampling::default(), None).await?.next(model, executor).await?;
        self.note(executor.stats().cost.flops.saturating_sub(before), started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Whether anything has been measured on this device with this model.
    pub(super) fn is_known(self) -> bool {
        self.flops_per_second > 0.0
    }

    /// Takes in what was computed in which time; too short a time says nothing.
    pub(super) fn note(&mut self, flops: u64, seconds: f64) {
        if seconds > 0.005 && flops > 0 {
            self.flops_per_second = flops as f64 / seconds;
        }
    }

    /// How long `flops` would take; `None` where nothing has been measured.
    pub(super) fn seconds(self, flops: u64) -> Option<f64> {
        self.is_known().then(|| flops as f64 / self.flops_per_second)
    }
}
