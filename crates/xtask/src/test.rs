//! Every check and test, with the set-up they need. Nothing is left out because something before it failed.

use crate::setup::Toolchain;
use crate::tally::Tally;
use crate::{places, process, setup, site};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// The engine's crates, which also run in the browser.
const ON_THE_WEB: [&str; 6] = ["atman-tensor", "atman-weights", "atman-kernels", "atman-gpu", "atman-model", "atman-web"];

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also the tests that take minutes (`#[ignore = "slow: ..."]`)
    #[arg(long)]
    slow: bool,
    /// Only a part
    #[arg(long, value_enum)]
    only: Option<Part>,
}

/// What can be run alone.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Format, lints and documentation
    Checks,
    /// All tests of all crates
    Native,
    /// The page in Chromium
    Browser,
}

/// Runs everything, and fails if anything failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let toolchain = process::timed("set-up", || -> Result<Toolchain> {
        let toolchain = setup::for_web()?;
        setup::for_tests()?;
        Ok(toolchain)
    })?;
    let mut all = Tally::default();
    let mut failures = Vec::new();
    let mut add = |what: &str, outcome: Result<Tally>| {
        let tally = outcome.unwrap_or_else(|error| {
            eprintln!("{what}: {error:#}");
            Tally::check(false)
        });
        if tally.failed > 0 {
            failures.push(what.to_owned());
        }
        all = all.and(tally);
    };
    let wanted = |part| options.only.is_none_or(|only| only == part);
    if wanted(Part::Checks) {
        for (what, mut command) in checks(&toolchain)? {
            add(what, process::timed(what, || Ok(Tally::check(passes(&mut command)))));
        }
    }
    if wanted(Part::Native) {
        add("native tests", process::timed("native tests", || native_tests(options.slow)));
        add("documentation tests", process::timed("documentation tests", documentation_tests));
    }
    if wanted(Part::Browser) {
        add("browser tests", process::timed("browser tests", browser_tests));
    }
    if !failures.is_empty() {
        println!("\nfailed: {}", failures.join(", "));
    }
    println!("\n{} passed, {} failed", all.passed, all.failed);
    if all.failed > 0 {
        // The line above is the last: no error text after it.
        std::process::exit(1);
    }
    Ok(())
}

/// Whether a check passes; it says itself why not.
fn passes(command: &mut Command) -> bool {
    process::run(command).map_err(|error| eprintln!("{error:#}")).is_ok()
}

/// Format, lints and documentation. Each counts as one test.
fn checks(toolchain: &Toolchain) -> Result<Vec<(&'static str, Command)>> {
    let root = places::root()?;
    let mut format = process::cargo();
    format.current_dir(&root).args(["fmt", "--all", "--check"]);
    let mut lints = process::cargo();
    lints.current_dir(&root).args(["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    let mut web_lints = toolchain.cargo()?;
    let web = if toolchain.has_clippy() { "clippy (wasm32)" } else { "check (wasm32; this compiler has no clippy)" };
    web_lints.current_dir(&root).arg(if toolchain.has_clippy() { "clippy" } else { "check" });
    web_lints.args(["--quiet", "--locked", "--target", "wasm32-unknown-unknown", "--features", "atman-web/parity"]);
    for package in ON_THE_WEB {
        web_lints.args(["--package", package]);
    }
    if toolchain.has_clippy() {
        web_lints.args(["--", "--deny", "warnings"]);
    }
    let mut documentation = process::cargo();
    documentation.current_dir(&root).env("RUSTDOCFLAGS", "--deny warnings");
    documentation.args(["doc", "--quiet", "--workspace", "--no-deps", "--locked", "--document-private-items"]);
    Ok(vec![("format", format), ("clippy", lints), (web, web_lints), ("documentation", documentation)])
}

/// All tests of all crates, with nextest where it is installed.
fn native_tests(slow: bool) -> Result<Tally> {
    let nextest = process::succeeds(process::cargo().args(["nextest", "--version"]));
    let mut cargo = process::cargo();
    cargo.current_dir(places::root()?).env("ATMAN_REQUIRE_GPU", "1");
    if std::env::var_os("VK_ICD_FILENAMES").is_none() && Path::new(setup::LAVAPIPE).is_file() {
        // The same driver on every machine, and none that a person's screen depends on.
        cargo.env("VK_ICD_FILENAMES", setup::LAVAPIPE);
    }
    if nextest {
        cargo.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--color", "never"]);
        cargo.args(slow.then_some(["--run-ignored", "all"]).into_iter().flatten());
    } else {
        cargo.args(["test", "--workspace", "--locked", "--no-fail-fast", "--all-targets"]);
        cargo.args(slow.then_some(["--", "--include-ignored"]).into_iter().flatten());
    }
    counted(&mut cargo)
}

/// The examples in the documentation, which nextest leaves out.
fn documentation_tests() -> Result<Tally> {
    let mut cargo = process::cargo();
    cargo.current_dir(places::root()?).args(["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]);
    counted(&mut cargo)
}

/// The page and its worker in Chromium, with the real model.
fn browser_tests() -> Result<Tally> {
    let Some(browser) = setup::chromium() else {
        bail!("no Chromium or Chrome was found; install one, or name it in ATMAN_CHROMIUM");
    };
    let site = site::build(&site::Flavour::Test)?;
    let root = places::root()?;
    let mut node = Command::new("node");
    node.current_dir(&root)
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1", "tests/browser/"])
        .env("ATMAN_SITE", site)
        .env("ATMAN_MODEL_FILE", setup::model_file()?)
        .env("ATMAN_CHROMIUM", browser);
    counted(&mut node)
}

/// Runs a test program and counts.
fn counted(command: &mut Command) -> Result<Tally> {
    let (succeeded, output) = process::watched(command)?;
    Ok(Tally::of(succeeded, &output))
}
