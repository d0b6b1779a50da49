//! How fast this device runs, so that one can say how long something will take.

use anyhow::Result;
use kernels::Executor;
use model::{Generation, Model, Sampling};
use web_time::Instant;

/// Tokens of the first text that speed is measured on, and of the longest: as many as it takes to use the device as a chunk
/// does, few enough not to be waited for.
const TOKENS: [usize; 2] = [24, 384];
/// What takes less than this says little: a longer text is tried.
const SECONDS: f64 = 0.1;

/// Floating-point operations a second, as measured last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speed {
    flops_per_second: f64,
}

impl Speed {
    /// Runs a short text, and longer ones on a fast device. The first run of all is not timed: it is when a browser compiles
    /// what it runs.
    pub(super) async fn measure(&mut self, model: &Model, executor: &mut dyn Executor) -> Result<()> {
        let most = model.config().max_positions.saturating_sub(1).clamp(1, TOKENS[1]);
        let mut n_tokens = TOKENS[0].min(most);
        read(n_tokens, model, executor).await?;
        loop {
            let (flops, seconds) = read(n_tokens, model, executor).await?;
            if seconds >= SECONDS || n_tokens == most {
                self.set(flops as f64 / seconds.max(1e-6));
                return Ok(());
            }
            n_tokens = (4 * n_tokens).min(most);
        }
    }

    /// Whether anything has been measured on this device with this model.
    pub(super) fn is_known(self) -> bool {
        self.flops_per_second > 0.0
    }

    /// Takes in what was measured.
    pub(super) fn set(&mut self, flops_per_second: f64) {
        self.flops_per_second = flops_per_second;
    }

    /// How long `flops` would take; `None` where nothing has been measured.
    pub(super) fn seconds(self, flops: u64) -> Option<f64> {
        self.is_known().then(|| flops as f64 / self.flops_per_second)
    }
}

/// Reads a text of so many tokens: floating-point operations and seconds.
async fn read(n_tokens: usize, model: &Model, executor: &mut dyn Executor) -> Result<(u64, f64)> {
    let vocab_size = model.config().vocab_size.max(1);
    let ids: Vec<u32> = (0..n_tokens).map(|id| u32::try_from(id % vocab_size).unwrap_or(0)).collect();
    let before = executor.stats().cost.flops;
    let started = Instant::now();
    Generation::start(model, executor, &ids, 1, Sampling::default(), None).await?.next(model, executor).await?;
    Ok((executor.stats().cost.flops.saturating_sub(before), started.elapsed().as_secs_f64()))
}
