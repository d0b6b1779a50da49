//! The device in use, why it was chosen, and how its kernels compare with their twins.

use super::state::State;
use super::worker_link::WorkerLink;
use crate::messages::{DeviceChoice, DeviceReport, Request};
use leptos::prelude::*;

/// Shows the device, and lets the person choose another.
#[component]
pub(super) fn DevicePanel(state: State, worker: WorkerLink) -> impl IntoView {
    let choose = move |event| {
        let device = match event_target_value(&event).as_str() {
            "gpu" => DeviceChoice::Gpu,
            "cpu" => DeviceChoice::Cpu,
            _ => DeviceChoice::Auto,
        };
        state.error.set(String::new());
        state.device.set(None);
        state.model.set(None);
        worker.ask(&Request::Start { device });
    };
    view! {
        <section aria-labelledby="device-title">
            <h2 id="device-title">"Device"</h2>
            <label>
                "Run on "
                <select on:change=choose disabled=move || state.progress.get().is_some()>
                    <option value="auto">"whichever suits best"</option>
                    <option value="gpu">"the GPU (WebGPU)"</option>
                    <option value="cpu">"the processor (WebAssembly)"</option>
                </select>
            </label>
            {move || match state.device.get() {
                Some(report) => report_view(report).into_any(),
                None => view! { <p id="device">"Looking for a device."</p> }.into_any(),
            }}
        </section>
    }
}

fn report_view(report: DeviceReport) -> impl IntoView {
    let checks: Vec<_> = report
        .self_test
        .into_iter()
        .map(|check| {
            view! {
                <tr><td>{check.kernel}</td><td>{format!("{:.1e}", check.difference)}</td><td>{format!("{:.1e}", check.bound)}</td></tr>
            }
        })
        .collect();
    let has_checks = !checks.is_empty();
    view! {
        <p id="device"><strong>{report.description}</strong>" "{report.reason}</p>
        <details hidden=!has_checks>
            <summary>"Self-test: each kernel on this device against the same on the processor"</summary>
            <table>
                <thead><tr><th>"kernel"</th><th>"largest relative difference"</th><th>"accepted"</th></tr></thead>
                <tbody>{checks}</tbody>
            </table>
        </details>
    }
}
