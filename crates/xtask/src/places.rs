//! Where things are: the repository, and the folder of what set-up builds.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The repository's root, where `Cargo.lock` lies.
pub(crate) fn root() -> Result<PathBuf> {
    // What cargo says when it runs this: a build folder may outlive the checkout that it was compiled in.
    let said = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = said.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    here.ancestors().nth(2).map(Path::to_owned).with_context(|| format!("{} is not in crates/", here.display()))
}

/// AtMan's folder below the platform's cache folder.
pub(crate) fn cache() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    let base = base.context("found no cache folder: neither XDG_CACHE_HOME, HOME nor LOCALAPPDATA is set")?;
    ensure!(base.is_absolute(), "the cache folder {} is not an absolute path", base.display());
    Ok(base.join("atman"))
}

/// Folder of one version of a command line tool that set-up builds.
pub(crate) fn tool(name: &str, version: &str) -> Result<PathBuf> {
    Ok(cache()?.join("tools").join(format!("{name}-{version}")))
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => Ok(root()?.join(folder)),
        None => Ok(root()?.join("target")),
    }
}

/// Version of a package in `Cargo.lock`.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let path = root()?.join("Cargo.lock");
    let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    version_in(&text, package).with_context(|| format!("{} names no package {package}", path.display()))
}

/// The `version` line that follows the package's `name` line.
fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_the_package_named_exactly() {
        let lock = "[[package]]\nname = \"ab-c\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"ab\"\nversion = \"2.3.4\"\n";
        assert_eq!(version_in(lock, "ab").as_deref(), Some("2.3.4"));
        assert_eq!(version_in(lock, "c"), None);
    }

    #[test]
    fn the_root_holds_the_lock_file() {
        assert!(root().unwrap().join("Cargo.lock").is_file());
    }
}
