//! The model that tests run and the page offers.

use super::say;
use crate::{places, process};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Its name in the catalogue.
pub(crate) const MODEL: &str = "smollm2-135m-instruct";

/// Has the `atman` command fetch the model: it knows where to look, and checks what it gets.
pub(super) fn ensure() -> Result<()> {
    model_file().map(|file| say(MODEL, &format!("present: {}", file.display())))
}

/// The model's file, which `atman fetch` prints.
pub(crate) fn model_file() -> Result<PathBuf> {
    let root = places::root()?;
    say(
        "the atman command",
        "compiling it unless it is there: it fetches the model that tests run and checks it (minutes, once)",
    );
    let program = command_line()?;
    say(MODEL, "fetching it unless it is there (98 MB)");
    let mut fetch = Command::new(program);
    fetch.args(["fetch", MODEL]).current_dir(&root).stderr(Stdio::inherit());
    let said = process::output(&mut fetch)?;
    let path = said.lines().last().map(PathBuf::from).filter(|path| path.is_file());
    path.with_context(|| format!("`atman fetch {MODEL}` named no file; it said: {said}"))
}

/// The `atman` command, compiled unless it is there.
pub(crate) fn command_line() -> Result<PathBuf> {
    process::run(process::cargo().current_dir(places::root()?).args(["build", "--locked", "--package", "atman-cli"]))?;
    Ok(places::target()?.join("debug").join(format!("atman{}", std::env::consts::EXE_SUFFIX)))
}
