//! The standard library for WebAssembly, and the toolchain that has it.

use super::{debian, say};
use crate::{places, process};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the page is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Settings of rustup and cargo that choose a compiler, or lead its loader to another one's libraries.
pub(super) const CHOICES: [&str; 6] =
    ["RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC", "CARGO", "RUSTC_WORKSPACE_WRAPPER", "LD_LIBRARY_PATH"];

/// The compiler for the web.
pub(crate) enum Toolchain {
    /// The one that compiles everything else.
    Usual,
    /// Debian's compiler, as a folder with `bin/cargo` and `bin/rustc`.
    Debian(PathBuf),
}

impl Toolchain {
    /// A call of cargo with this compiler.
    pub(crate) fn cargo(&self) -> Result<Command> {
        match self {
            Toolchain::Usual => Ok(process::cargo()),
            Toolchain::Debian(folder) => {
                let mut command = Command::new(folder.join("bin/cargo"));
                self.apply(&mut command)?;
                Ok(command)
            }
        }
    }

    /// Has a program that calls `cargo` itself use this compiler. Call it before [`process::with_path`].
    pub(crate) fn apply(&self, command: &mut Command) -> Result<()> {
        if let Toolchain::Debian(folder) = self {
            for name in CHOICES {
                command.env_remove(name);
            }
            command.env("RUSTC", folder.join("bin/rustc"));
            process::with_path(command, &[&folder.join("bin")])?;
        }
        Ok(())
    }

    /// Whether clippy is there for it: Debian's compiler has none.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self, Toolchain::Usual)
    }
}

/// Looks for the target, asks rustup for it, or builds it for Debian's compiler, whichever works first.
pub(super) fn ensure() -> Result<Toolchain> {
    if has_standard_library(&mut rustc())? {
        say(TARGET, "present");
        return Ok(Toolchain::Usual);
    }
    if process::found("rustup").is_some() {
        say(TARGET, "asking rustup for it, since the page and its engine are compiled to WebAssembly");
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0");
        if process::succeeds_within(&mut rustup, Duration::from_secs(300)) && has_standard_library(&mut rustc())? {
            return Ok(Toolchain::Usual);
        }
    }
    if !debian::is_here() {
        bail!(
            "{TARGET} is missing and rustup could not add it. Install rustup and run `rustup target add {TARGET}`, \
             or your distribution's package of Rust's standard library for WebAssembly"
        );
    }
    say(TARGET, "rustup could not add it; using Debian's compiler for the page alone");
    debian::ensure().map(Toolchain::Debian)
}

/// The compiler that cargo uses here.
fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Whether this compiler has the target's standard library where it looks for it.
pub(super) fn has_standard_library(rustc: &mut Command) -> Result<bool> {
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(places::root()?);
    let folder = process::output(rustc).context("could not ask the compiler where its libraries are")?;
    Ok(holds_standard_library(Path::new(&folder)))
}

/// Whether `libstd-<hash>.rlib` lies in the folder.
pub(super) fn holds_standard_library(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}
