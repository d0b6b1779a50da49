//! `atman eval` with the real model.

use crate::world::{MODEL, Outcome, atman};
use serde_json::Value;
use std::path::Path;

const DATA: [&str; 3] = [
    r#"{"id": "garden", "context": "Ann is at home. Tom is in the garden.", "question": "Where is Tom?", "answer": "garden", "answer_start": 30}"#,
    r#"{"context": "Zoë lives in Köln and works in Bonn.", "question": "Where does Zoë live?", "answer": "Köln", "answer_start": 13}"#,
    r#"{"id": "wrong", "context": "Ann is at home.", "question": "Where is Ann?", "answer": "away", "answer_start": 3}"#,
];

fn eval(folder: &Path, data: &[&str], more: &[&str]) -> Outcome {
    std::fs::write(folder.join("data.jsonl"), data.join("\n")).unwrap();
    let mut command = atman(&["eval", "--model", MODEL, "--device", "cpu", "--operators", "multiplicative", "--factors", "0.1"]);
    command.arg("--data").arg(folder.join("data.jsonl")).arg("--out").arg(folder.join("out")).args(more);
    Outcome::of(command.output().unwrap())
}

#[test]
fn methods_are_compared_and_an_evaluation_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = eval(folder.path(), &DATA[..2], &[]);
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
    every_mean_has_its_interval_and_every_method_its_difference(&read("summary.json"), &outcome.stdout);
    assert_eq!(read("results.jsonl").lines().count(), 2 * methods.len());
    assert_eq!(read("examples.csv").lines().count(), 1 + 2 * methods.len());
    // Without the last results, as if it had been stopped: only these are computed again, and come out the same.
    let results = read("results.jsonl");
    let kept: Vec<&str> = results.lines().take(7).collect();
    std::fs::write(folder.path().join("out/results.jsonl"), format!("{}\n{{\"key\": \"unfin", kept.join("\n"))).unwrap();
    let again = eval(folder.path(), &DATA[..2], &[]);
    assert_eq!((again.code, without_seconds(&again.stdout)), (0, without_seconds(&outcome.stdout)));
    assert!(read("results.jsonl").starts_with(&format!("{}\n", kept.join("\n"))));
}

/// A table without its last column, which depends on what else the machine does.
fn without_seconds(table: &str) -> Vec<&str> {
    table.lines().map(|line| line.trim_end_matches(" |").rsplit_once(" | ").map_or(line, |(before, _)| before)).collect()
}

fn every_mean_has_its_interval_and_every_method_its_difference(summary: &str, table: &str) {
    let summary: Value = serde_json::from_str(summary).unwrap();
    let methods = summary["methods"].as_array().unwrap();
    assert!(table.contains("Differences from random, question by question:"), "{table}");
    assert!(table.contains("95 % interval: percentile bootstrap over questions, 2000 draws, seed 0."), "{table}");
    assert_eq!((&summary["bootstrap"]["seed"], &summary["compared_with"]), (&0.into(), &"random".into()));
    let names = [
        "average_precision",
        "soft_precision",
        "soft_precision_iq_mean",
        "soft_recall",
        "soft_recall_iq_mean",
        "atman_precision",
        "atman_precision_iq_mean",
        "atman_recall",
        "atman_recall_iq_mean",
        "rows",
        "seconds",
    ];
    for (method, name) in methods.iter().flat_map(|method| names.map(|name| (method, name))) {
        let is_around = |value: &Value, ends: &Value| {
            let (value, ends) = (value.as_f64().unwrap(), [0, 1].map(|end| ends[end].as_f64().unwrap()));
            ends[0] <= value + 1e-9 && value <= ends[1] + 1e-9
        };
        assert!(is_around(&method[name], &method["intervals"][name]), "{name}: {method}");
        if method["method"] == "random" {
            assert!(method["differences"].is_null(), "{method}");
            continue;
        }
        let difference = method["differences"][name].as_f64().unwrap();
        assert!(is_around(&method["differences"][name], &method["difference_intervals"][name]), "{name}: {method}");
        assert!(
            (difference - method[name].as_f64().unwrap() + methods[0][name].as_f64().unwrap()).abs() < 1e-9,
            "{name}: {method}"
        );
    }
}

#[test]
fn of_questions_about_texts_too_those_can_be_left_out_that_the_model_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    // So small a model says that Tom is at home, whatever the text says.
    let home = r#"{"id": "home", "context": "Ann is at home. Tom is in the garden.", "question": "Where is Tom?", "answer": "home", "answer_start": 10}"#;
    let outcome = eval(folder.path(), &[DATA[0], home], &["--thresholds", "off", "--only-right", "--against", "leave-one-out"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("| multiplicative 0.1 | 1 |"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("The model answers 1 of 2 questions rightly itself"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("the others are left out"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("Differences from leave-one-out"), "{}", outcome.stdout);
    let examples = std::fs::read_to_string(folder.path().join("out/examples.csv")).unwrap();
    assert!(examples.lines().skip(1).all(|line| line.starts_with("home,")), "{examples}");
    // Without being asked for it nothing is left out, and what is known is not asked again.
    let outcome = eval(folder.path(), &[DATA[0], home], &["--thresholds", "off"]);
    assert!(outcome.stdout.contains("| multiplicative 0.1 | 2 |"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("The model answers 1 of 2 questions rightly itself"), "{}", outcome.stdout);
    let outcome = eval(folder.path(), &DATA[..1], &["--against", "best"]);
    assert!(
        outcome.code == 2 && outcome.stderr.contains("--against best is none of the methods, which are: random; position"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_bad_example_is_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = eval(folder.path(), &DATA[1..], &[]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("line 2 of") && outcome.stderr.contains("no \"away\" at character 3"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("| random | 1 |"), "{}", outcome.stdout);
    let outcome = eval(folder.path(), &DATA[2..], &[]);
    assert!(outcome.code == 1 && outcome.stderr.contains("holds no example that can be used"), "{}", outcome.stderr);
}
