//! The crates depend on each other only as the architecture says, and only `gpu` knows wgpu.

#![expect(clippy::expect_used, reason = "a test states what it expects by unwrapping it")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The engine, from left to right: a crate may depend on those named for it, and on no other of ours.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("atman-tensor", &[]),
    ("atman-weights", &["atman-tensor"]),
    ("atman-kernels", &["atman-tensor"]),
    ("atman-images", &[]),
    ("atman-gpu", &["atman-kernels", "atman-tensor"]),
    ("atman-model", &["atman-images", "atman-kernels", "atman-tensor", "atman-weights"]),
    ("atman", &["atman-images", "atman-kernels", "atman-model", "atman-weights"]),
    ("atman-report", &["atman", "atman-images"]),
    (
        "atman-cli",
        &["atman", "atman-gpu", "atman-images", "atman-kernels", "atman-model", "atman-report", "atman-tensor", "atman-weights"],
    ),
    (
        "atman-tests",
        &["atman", "atman-gpu", "atman-images", "atman-kernels", "atman-model", "atman-report", "atman-tensor", "atman-weights"],
    ),
    // The worker runs the golden tests in the browser, so it has the code that runs them.
    (
        "atman-web",
        &[
            "atman",
            "atman-gpu",
            "atman-images",
            "atman-kernels",
            "atman-model",
            "atman-report",
            "atman-tensor",
            "atman-tests",
            "atman-weights",
        ],
    ),
    // Set-up runs on a fresh machine, before anything else has been compiled.
    ("atman-xtask", &[]),
];

/// A crate of the workspace and one of its dependencies. Those of tests and build scripts count like the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
}

/// What `cargo metadata` says of the workspace.
fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"]).arg(manifest);
    let output = command.output().expect("cargo metadata starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
}

/// The workspace's packages and all their dependencies.
fn workspace() -> (BTreeSet<String>, Vec<Edge>) {
    let metadata = metadata();
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let (mut packages, mut edges) = (BTreeSet::new(), Vec::new());
    for package in metadata["packages"].as_array().expect("packages") {
        let from = text(&package["name"]);
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            edges.push(Edge { from: from.clone(), to: text(&dependency["name"]) });
        }
        packages.insert(from);
    }
    (packages, edges)
}

/// Edges between our crates that the table does not allow.
fn forbidden(edges: &[Edge]) -> Vec<Edge> {
    let is_allowed = |edge: &Edge| ALLOWED.iter().any(|(from, to)| *from == edge.from && to.contains(&edge.to.as_str()));
    let wrong: BTreeSet<Edge> = edges.iter().filter(|edge| edge.to.starts_with("atman") && !is_allowed(edge)).cloned().collect();
    wrong.into_iter().collect()
}

#[test]
fn crates_depend_only_on_what_is_left_of_them() {
    assert_eq!(forbidden(&workspace().1), []);
}

#[test]
fn the_table_names_every_crate_of_the_workspace_and_no_other() {
    let listed: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed, workspace().0);
}

#[test]
fn an_edge_to_the_right_is_noticed() {
    let edge = |from: &str, to: &str| Edge { from: from.into(), to: to.into() };
    let wrong = edge("atman-kernels", "atman-gpu");
    assert_eq!(forbidden(&[wrong.clone(), edge("atman-gpu", "atman-kernels"), edge("atman-gpu", "wgpu")]), [wrong]);
}

#[test]
fn only_gpu_names_wgpu() {
    let named: BTreeSet<String> = workspace().1.into_iter().filter(|edge| edge.to == "wgpu").map(|edge| edge.from).collect();
    assert!(named.iter().all(|from| from == "atman-gpu"), "wgpu is named by {named:?}");
}

/// Without it the CPU path's products are scalar code in browsers, several times slower, and nothing else would notice.
#[test]
fn products_use_simd_in_browsers() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let kernels = packages.iter().find(|package| package["name"] == "atman-kernels").expect("the crate of the CPU executor");
    let dependencies = kernels["dependencies"].as_array().expect("dependencies");
    let gemm = dependencies.iter().find(|dependency| dependency["name"] == "gemm").expect("products are gemm's");
    let features = gemm["features"].as_array().expect("features");
    assert!(features.iter().any(|feature| feature == "wasm-simd128-enable"), "{features:?}");
    // The compiler's half of it: whoever builds for WebAssembly has the instructions allowed.
    let config = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cargo/config.toml")).expect("the file");
    assert!(config.contains("target-feature=+simd128"), "{config}");
}
