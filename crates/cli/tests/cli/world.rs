//! The command in a world of its own.

use crate::server::Server;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The command with a models folder and a hub of its own, and nothing of the surroundings.
pub(crate) struct World {
    pub(crate) models: tempfile::TempDir,
    pub(crate) endpoint: String,
    pub(crate) variables: Vec<(String, String)>,
}

/// What the command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A model that set-up fetched.
pub(crate) const MODEL: &str = "smollm2-135m-instruct";

/// Whether the machine has a graphics adapter. Where `ATMAN_REQUIRE_GPU` asks for one, it must.
pub(crate) fn has_adapter() -> bool {
    let doctor = Outcome::of(atman(&["doctor", "--json"]).output().unwrap());
    let report: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let has_one = !report["adapters"].as_array().unwrap().is_empty();
    let required = std::env::var_os("ATMAN_REQUIRE_GPU").is_some();
    assert!(
        has_one || !required,
        "ATMAN_REQUIRE_GPU is set, but there is no adapter; `cargo xtask setup` installs a software one"
    );
    if !has_one {
        eprintln!("skipped: this machine has no graphics adapter");
    }
    has_one
}

/// The command with the models that set-up fetched.
pub(crate) fn atman(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atman"));
    command.args(arguments).stdin(Stdio::null());
    command
}

impl World {
    pub(crate) fn new(hub: &Server) -> Self {
        // No Python unless a test brings one.
        let variables = vec![("PATH".into(), String::new())];
        Self { models: tempfile::tempdir().unwrap(), endpoint: hub.url(), variables }
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.push((variable.into(), value.into()));
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = atman(arguments);
        for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(proxy).env_remove(proxy.to_uppercase());
        }
        command.env_remove("HF_TOKEN").env("HF_ENDPOINT", &self.endpoint).env("ATMAN_MODELS", self.models.path());
        command.envs(self.variables.iter().cloned());
        command.current_dir(self.models.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    /// Paths of all files in the models folder but the empty lock files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.models.path(), &mut found);
        let relative = |path: &PathBuf| path.strip_prefix(self.models.path()).unwrap().to_str().unwrap().replace('\\', "/");
        let mut found: Vec<String> = found.iter().map(relative).filter(|path| !path.ends_with(".lock")).collect();
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}
