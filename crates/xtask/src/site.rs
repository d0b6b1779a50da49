//! The site: put together by trunk, finished by `web/finish.mjs`, served by a small Node server that knows byte ranges.

use crate::{places, process, setup};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which site to build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// What is published, into `dist/`.
    Page,
    /// The same with the golden runs that the browser tests ask for, into the target folder.
    Test,
}

/// What to build.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Have the site offer SmolLM2 too, which is fetched first (98 MB) unless it is there. Without this the site carries the
    /// built-in model alone, and people have others from the hub or bring their own
    #[arg(long)]
    with_models: bool,
}

/// Where to serve.
#[derive(clap::Args)]
pub(crate) struct ServeOptions {
    /// Port on this machine, or the next one that is free; 0 picks any
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// Have the page offer SmolLM2 from this machine, which is fetched first (98 MB) unless it is there. Without this nothing is
    /// fetched, and the page has SmolLM2 from the hub when it is asked to
    #[arg(long)]
    with_models: bool,
}

/// Sets up and builds what `cargo xtask build-web` was asked for.
pub(crate) fn run(options: &Options) -> Result<()> {
    let site = build(Flavour::Page, &offered(options.with_models)?)?;
    println!("The site is in {}", site.display());
    Ok(())
}

/// Builds the site with its models and serves it until interrupted.
pub(crate) fn serve(options: &ServeOptions) -> Result<()> {
    let site = build(Flavour::Page, &offered(options.with_models)?)?;
    let mut server = script("serve.mjs", &site)?;
    process::run(server.arg(format!("--port={}", options.port)))
}

/// The models that the page offers beside the built-in one. To be called first: where one cannot be had, that is said before
/// minutes of compiling.
fn offered(with_models: bool) -> Result<Vec<PathBuf>> {
    if !with_models {
        return Ok(Vec::new());
    }
    println!("Looking for SmolLM2; it is fetched (98 MB) unless it is there");
    Ok(vec![setup::model_file()?])
}

/// Sets up and builds a site that offers these models. Returns its folder.
pub(crate) fn build(flavour: Flavour, models: &[PathBuf]) -> Result<PathBuf> {
    let toolchain = setup::for_web()?;
    let root = places::root()?;
    let folder = match flavour {
        Flavour::Page => root.join("dist"),
        Flavour::Test => places::target()?.join("site-test"),
    };
    let mut trunk = Command::new("trunk");
    toolchain.apply(&mut trunk)?;
    let tools = setup::tools_path()?;
    process::with_path(&mut trunk, &tools.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    // Offline: the tools are those of set-up, and trunk must not go looking for others.
    trunk.current_dir(&root).args(["build", "--release", "--offline", "--dist"]).arg(&folder);
    if flavour == Flavour::Test {
        trunk.args(["--features", "parity"]);
    }
    process::run(&mut trunk)?;
    finish(&folder, models)?;
    Ok(folder)
}

/// Adds to what trunk made, and says how large it is; too large is an error.
fn finish(folder: &Path, models: &[PathBuf]) -> Result<()> {
    let mut node = script("finish.mjs", folder)?;
    for model in models {
        node.arg("--model").arg(model);
    }
    process::run(&mut node).context("the site could not be finished")
}

/// A call of one of the scripts in `web/` for a site.
fn script(name: &str, site: &Path) -> Result<Command> {
    let mut node = Command::new("node");
    node.arg(places::root()?.join("web").join(name)).arg("--site").arg(site);
    Ok(node)
}
