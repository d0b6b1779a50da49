//! A text that the model writes, token by token; a lost device is opened again, and the text goes on where it was.

use crate::engine::Engine;
use anyhow::Result;
use kernels::ExecError;
use model::{Generation, KeyFactors, Mixed, ModelError, Sampling, TokenScore};

/// How often a lost device is opened again before giving up.
pub(crate) const RELOADS: usize = 3;

/// A text being written.
pub(crate) struct Writing {
    generation: Generation,
    reloads: usize,
}

impl Writing {
    /// Takes up a prompt; at most `max_tokens` tokens will follow it.
    pub(crate) async fn start(
        engine: &mut Engine<'_>,
        prompt: &Mixed,
        max_tokens: usize,
        sampling: Sampling,
        factors: Option<KeyFactors>,
    ) -> Result<Self> {
        let mut reloads = 0;
        loop {
            let Engine { model, executor, .. } = engine;
            match Generation::start_mixed(model, executor.as_mut(), prompt, max_tokens, sampling, factors.clone()).await {
                Ok(generation) => return Ok(Self { generation, reloads }),
                Err(error) => recover(engine, &mut reloads, error).await?,
            }
        }
    }

    /// The next token; `None` when the model's context is full.
    pub(crate) async fn next(&mut self, engine: &mut Engine<'_>) -> Result<Option<TokenScore>> {
        let mut is_behind = false;
        loop {
            let Engine { model, executor, .. } = engine;
            let resumed = if is_behind { self.generation.resume(model, executor.as_mut()).await } else { Ok(()) };
            let written = match resumed {
                Ok(()) => self.generation.next(model, executor.as_mut()).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(score) => return Ok(score),
                Err(error) => recover(engine, &mut self.reloads, error).await?,
            }
            is_behind = true;
        }
    }
}

/// Opens a lost device again; any other error is one.
async fn recover(engine: &mut Engine<'_>, reloads: &mut usize, error: ModelError) -> Result<()> {
    if !matches!(error, ModelError::Exec(ExecError::DeviceLost { .. })) || *reloads == RELOADS {
        return Err(error.into());
    }
    *reloads += 1;
    engine.reload().await
}
