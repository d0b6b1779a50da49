//! Tools of the page's build that are compiled from source: wasm-bindgen's command line tool and trunk. Each version has
//! a folder of its own in the cache folder, so neither another project's nor the person's own installation matters.

use super::say;
use crate::{places, process};
use anyhow::{Result, bail};
use std::path::PathBuf;

const TRUNK: &str = "0.22.1";

/// One tool to be built with `cargo install`.
struct Tool {
    package: &'static str,
    program: &'static str,
    version: String,
    purpose: &'static str,
    options: &'static [&'static str],
    /// Optimisation level. These run for seconds; compiling them with their own settings takes a quarter of an hour.
    opt_level: &'static str,
}

impl Tool {
    fn folder(&self) -> Result<PathBuf> {
        places::tool(self.package, &self.version)
    }

    fn program(&self) -> Result<PathBuf> {
        Ok(self.folder()?.join("bin").join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX)))
    }

    fn ensure(&self) -> Result<()> {
        let name = format!("{} {}", self.package, self.version);
        let program = self.program()?;
        if process::succeeds(std::process::Command::new(&program).arg("--version")) {
            say(&name, "present");
            return Ok(());
        }
        say(&name, &format!("building it, since {} (5 to 10 minutes on two cores, once)", self.purpose));
        let mut cargo = process::cargo();
        cargo
            .args(["install", "--locked", "--force", "--version", &format!("={}", self.version), self.package])
            .args(self.options)
            .arg("--root")
            .arg(self.folder()?)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level)
            // Not into this project's target folder: nothing there would be shared.
            .env("CARGO_TARGET_DIR", places::cache()?.join("build").join(self.package));
        // Or cargo would advise to add the folder to PATH, which nobody needs to do.
        process::with_path(&mut cargo, &[&self.folder()?.join("bin")])?;
        process::run(&mut cargo)?;
        let _ = std::fs::remove_dir_all(places::cache()?.join("build").join(self.package));
        if !program.is_file() {
            bail!("installing {name} left no {}", program.display());
        }
        Ok(())
    }
}

fn all() -> Result<[Tool; 2]> {
    let bindgen = Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: places::locked_version("wasm-bindgen")?,
        purpose: "it joins the compiled page to JavaScript and must be of the version in Cargo.lock",
        options: &[],
        opt_level: "1",
    };
    let trunk = Tool {
        package: "trunk",
        program: "trunk",
        version: TRUNK.to_owned(),
        purpose: "it puts the page's files together",
        // It declares a newer Rust than it needs, and must be given one kind of TLS.
        options: &["--ignore-rust-version", "--no-default-features", "--features", "rustls"],
        opt_level: "0",
    };
    Ok([bindgen, trunk])
}

/// Builds the tools that are missing.
pub(super) fn ensure() -> Result<()> {
    all()?.iter().try_for_each(Tool::ensure)
}

/// Folders in which the page's build finds its tools.
pub(crate) fn tools_path() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for tool in all()? {
        folders.push(tool.folder()?.join("bin"));
    }
    folders.push(places::root()?.join("node_modules/.bin"));
    Ok(folders)
}
