//! Loading a model: from its publisher, from an address, or from the person's machine.

use super::state::{State, megabytes};
use super::worker_link::{WorkerLink, base};
use crate::messages::{ModelFrom, ModelReport, Request};
use leptos::html::Input;
use leptos::prelude::*;
use weights::catalogue::{CATALOGUE, Source};

/// Model choice, one progress bar, and what the loaded model takes.
#[component]
pub(super) fn ModelPanel(state: State, worker: WorkerLink) -> impl IntoView {
    let is_busy = move || state.progress.get().is_some() || state.device.get().is_none();
    let begin = move |total_bytes: u64| {
        state.error.set(String::new());
        state.model.set(None);
        state.progress.set(Some((0, total_bytes)));
    };
    let load_address = move |url: String, total_bytes: u64| {
        begin(total_bytes);
        worker.ask(&Request::Load { from: ModelFrom::Web { base: base(), urls: vec![url] } });
    };
    let address = NodeRef::<Input>::new();
    let picker = NodeRef::<Input>::new();
    let load_typed = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(url) = address.get().map(|input| input.value()).filter(|url| !url.is_empty()) {
            load_address(url, 0);
        }
    };
    let load_picked = move |_| {
        let list = picker.get().and_then(|input| input.files());
        let files: Vec<_> = list.iter().flat_map(|list| (0..list.length()).filter_map(|index| list.get(index))).collect();
        if !files.is_empty() {
            begin(0);
            worker.ask_with(&Request::Load { from: ModelFrom::Picked }, &files);
        }
    };
    let known: Vec<_> = CATALOGUE
        .iter()
        .filter_map(|entry| hub_address(entry.sources).map(|url| (entry, url)))
        .map(|(entry, url)| {
            let text = format!("{} ({}, {})", entry.title, megabytes(entry.len_bytes), entry.licence);
            view! {
                <button disabled=is_busy on:click=move |_| load_address(url.clone(), entry.len_bytes)>
                    "Load "{text}" from huggingface.co"
                </button>
            }
        })
        .collect();
    view! {
        <section aria-labelledby="model-title">
            <h2 id="model-title">"Model"</h2>
            {known}
            <form on:submit=load_typed>
                <label>"GGUF file at an address " <input node_ref=address name="address" type="text" inputmode="url"/></label>
                <button type="submit" disabled=is_busy>"Load"</button>
            </form>
            <label>
                "Files on this machine (a GGUF file, or a model's JSON and safetensors files) "
                <input node_ref=picker name="files" type="file" multiple disabled=is_busy on:change=load_picked/>
            </label>
            {move || state.progress.get().map(|(loaded, total)| progress_view(loaded, total, worker))}
            {move || state.model.get().map(model_view)}
        </section>
    }
}

/// Where the hub hands out a catalogued file.
fn hub_address(sources: &[Source]) -> Option<String> {
    sources.iter().find_map(|source| match source {
        Source::HuggingFace { repository, revision, path } => {
            Some(format!("https://huggingface.co/{repository}/resolve/{revision}/{path}"))
        }
        Source::PythonPackage { .. } => None,
    })
}

fn progress_view(loaded_bytes: u64, total_bytes: u64, worker: WorkerLink) -> impl IntoView {
    let text = match total_bytes {
        0 => "reading the file's head".to_owned(),
        _ => format!("{} of {}", megabytes(loaded_bytes), megabytes(total_bytes)),
    };
    view! {
        <p>
            <progress max=total_bytes.max(1).to_string() value=loaded_bytes.to_string() aria-label="loading"></progress>
            " "{text}" "
            <button on:click=move |_| worker.ask(&Request::Cancel)>"Cancel"</button>
        </p>
    }
}

fn model_view(report: ModelReport) -> impl IntoView {
    let memory = report.memory;
    view! {
        <div id="model">
            <p><strong>{report.name}</strong>": "{report.description}"."</p>
            <p>
                {megabytes(memory.weight_bytes)}" of weights and "{megabytes(memory.peak_buffer_bytes)}
                " of other memory on the device; this tab's engine has taken "{megabytes(memory.heap_bytes)}"."
            </p>
        </div>
    }
}
