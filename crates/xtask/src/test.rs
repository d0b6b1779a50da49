//! Every check and test, with the set-up they need. Nothing is left out because something before it failed.

use crate::setup::Toolchain;
use crate::tally::Tally;
use crate::{browser, places, process, setup, site};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The engine's crates, which also run in the browser.
const ON_THE_WEB: [&str; 9] = [
    "atman-tensor",
    "atman-weights",
    "atman-kernels",
    "atman-images",
    "atman-gpu",
    "atman-model",
    "atman",
    "atman-report",
    "atman-web",
];

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

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
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

/// Runs everything, and ends the program with a failure if anything failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut total = Total::default();
    match process::timed("set-up", || set_up(options)) {
        Ok(toolchain) => run_parts(options, &toolchain, &mut total),
        Err(error) => total.add("set-up", Err(error)),
    }
    if !total.failures.is_empty() {
        println!("\nfailed: {}", total.failures.join(", "));
    }
    println!("\n{} passed, {} failed", total.tally.passed, total.tally.failed);
    if total.tally.failed > 0 {
        // The line above is the last: no error text after it.
        std::process::exit(1);
    }
    Ok(())
}

fn set_up(options: &Options) -> Result<Toolchain> {
    let toolchain =
        if options.wants(Part::Checks) || options.wants(Part::Browser) { setup::for_web()? } else { Toolchain::Usual };
    setup::for_tests()?;
    Ok(toolchain)
}

fn run_parts(options: &Options, toolchain: &Toolchain, total: &mut Total) {
    if options.wants(Part::Checks) {
        match checks(toolchain) {
            Ok(checks) => {
                for (what, mut command) in checks {
                    total.add(what, process::timed(what, || Ok(Tally::check(passes(&mut command)))));
                }
            }
            Err(error) => total.add("checks", Err(error)),
        }
    }
    if options.wants(Part::Native) {
        total.add("native tests", process::timed("native tests", || native_tests(options.slow)));
        total.add("documentation tests", process::timed("documentation tests", documentation_tests));
    }
    if options.wants(Part::Browser) {
        total.add("browser tests", process::timed("browser tests", || browser_tests(options.slow)));
    }
}

/// All outcomes so far.
#[derive(Default)]
struct Total {
    tally: Tally,
    failures: Vec<String>,
}

impl Total {
    /// Adds one step's outcome; a step that could not be carried out is one failure.
    fn add(&mut self, what: &str, outcome: Result<Tally>) {
        let tally = outcome.unwrap_or_else(|error| {
            eprintln!("{what}: {error:#}");
            Tally::check(false)
        });
        if tally.failed > 0 {
            self.failures.push(what.to_owned());
        }
        self.tally = self.tally.and(tally);
    }
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
    lints.current_dir(&root).args(["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    let mut web_lints = toolchain.cargo()?;
    let web = if toolchain.has_clippy() { "clippy (wasm32)" } else { "check (wasm32; this compiler has no clippy)" };
    web_lints.current_dir(&root).arg(if toolchain.has_clippy() { "clippy" } else { "check" });
    web_lints.args(["--locked", "--target", "wasm32-unknown-unknown", "--features", "atman-web/parity"]);
    for package in ON_THE_WEB {
        web_lints.args(["--package", package]);
    }
    if toolchain.has_clippy() {
        web_lints.args(["--", "--deny", "warnings"]);
    }
    let mut documentation = process::cargo();
    documentation.current_dir(&root).env("RUSTDOCFLAGS", "--deny warnings");
    documentation.args(["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"]);
    Ok(vec![("format", format), ("clippy", lints), (web, web_lints), ("documentation", documentation)])
}

/// All tests of all crates, with nextest where it is installed.
fn native_tests(slow: bool) -> Result<Tally> {
    let nextest = process::succeeds(process::cargo().args(["nextest", "--version"]));
    let mut cargo = process::cargo();
    cargo.current_dir(places::root()?).env("ATMAN_REQUIRE_GPU", "1").env("ATMAN_REQUIRE_MODELS", "1");
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
fn browser_tests(slow: bool) -> Result<Tally> {
    let model = setup::model_file()?;
    let site = site::build(site::Flavour::Test, std::slice::from_ref(&model))?;
    let root = places::root()?;
    let mut node = browser::node(&site, &model)?;
    // One after the other: they measure time and memory, and each has a browser.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]).args(browser_test_files(&root)?);
    if slow {
        node.env("ATMAN_SLOW", "1");
    }
    // Its numbers are those that the page must show.
    node.env("ATMAN_CLI", setup::command_line()?);
    counted(&mut node)
}

/// `tests/browser/*.test.mjs`. Versions of node differ in what they make of a folder.
fn browser_test_files(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("tests/browser");
    let entries = folder.read_dir().with_context(|| format!("could not read {}", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

/// Runs a test program and counts.
fn counted(command: &mut Command) -> Result<Tally> {
    let (succeeded, output) = process::watched(command)?;
    Ok(Tally::of(succeeded, &output))
}
