//! The real model and the goldens, for tests.

use atman_tests::goldens::Golden;
use kernels::Executor;
use kernels::cpu::CpuExecutor;
use model::Model;
use std::path::{Path, PathBuf};
use weights::{Checkpoint, ModelFiles};

/// Where `atman fetch` puts models.
fn models_folder() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home folder"));
    let cache = || std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from);
    std::env::var_os("ATMAN_MODELS").map_or_else(|| cache().join("atman/models"), PathBuf::from)
}

/// SmolLM2-135M-Instruct, as the goldens were made with it.
pub(crate) fn checkpoint() -> Checkpoint {
    let entry = weights::catalogue::find("smollm2-135m-instruct").expect("the catalogue has it");
    let path = models_folder().join(entry.files()[0].name);
    let files = ModelFiles::from_path(&path).unwrap_or_else(|e| panic!("{e}; `cargo xtask setup` fetches it"));
    pollster::block_on(Checkpoint::open(files)).expect("the model opens")
}

pub(crate) fn load(executor: &mut dyn Executor) -> Model {
    pollster::block_on(Model::load(&checkpoint(), executor, &mut |_| {})).expect("the model loads")
}

pub(crate) fn cpu() -> (CpuExecutor, Model) {
    let mut executor = CpuExecutor::new();
    let model = load(&mut executor);
    (executor, model)
}

pub(crate) fn golden(name: &str) -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect("the golden is there")).expect("the golden parses")
}
