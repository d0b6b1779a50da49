//! The page: built by trunk, served by a small Node server that knows byte ranges.

use crate::{places, process, setup};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which page to build.
pub(crate) enum Flavour {
    /// What is published, into `dist/`.
    Page,
    /// The same with the golden runs that the browser tests ask for, into the target folder.
    Test,
}

/// Sets up and builds the page. Returns the folder with its files.
pub(crate) fn build(flavour: &Flavour) -> Result<PathBuf> {
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
    if matches!(flavour, Flavour::Test) {
        trunk.args(["--features", "parity"]);
    }
    process::run(&mut trunk)?;
    report_sizes(&folder)?;
    Ok(folder)
}

/// Builds and serves the page until interrupted.
pub(crate) fn serve(port: u16) -> Result<()> {
    let site = build(&Flavour::Page)?;
    let model = setup::model_file()?;
    let models = model.parent().context("the model's file has no folder")?;
    let mut node = Command::new("node");
    node.arg(places::root()?.join("web/serve.mjs")).arg(format!("--site={}", site.display()));
    process::run(node.arg(format!("--models={}", models.display())).arg(format!("--port={port}")))
}

/// Sizes of the compiled parts, for whoever makes them larger.
fn report_sizes(folder: &Path) -> Result<()> {
    for entry in folder.read_dir().with_context(|| format!("could not read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            println!("{}: {} bytes", path.display(), path.metadata()?.len());
        }
    }
    Ok(())
}
