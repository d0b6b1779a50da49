//! Node programs that open the built site in a browser.

use crate::{places, setup};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// A call of node with what `tests/browser/harness.mjs` reads from the environment.
pub(crate) fn node(site: &Path, model: &Path) -> Result<Command> {
    let browser = setup::chromium();
    let browser = browser.context("no Chromium or Chrome was found; install one, or name it in ATMAN_CHROMIUM")?;
    let mut node = Command::new("node");
    node.current_dir(places::root()?).env("ATMAN_SITE", site).env("ATMAN_MODEL_FILE", model).env("ATMAN_CHROMIUM", browser);
    Ok(node)
}
