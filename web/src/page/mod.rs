//! The page: choose a model, ask it something, see why it answered so.

mod actions;
mod apply;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod ask;
mod browser;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod explained;
mod files;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod model;
mod pictures;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod settings;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod share;
mod startup;
mod state;
mod taking;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod trouble;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod views;
mod worker_link;

use crate::messages::DeviceChoice;
use actions::Page;
use leptos::prelude::*;
use state::State;
use worker_link::WorkerLink;

/// Puts the page into the document. Called once, by the page's program.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        leptos::logging::error!("AtMan itself failed: {info}");
        // For start.js, which says so: nothing here can be relied on any more.
        browser::leave("panicked", &info.to_string());
    }));
    leptos::mount::mount_to_body(App);
}

/// The whole page.
#[component]
fn App() -> impl IntoView {
    let state = State::new();
    let worker = WorkerLink::new(DeviceChoice::Auto);
    let page = Page { state, worker };
    provide_context(page);
    worker.start(state);
    startup::begin(page);
    view! {
        <header class="top">
            <h1>"AtMan"</h1>
            <p class="tagline">"See which words, and which parts of a picture, a small model’s answer rests on."</p>
            <p class="privacy">"Everything runs on this machine. Nothing you type or show it leaves it."</p>
        </header>
        <main>
            <model::ModelPanel/>
            <div class="columns">
                <ask::AskPanel/>
                <explained::WhyPanel/>
            </div>
        </main>
        <footer>
            <p>
                "AtMan damps a model’s attention to one part of the prompt at a time and measures how much less likely its answer becomes ("
                <a href="https://arxiv.org/abs/2301.08110" rel="noreferrer">"Deiseroth et al., NeurIPS 2023"</a>
                "). It says what the answer rests on, not whether it is true."
            </p>
        </footer>
        <p class="unseen" role="status" aria-live="polite">{move || state.engine.said.get()}</p>
    }
}
