//! What comes from package managers: npm's packages, and on Debian and its descendants a browser and a software
//! Vulkan driver for tests.

use super::say;
use crate::{places, process};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a browser of Chromium's kind usually is, beside the search path.
const BROWSERS: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
];
const BROWSER_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Software Vulkan: Mesa's llvmpipe.
pub(crate) const LAVAPIPE: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// wasm-opt, playwright-core and axe-core, at the versions of `package-lock.json`.
pub(super) fn ensure_node() -> Result<()> {
    let root = places::root()?;
    let name = "node packages (wasm-opt, playwright-core, axe-core)";
    let (wanted, there) = (root.join("package-lock.json"), root.join("node_modules/.package-lock.json"));
    if is_newer(&there, &wanted) && root.join("node_modules/.bin").is_dir() {
        say(name, "present");
        return Ok(());
    }
    if process::found("node").is_none() {
        bail!("Node.js is missing. Install version 20 or newer, with npm");
    }
    say(name, "installing them, to shrink the compiled page, and to drive a browser and check the page in tests");
    process::run(process::npm().args(["ci", "--no-audit", "--no-fund"]).current_dir(&root))
}

/// Whether `file` exists and is at least as new as `than`.
fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file >= than)
}

/// A browser, and on Linux a Vulkan driver that needs no GPU.
pub(super) fn ensure_system() -> Result<()> {
    let browser = chromium();
    if cfg!(target_os = "linux") && process::found("apt-get").is_some() {
        let mut wanted = Vec::new();
        if browser.is_none() {
            // On Debian; Ubuntu's package of this name only points to another package manager.
            wanted.push("chromium");
        }
        if cfg!(target_arch = "x86_64") && !Path::new(LAVAPIPE).is_file() {
            wanted.push("mesa-vulkan-drivers");
        }
        apt_install(&wanted, "tests run the page in Chromium and the shaders on a software Vulkan driver")?;
    }
    match chromium() {
        Some(path) => say("Chromium", &format!("present: {}", path.display())),
        None => say("Chromium", "not found; install Chromium or Chrome, or name it in ATMAN_CHROMIUM: browser tests need it"),
    }
    if cfg!(target_os = "linux") {
        let state = if Path::new(LAVAPIPE).is_file() {
            "present"
        } else {
            "not found; install Mesa's Vulkan drivers (llvmpipe), or tests use the Vulkan driver of this machine"
        };
        say("software Vulkan driver", state);
    }
    Ok(())
}

/// The browser that tests drive: `ATMAN_CHROMIUM`, or the first found.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ATMAN_CHROMIUM") {
        return Some(named.into());
    }
    let usual = BROWSERS.iter().map(PathBuf::from).filter(|path| path.is_file());
    BROWSER_NAMES.iter().filter_map(|name| process::found(name)).chain(usual).next()
}

/// Installs those of the packages that are missing, as root or through sudo.
pub(super) fn apt_install(packages: &[&str], why: &str) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    say(&list, &format!("installing with apt-get, since {why}"));
    let root = process::output(Command::new("id").arg("-u"))? == "0";
    if !root && process::found("sudo").is_none() {
        bail!("this needs root, and sudo is missing. Run as root: apt-get install --no-install-recommends {list}");
    }
    let apt = || {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            command.arg("env");
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
        command
    };
    process::run(apt().arg("update"))?;
    process::run(apt().args(["install", "-y", "--no-install-recommends"]).args(&missing))
        .with_context(|| format!("could not install {list}"))
}

fn is_installed(package: &str) -> bool {
    let status = process::output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]));
    status.is_ok_and(|status| status.ends_with("ok installed"))
}
