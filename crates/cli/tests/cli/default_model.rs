//! The model that is part of the command, on a machine that has nothing else.

use crate::server::{Reply, Server};
use crate::world::{Outcome, World};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use weights::catalogue::DEFAULT;

const QUESTION: &str = "Ann lives in Oslo. Tom lives in Rome. Where does Tom live?";
const RENDERED: &str =
    "<|im_start|>User: Ann lives in Oslo. Tom lives in Rome. Where does Tom live?<end_of_utterance>\nAssistant:";

/// No models, no network, no Python.
fn fresh() -> World {
    World::new(&Server::start(|_| Reply::status(404)))
}

fn json(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// The text that the model reads.
fn prompt(world: &World, arguments: &[&str]) -> String {
    let short = ["explain", "--device", "cpu", "--format", "json", "-n", "1", "--prompt", QUESTION];
    json(&world.run(&[&short, arguments].concat()))["prompt"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_copied_command_explains_at_once_and_asks_nobody() {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join(if cfg!(windows) { "copy.exe" } else { "copy" });
    std::fs::copy(env!("CARGO_BIN_EXE_atman"), &copy).unwrap();
    let hub = Server::start(|_| Reply::status(404));
    let models = elsewhere.path().join("models");
    let mut command = Command::new(copy);
    command.args(["explain", "--device", "cpu", "--format", "json", "--prompt", QUESTION]);
    command.env("ATMAN_MODELS", &models).env("HF_ENDPOINT", hub.url()).current_dir(elsewhere.path()).stdin(Stdio::null());
    let found = json(&Outcome::of(command.output().unwrap()));
    assert_eq!((&found["model"]["name"], &found["model"]["sha256"]), (&DEFAULT.name.into(), &DEFAULT.sha256().into()));
    assert_eq!(found["prompt"]["text"], RENDERED);
    assert!(!found["target"]["text"].as_str().unwrap().is_empty());
    assert!(hub.seen("").is_empty() && !models.exists(), "nothing is fetched, and nothing left behind");
}

#[test]
fn it_is_asked_through_its_chat_template_unless_that_is_refused() {
    let world = fresh();
    assert_eq!(prompt(&world, &[]), RENDERED);
    assert_eq!(prompt(&world, &["--chat"]), RENDERED);
    assert_eq!(prompt(&world, &["--model", "atman-tiny"]), RENDERED);
    assert_eq!(prompt(&world, &["--plain"]), QUESTION);
    assert!(prompt(&world, &["--system", "Be brief."]).starts_with("<|im_start|>System: Be brief.<end_of_utterance>\nUser: Ann"));
    for refused in [&["--plain", "--chat"][..], &["--plain", "--system", "Be brief."]] {
        assert_eq!(world.run(&[&["explain", "--prompt", "a"], refused].concat()).code, 2, "{refused:?}");
    }
}

#[test]
fn an_answer_in_a_chat_follows_after_a_space() {
    let world = fresh();
    let answers = |arguments: &[&str]| {
        let all = [&["explain", "--device", "cpu", "--format", "json", "--prompt", QUESTION], arguments].concat();
        let found = json(&world.run(&all));
        [&found["target"]["text"], &found["contrasts"][0]["alternative"]["text"]].map(|text| text.as_str().unwrap().to_owned())
    };
    for given in [["--target", "Rome.", "--contrast", "Oslo."], ["--target", " Rome.", "--contrast", " Oslo."]] {
        assert_eq!(answers(&given), [" Rome.", " Oslo."]);
    }
    assert_eq!(answers(&["--plain", "--target", "Rome.", "--contrast", "Oslo."]), ["Rome.", "Oslo."]);
}

#[test]
fn a_folder_that_is_named_is_asked_as_it_stands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/atman-tiny");
    let arguments = ["--device", "cpu", "--format", "json", "-n", "1", "--prompt", QUESTION];
    let of_folder = json(&fresh().run(&[&["explain", "--model", folder.to_str().unwrap()], &arguments[..]].concat()));
    assert_eq!(of_folder["prompt"]["text"], QUESTION);
    assert_eq!(of_folder["model"]["sha256"], DEFAULT.sha256(), "the very same model has the very same hash");
}

#[test]
fn every_command_takes_it_where_none_is_named() {
    let world = fresh();
    let written = world.run(&["generate", "--device", "cpu", "-n", "3", "--prompt", QUESTION]);
    assert!(written.code == 0 && !written.stdout.trim().is_empty(), "{written:?}");
    let rows = [r#"{"prompt": "Who?", "target": " Ann."}"#, r#"{"prompt": "Who?", "chat": false, "target": " Ann."}"#];
    std::fs::write(world.models.path().join("in.jsonl"), rows.join("\n")).unwrap();
    let batch = world.run(&["batch", "--device", "cpu", "--in", "in.jsonl", "--out", "out.jsonl"]);
    assert_eq!(batch.code, 0, "{batch:?}");
    let answers = std::fs::read_to_string(world.models.path().join("out.jsonl")).unwrap();
    let prompts =
        answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["explanation"]["prompt"]["text"].clone());
    let expected = ["<|im_start|>User: Who?<end_of_utterance>\nAssistant:", "Who?"];
    assert_eq!(prompts.collect::<Vec<Value>>(), expected);
    let row = r#"{"context": "Tom lives in Rome.", "question": "Where does Tom live?", "answer": "Rome", "answer_start": 13}"#;
    std::fs::write(world.models.path().join("data.jsonl"), row).unwrap();
    let few = ["--operators", "multiplicative", "--factors", "0", "--thresholds", "off"];
    let measured = world.run(&[&["eval", "--device", "cpu", "--data", "data.jsonl"], &few[..]].concat());
    assert!(measured.code == 0 && measured.stdout.contains("multiplicative 0"), "{measured:?}");
}

#[test]
fn it_is_listed_and_need_not_be_fetched() {
    let world = fresh();
    let listed = world.run(&["models"]);
    let line = listed.stdout.lines().find(|line| line.trim_start().starts_with("atman-tiny")).unwrap();
    assert!(line.contains("built in, the default") && line.contains("MIT OR Apache-2.0"), "{line}");
    let fetched = world.run(&["fetch", "atman-tiny"]);
    assert_eq!((fetched.code, fetched.stdout.as_str()), (0, ""), "{fetched:?}");
    assert!(fetched.stderr.contains("atman-tiny: built in; there is nothing to fetch"), "{fetched:?}");
    assert!(world.files().is_empty());
}
