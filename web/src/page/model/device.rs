//! The device in use, why it was chosen, and how its kernels compare with their twins.

use crate::messages::{DeviceChoice, DeviceReport};
use crate::page::actions::page;
use leptos::prelude::*;

/// Shows the device, and lets the person choose another.
#[component]
pub(super) fn Device() -> impl IntoView {
    let page = page();
    let engine = page.state.engine;
    let choose = move |event| {
        let device = match event_target_value(&event).as_str() {
            "gpu" => DeviceChoice::Gpu,
            "cpu" => DeviceChoice::Cpu,
            _ => DeviceChoice::Auto,
        };
        engine.problem.set(None);
        page.worker.choose(device, page.state);
    };
    let is = move |choice| move || page.worker.device() == choice;
    let summary = move || match engine.device.get() {
        Some(report) if report.is_gpu => "Runs on the GPU".to_owned(),
        Some(_) if page.worker.device() == DeviceChoice::Auto => "Runs on the processor, since there is no GPU to use".to_owned(),
        Some(_) => "Runs on the processor".to_owned(),
        None => "Looking for a device".to_owned(),
    };
    view! {
        <details class="device">
            <summary>{summary}</summary>
            <label>
                "Run on "
                <select on:change=choose disabled=move || engine.is_busy()>
                    <option value="auto" prop:selected=is(DeviceChoice::Auto)>"whichever suits best"</option>
                    <option value="gpu" prop:selected=is(DeviceChoice::Gpu)>"the GPU (WebGPU)"</option>
                    <option value="cpu" prop:selected=is(DeviceChoice::Cpu)>"the processor (WebAssembly)"</option>
                </select>
            </label>
            {move || engine.device.get().map(report_view)}
        </details>
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
