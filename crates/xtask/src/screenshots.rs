//! Pictures of the page, for README.md and for whoever changes how it looks.

use crate::site::{self, Flavour};
use crate::{browser, process, setup};
use anyhow::Result;
use std::path::PathBuf;

/// Where they go.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Folder for the pictures, seen from the repository's root
    #[arg(long, default_value = "target/screenshots")]
    out: PathBuf,
}

/// Builds the page and takes it through its states in Chromium.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::for_tests()?;
    let model = setup::model_file()?;
    let site = site::build(Flavour::Page, std::slice::from_ref(&model))?;
    let mut node = browser::node(&site, &model)?;
    process::run(node.arg("tests/browser/screenshots.mjs").arg("--out").arg(&options.out))
}
