//! Bringing what a fresh machine lacks, saying of each thing what it is for. Everything is looked for first, so that
//! running it again costs a second and changes nothing.

mod debian;
mod model;
mod packages;
mod tools;
mod wasm_target;

pub(crate) use model::{command_line, model_file};
pub(crate) use packages::{LAVAPIPE, chromium};
pub(crate) use tools::tools_path;
pub(crate) use wasm_target::Toolchain;

use anyhow::Result;

/// Parts of the set-up. None named means all.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Parts {
    /// What the page's build needs: the wasm32 target, wasm-bindgen, trunk, wasm-opt
    #[arg(long)]
    web: bool,
    /// What tests need besides: Chromium, a software Vulkan driver, the test model
    #[arg(long)]
    test: bool,
}

/// Carries out the set-up of `cargo xtask setup`.
pub(crate) fn run(parts: Parts) -> Result<()> {
    match (parts.web, parts.test) {
        (true, false) => drop(for_web()?),
        (false, true) => {
            packages::ensure_node()?;
            for_tests()?;
        }
        (true, true) | (false, false) => {
            for_web()?;
            for_tests()?;
        }
    }
    say("done", "nothing else is missing");
    Ok(())
}

/// Sets up the page's build, and returns the toolchain that compiles for the web.
pub(crate) fn for_web() -> Result<Toolchain> {
    let toolchain = wasm_target::ensure()?;
    tools::ensure()?;
    packages::ensure_node()?;
    Ok(toolchain)
}

/// Sets up what tests need besides. What cannot be brought is named, for people to install themselves.
pub(crate) fn for_tests() -> Result<()> {
    packages::ensure_system()?;
    model::ensure()
}

/// One line about one thing.
fn say(what: &str, state: &str) {
    println!("setup: {what}: {state}");
}
