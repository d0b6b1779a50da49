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
    /// Leave all models out but the built-in one: for others, people then bring their own, or name one of the hub
    #[arg(long)]
    without_models: bool,
}

/// Where to serve.
#[derive(clap::Args)]
pub(crate) struct ServeOptions {
    /// Port on this machine, or the next one that is free; 0 picks any
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// Sets up and builds what `cargo xtask build-web` was asked for.
pub(crate) fn run(options: &Options) -> Result<()> {
    let models = if options.without_models { Vec::new() } else { offered()? };
    let site = build(Flavour::Page, &models)?;
    println!("The site is in {}", site.display());
    Ok(())
}

/// Builds the site with its models and serves it until interrupted.
pub(crate) fn serve(options: &ServeOptions) -> Result<()> {
    let site = build(Flavour::Page, &offered()?)?;
    let mut server = script("serve.mjs", &site)?;
    process::run(server.arg(format!("--port={}", options.port)))
}

/// The models that the page offers. To be called first: where one cannot be had, that is said before minutes of compiling.
fn offered() -> Result<Vec<PathBuf>> {
    println!("Looking for the model that the page offers; it is fetched (98 MB) unless it is there");
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
