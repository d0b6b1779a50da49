//! `atman eval` with the real model.

use crate::world::{MODEL, Outcome, atman};
use std::path::Path;

const DATA: [&str; 3] = [
    r#"{"id": "garden", "context": "Ann is at home. Tom is in the garden.", "question": "Where is Tom?", "answer": "garden", "answer_start": 30}"#,
    r#"{"context": "Zoë lives in Köln and works in Bonn.", "question": "Where does Zoë live?", "answer": "Köln", "answer_start": 13}"#,
    r#"{"id": "wrong", "context": "Ann is at home.", "question": "Where is Ann?", "answer": "away", "answer_start": 3}"#,
];

fn eval(folder: &Path, data: &[&str]) -> Outcome {
    std::fs::write(folder.join("data.jsonl"), data.join("\n")).unwrap();
    let mut command = atman(&["eval", "--model", MODEL, "--device", "cpu", "--operators", "multiplicative", "--factors", "0.1"]);
    command.arg("--data").arg(folder.join("data.jsonl")).arg("--out").arg(folder.join("out"));
    Outcome::of(command.output().unwrap())
}

#[test]
fn methods_are_compared_and_an_evaluation_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = eval(folder.path(), &DATA[..2]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let read = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    assert_eq!(read("summary.md"), outcome.stdout);
    let methods = ["random", "position", "leave-one-out", "multiplicative 0.1", "multiplicative 0.1, neighbours 0.7"];
    for method in methods {
        assert!(outcome.stdout.contains(&format!("| {method} | 2 |")), "{method}: {}", outcome.stdout);
    }
    // The answers are found far better than by chance.
    let summary = read("summary.csv");
    let precision = |method: &str| -> f64 {
        let line = summary.lines().find(|line| line.starts_with(&format!("{method},"))).unwrap();
        line.split(',').nth(2).unwrap().parse().unwrap()
    };
    assert!(precision("multiplicative 0.1") > 2.0 * precision("random"), "{summary}");
    assert_eq!(read("results.jsonl").lines().count(), 2 * methods.len());
    assert_eq!(read("examples.csv").lines().count(), 1 + 2 * methods.len());
    // Without the last results, as if it had been stopped: only these are computed again, and come out the same.
    let results = read("results.jsonl");
    let kept: Vec<&str> = results.lines().take(7).collect();
    std::fs::write(folder.path().join("out/results.jsonl"), format!("{}\n{{\"key\": \"unfin", kept.join("\n"))).unwrap();
    let again = eval(folder.path(), &DATA[..2]);
    assert_eq!((again.code, again.stdout), (0, outcome.stdout));
    assert!(read("results.jsonl").starts_with(&format!("{}\n", kept.join("\n"))));
}

#[test]
fn a_bad_example_is_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = eval(folder.path(), &DATA[1..]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("line 2 of") && outcome.stderr.contains("no \"away\" at character 3"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("| random | 1 |"), "{}", outcome.stdout);
    let outcome = eval(folder.path(), &DATA[2..]);
    assert!(outcome.code == 1 && outcome.stderr.contains("holds no example that can be used"), "{}", outcome.stderr);
}
