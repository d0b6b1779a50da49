//! A compiler for WebAssembly on Debian and its descendants where rustup's server cannot be reached: their package
//! `rustc-web`, with the standard library built once from `rust-web-src`, since no package carries it ready-made.
//!
//! The result is a folder of our own, which only refers to the packages' files: `bin/rustc` calls Debian's compiler with
//! `--sysroot` set to the folder, where the target's libraries stand beside links to those of the host.

use super::wasm_target::{CHOICES, TARGET, holds_standard_library};
use super::{packages, say};
use crate::{places, process};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Changes whenever the way of building changes, so that folders built the old way are left behind.
const RECIPE: u32 = 1;
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Whether this way is open at all.
pub(super) fn is_here() -> bool {
    cfg!(target_os = "linux") && process::found("apt-get").is_some()
}

/// The folder of the toolchain, built if it is not there.
pub(super) fn ensure() -> Result<PathBuf> {
    packages::apt_install(&["rustc-web", "cargo-web", "rust-web-src"], "compiling for the web without rustup's server")?;
    let compiler = Compiler::new()?;
    let sources = process::output(Command::new("dpkg-query").args(["-W", "-f=${Version}", "rust-web-src"]))?;
    let folder = places::cache()?.join("toolchains").join(format!("debian-web-{sources}-{RECIPE}"));
    let libraries = folder.join("lib/rustlib").join(TARGET).join("lib");
    if holds_standard_library(&libraries) {
        say(TARGET, "present, for Debian's compiler");
        return Ok(folder);
    }
    say(TARGET, &format!("building its standard library with {} (about a minute)", compiler.version));
    // Built beside its place and moved there whole, so that an interrupted run leaves nothing that looks finished.
    let draft = folder.with_extension("draft");
    let _ = std::fs::remove_dir_all(&draft);
    let _ = std::fs::remove_dir_all(&folder);
    let build = draft.join("build");
    compiler.build_standard_library(&build, &draft.join("lib/rustlib").join(TARGET).join("lib"))?;
    compiler.link_host(&draft)?;
    let _ = std::fs::remove_dir_all(&build);
    write_programs(&draft, &folder)?;
    std::fs::rename(&draft, &folder).with_context(|| format!("could not move {} into place", draft.display()))?;
    Ok(folder)
}

/// Debian's compiler.
struct Compiler {
    version: String,
    host: String,
    llvm_major: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn new() -> Result<Self> {
        let about = process::output(plain(DEBIAN_RUSTC).arg("-vV"))?;
        let line = |key: &str| about.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let part = |key: &str| line(key).with_context(|| format!("`{DEBIAN_RUSTC} -vV` says nothing of `{key}`"));
        Ok(Self {
            version: about.lines().next().unwrap_or_default().to_owned(),
            host: part("host:")?.to_owned(),
            llvm_major: part("LLVM version:")?.split('.').next().unwrap_or_default().to_owned(),
            sysroot: process::output(plain(DEBIAN_RUSTC).args(["--print", "sysroot"]))?.into(),
        })
    }

    /// Compiles `std` and `panic_abort` in `build` and puts their libraries into `libraries`.
    fn build_standard_library(&self, build: &Path, libraries: &Path) -> Result<()> {
        let (package, home) = (build.join("package"), build.join("home"));
        std::fs::create_dir_all(package.join("src"))?;
        std::fs::create_dir_all(&home)?;
        // A cargo home of its own: the standard library's dependencies come with its sources, not from a registry.
        std::fs::write(
            home.join("config.toml"),
            format!(
                "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"{SOURCES}/vendor\"\n\
                 [net]\noffline = true\n"
            ),
        )?;
        std::fs::write(package.join("src/lib.rs"), "#![no_std]\n")?;
        std::fs::write(
            package.join("Cargo.toml"),
            "[package]\nname = \"std-probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
             [profile.release]\nopt-level = 3\ncodegen-units = 1\ndebug = false\npanic = \"abort\"\n",
        )?;
        let mut cargo = plain(DEBIAN_CARGO);
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS", "RUSTC_WRAPPER"] {
            cargo.env_remove(name);
        }
        cargo
            .current_dir(&package)
            .env("CARGO_HOME", &home)
            .env("RUSTC", DEBIAN_RUSTC)
            // `-Zbuild-std` is a nightly option; this is the distribution's own way to it.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", build.join("target"))
            // Bitcode in the libraries: link-time optimisation of the page needs it.
            .env("RUSTFLAGS", "-Cembed-bitcode=yes --remap-path-prefix=/usr/lib/rustlib/src/rust=/rustc/debian")
            .args(["build", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort"]);
        process::run(&mut cargo)?;
        std::fs::create_dir_all(libraries)?;
        let built = build.join("target").join(TARGET).join("release/deps");
        for entry in built.read_dir().with_context(|| format!("could not read {}", built.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "rlib") && !name.to_string_lossy().contains("std_probe") {
                std::fs::copy(&path, libraries.join(name))?;
            }
        }
        if !holds_standard_library(libraries) {
            bail!("building the standard library left no libstd in {}", libraries.display());
        }
        Ok(())
    }

    /// Makes the host's libraries, and a linker for WebAssembly, visible in the sysroot `draft`.
    fn link_host(&self, draft: &Path) -> Result<()> {
        let ours = draft.join("lib/rustlib").join(&self.host);
        std::fs::create_dir_all(ours.join("bin"))?;
        let theirs = self.sysroot.join("lib/rustlib").join(&self.host).join("lib");
        link(&theirs, &ours.join("lib"))?;
        link(&self.linker()?, &ours.join("bin/rust-lld"))
    }

    /// `rust-lld` of any installed toolchain, or LLVM's own from the distribution.
    fn linker(&self) -> Result<PathBuf> {
        let home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".rustup")));
        let toolchains = home.map(|home| home.join("toolchains").read_dir());
        let mut linkers: Vec<_> = toolchains
            .into_iter()
            .flatten()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("lib/rustlib").join(&self.host).join("bin/rust-lld"))
            .filter(|file| file.is_file())
            .collect();
        linkers.sort();
        if let Some(found) = linkers.pop() {
            return Ok(found);
        }
        let package = format!("lld-{}", self.llvm_major);
        packages::apt_install(&[package.as_str()], "linking WebAssembly")?;
        Ok(format!("/usr/lib/llvm-{}/bin/lld", self.llvm_major).into())
    }
}

/// The toolchain's own `rustc` and `cargo`, which will lie in `folder`.
fn write_programs(draft: &Path, folder: &Path) -> Result<()> {
    let programs = draft.join("bin");
    std::fs::create_dir_all(&programs)?;
    link(Path::new(DEBIAN_CARGO), &programs.join("cargo"))?;
    let folder = folder.to_str().context("the cache folder's name is not UTF-8")?.replace('\'', r"'\''");
    let script = programs.join("rustc");
    std::fs::write(&script, format!("#!/bin/sh\nexec {DEBIAN_RUSTC} --sysroot '{folder}' \"$@\"\n"))?;
    process::run(Command::new("chmod").arg("755").arg(&script))
}

/// A command for which the caller's choice of compiler does not count.
fn plain(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in CHOICES {
        command.env_remove(name);
    }
    command
}

#[cfg(unix)]
fn link(to: &Path, from: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, from).with_context(|| format!("could not link {} to {}", from.display(), to.display()))
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    bail!("Debian's packages are only used on Linux")
}
