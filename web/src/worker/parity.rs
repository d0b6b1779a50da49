//! Golden files on the worker's device.

use super::device::Device;
use super::engine::{Loaded, memory};
use crate::messages::ParityReport;
use anyhow::{Context, Result};
use atman_tests::goldens::{self, Golden};
use atman_tests::shipped::{self, Shipped};
use model::Model;
use web_sys::{Performance, WorkerGlobalScope};

/// Runs a golden file, given as its text.
pub(super) async fn run(golden: &str, model: &Model, device: &mut Device) -> Result<ParityReport> {
    let golden: Golden = serde_json::from_str(golden).context("this is no golden file")?;
    let clock = clock()?;
    let start_ms = clock.now();
    device.executor().reset_peak();
    let (outcome, _) = goldens::run(&golden, model, device.executor(), false).await?;
    let time_ms = clock.now() - start_ms;
    let memory = memory(device);
    let last_position_difference = match &golden.last_position {
        Some(expected) => Some(goldens::last_position(&golden, expected, model, device.executor()).await?.greatest()),
        None => None,
    };
    Ok(ParityReport { max_difference_nats: outcome.difference_nats(), last_position_difference, time_ms, memory })
}

/// Of each prompt of a file, the greatest difference of a logit; infinity where it became other tokens.
pub(super) async fn shipped(golden: &str, loaded: &Loaded, device: &mut Device) -> Result<Vec<f32>> {
    let golden: Shipped = serde_json::from_str(golden).context("this is no file of prompts")?;
    let mut differences = Vec::with_capacity(golden.cases.len());
    for case in &golden.cases {
        let difference = shipped::run(case, &loaded.opened.checkpoint, &loaded.model, device.executor()).await?;
        differences.push(if difference.same_ids { difference.of_logits } else { f32::INFINITY });
    }
    Ok(differences)
}

fn clock() -> Result<Performance> {
    let scope: WorkerGlobalScope = wasm_bindgen::JsCast::unchecked_into(js_sys::global());
    scope.performance().context("this browser has no clock")
}
