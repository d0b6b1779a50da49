//! The page: which device and why, a model to load, and what it takes.

#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod device;
#[expect(unreachable_pub, reason = "the component macro makes what it writes public")]
mod loading;
mod state;
mod worker_link;

use leptos::prelude::*;
use state::State;
use worker_link::WorkerLink;

/// Puts the page into the document. Called once, by the page's program.
pub fn start() {
    std::panic::set_hook(Box::new(|info| leptos::logging::error!("AtMan itself failed: {info}")));
    leptos::mount::mount_to_body(App);
}

/// The whole page.
#[component]
fn App() -> impl IntoView {
    let state = State::default();
    let worker = WorkerLink::start(state);
    view! {
        <header>
            <h1>"AtMan"</h1>
            <p>"Runs a small language model on this machine. Nothing that you open here leaves it."</p>
        </header>
        <main>
            <device::DevicePanel state worker/>
            <loading::ModelPanel state worker/>
            <p class="error" role="alert">{move || state.error.get()}</p>
        </main>
    }
}
