//! An adapter for tests, where there is one.

use gpu::Adapters;

/// The adapters of this machine, or nothing where there is none and `ATMAN_REQUIRE_GPU` does not ask for one.
pub(crate) fn adapters() -> Option<Adapters> {
    let adapters = pollster::block_on(Adapters::find());
    if adapters.facts().is_empty() {
        let required = std::env::var_os("ATMAN_REQUIRE_GPU").is_some();
        assert!(!required, "ATMAN_REQUIRE_GPU is set, but there is no adapter; `cargo xtask setup` installs a software one");
        eprintln!("skipped: this machine has no graphics adapter");
        return None;
    }
    Some(adapters)
}
