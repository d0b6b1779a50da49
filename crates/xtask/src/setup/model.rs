//! The model that tests run and the page offers.

use super::say;
use crate::{places, process};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Its name in the catalogue.
pub(crate) const MODEL: &str = "smollm2-135m-instruct";

/// Has the `atman` command fetch the model: it knows where to look, and checks what it gets.
pub(super) fn ensure() -> Result<()> {
    say(MODEL, "fetching it unless it is there: tests run this model (98 MB)");
    model_file().map(|file| say(MODEL, &format!("present: {}", file.display())))
}

/// The model's file, which `atman fetch` prints.
pub(crate) fn model_file() -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--quiet", "--package", "atman-cli", "--bin", "atman", "--", "fetch", MODEL]);
    cargo.current_dir(places::root()?).stderr(std::process::Stdio::inherit());
    let said = process::output(&mut cargo)?;
    let path = said.lines().last().map(PathBuf::from).filter(|path| path.is_file());
    path.with_context(|| format!("`atman fetch {MODEL}` named no file; it said: {said}"))
}
