//! Parts of the examination that run in processes of their own: a driver that crashes or hangs ends such a process alone, and
//! what became of it is a finding.

use super::{SelfTest, Sizes};
use crate::device;
use anyhow::{Context, Result};
use gpu::Adapters;
use kernels::Uses;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// What such a process finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Whether adapters can be looked for at all. Its answer is their number.
    Adapters,
    /// How the adapter of this index does. Its answer is [`Examined`].
    Adapter(usize),
}

/// An adapter that was opened, or could not be.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Examined {
    /// As the process found it: that it is the same adapter.
    pub(super) name: String,
    /// What the engine keeps to; none where the adapter could not be opened.
    pub(super) keeps_to: Option<Sizes>,
    pub(super) self_test: SelfTest,
}

impl FromStr for Part {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "adapters" { Ok(Self::Adapters) } else { text.parse().map(Self::Adapter) }
    }
}

/// Does one part, and prints its answer as JSON.
pub(super) async fn answer(part: Part) -> Result<()> {
    let found = Adapters::find().await;
    let facts = found.facts();
    let json = match part {
        Part::Adapters => serde_json::to_string(&facts.len())?,
        Part::Adapter(index) => {
            let name = facts.get(index).map(|facts| facts.name.clone()).context("there is no adapter of this index")?;
            let started = Instant::now();
            let tested = device::open_tested(&found, index, &Uses::default()).await;
            let took_ms = started.elapsed().as_secs_f64() * 1e3;
            let keeps_to = tested.as_ref().ok().map(|(executor, _)| executor.limits().into());
            serde_json::to_string(&Examined {
                name,
                keeps_to,
                self_test: SelfTest::new(tested.map(|(_, report)| report), took_ms),
            })?
        }
    };
    println!("{json}");
    Ok(())
}

/// Has a process answer `part`, for as long as `patience`.
///
/// # Errors
///
/// What became of the process, to follow the name of what it examined.
pub(super) fn ask<T: DeserializeOwned>(part: Part, patience: Duration) -> Result<T, String> {
    let part = match part {
        Part::Adapters => "adapters".to_owned(),
        Part::Adapter(index) => index.to_string(),
    };
    let (status, said) =
        run(&["doctor", "--part", &part], patience).map_err(|error| format!("could not be examined: {error:#}"))?;
    match status {
        None => Err(format!("did not answer within {} s; --driver-timeout gives it longer", patience.as_secs())),
        Some(status) if !status.success() => Err(format!("ended the process that examined it ({status})")),
        Some(_) => serde_json::from_str(&said).map_err(|error| format!("gave an answer that means nothing: {error}")),
    }
}

/// Runs this program. Its status, none if it took longer than `patience`, and what it wrote.
fn run(arguments: &[&str], patience: Duration) -> Result<(Option<ExitStatus>, String)> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = Command::new(program);
    let mut child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take();
    // Beside the waiting: a pipe that nobody reads would stop who writes.
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        out.map_or(Ok(0), |mut out| out.read_to_string(&mut said)).map(|_| said)
    });
    let end = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > end {
            // It may end by itself in between, which is no failure.
            let _ = child.kill();
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let said = reader.join().unwrap_or_else(|_| Ok(String::new()))?;
    Ok((status, said))
}
