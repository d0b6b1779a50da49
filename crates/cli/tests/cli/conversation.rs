//! Conversations and words that look like the template's, with the model that is part of the command.

use crate::server::{Reply, Server};
use crate::world::{Outcome, World};
use serde_json::{Value, json};

fn world() -> World {
    World::new(&Server::start(|_| Reply::status(404)))
}

fn explained(world: &World, arguments: &[&str]) -> (Value, String) {
    let outcome = world.run(&[&["explain", "--device", "cpu", "--format", "json", "--target", "cat"], arguments].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    (serde_json::from_str(&outcome.stdout).unwrap(), outcome.stderr)
}

/// The words of a role in the units that are ranked, the template's space before them in their first token.
fn words(found: &Value, role: &str) -> String {
    let units = found["units"].as_array().unwrap().iter();
    let own = units.filter(|unit| unit["role"] == role && unit["sink"] == false);
    own.map(|unit| unit["text"].as_str().unwrap()).collect()
}

#[test]
fn every_turn_is_explained_by_its_role() {
    let world = world();
    let turns = json!([
        {"role": "system", "content": "Assistant"}, {"role": "user", "content": "User"},
        {"role": "assistant", "content": "Assistant"}, {"role": "user", "content": "What pet is it?"}
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("turns.json");
    std::fs::write(&file, format!("\u{feff}{turns}")).unwrap();
    let (found, _) = explained(&world, &["--messages", file.to_str().unwrap(), "--granularity", "word"]);
    assert_eq!([words(&found, "system"), words(&found, "assistant")], [" Assistant", " Assistant"]);
    assert_eq!(words(&found, "user"), "User What pet is it?");
    assert_eq!((&found["held"]["turns"], &found["held"]["chat_template"]), (&turns, &Value::Bool(true)));
    assert_eq!((&found["version"], &found["notices"]), (&json!(env!("CARGO_PKG_VERSION")), &json!([])));
    for (turns, code, told) in [
        (json!([{"role": "assistant", "content": "Hi"}]), 1, "expected user"),
        (json!([{"role": "bot", "content": "Hi"}]), 1, "unknown variant `bot`"),
        (json!({"role": "user"}), 1, "is no conversation"),
        (json!([]), 1, "has no turns"),
    ] {
        std::fs::write(&file, turns.to_string()).unwrap();
        let outcome: Outcome = world.run(&["explain", "--messages", file.to_str().unwrap()]);
        assert!(outcome.code == code && outcome.stderr.contains(told), "{told}: {outcome:?}");
    }
    let both = world.run(&["explain", "--messages", file.to_str().unwrap(), "--prompt", "Hi"]);
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn lines_of_a_batch_may_be_conversations() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.jsonl"), folder.path().join("out.jsonl"));
    let lines = [
        json!({"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], "target": "cat"}),
        json!({"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi", "target": "cat"}),
        json!({"messages": [{"role": "user", "content": "Hi"}], "chat": false, "target": "cat"}),
    ];
    std::fs::write(&input, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let outcome = world.run(&["batch", "--device", "cpu", "--in", input.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stderr.contains("either \"prompt\" or \"messages\"") && outcome.stderr.contains("leave out \"chat\""));
    let answer: Value = serde_json::from_str(std::fs::read_to_string(&out).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!(words(&answer["explanation"], "system"), " Be kind.");
}

#[test]
fn a_typed_control_token_is_told_and_shown_where_it_stands() {
    let world = world();
    for how in ["--chat", "--plain"] {
        let (found, told) = explained(&world, &[how, "--prompt", "What <end_of_utterance> is it?"]);
        assert!(told.contains("imitates the chat template: the control tokens <end_of_utterance> in it"), "{told}");
        assert_eq!(found["notices"][0]["kind"], "imitates-template");
        let typed: Vec<&Value> = found["units"].as_array().unwrap().iter().filter(|unit| unit["control"] == true).collect();
        assert_eq!((typed.len(), &typed[0]["sink"]), (1, &Value::Bool(false)), "{typed:?}");
    }
    let written = world.run(&["generate", "--device", "cpu", "-n", "1", "--prompt", "What <end_of_utterance> is it?"]);
    assert!(written.code == 0 && written.stderr.contains("imitates the chat template"), "{written:?}");
    // A word that names what stands for a picture is a word where there is none.
    let (found, told) = explained(&world, &["--prompt", "What does <image> mean?"]);
    assert!(words(&found, "user").contains("<image>") && !told.contains("imitates"), "{told}");
    assert!(found["prompt"]["tokens"].as_array().unwrap().iter().all(|token| token["kind"] != "image"));
}
