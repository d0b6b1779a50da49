//! `atman batch` with the real model.

use crate::world::{MODEL, Outcome, atman};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Batch {
    folder: tempfile::TempDir,
}

impl Batch {
    fn of(lines: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("in.jsonl"), lines.join("\n")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let (input, out) = (self.path("in.jsonl"), self.path("out.jsonl"));
        let mut command = atman(&["batch", "--model", MODEL, "--device", "cpu", "--granularity", "word", "--max-tokens", "2"]);
        command.arg("--in").arg(input).arg("--out").arg(out);
        command
    }

    fn run(&self) -> Outcome {
        Outcome::of(self.command().output().unwrap())
    }

    /// The number of each line of the output, and its answer.
    fn answers(&self) -> Vec<(u64, String)> {
        answers(&self.path("out.jsonl"))
    }
}

fn answers(path: &Path) -> Vec<(u64, String)> {
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["explanation"]["schema"], "atman.explanation/1");
        (value["line"].as_u64().unwrap(), value["explanation"]["target"]["text"].as_str().unwrap().to_owned())
    };
    std::fs::read_to_string(path).unwrap().lines().map(parse).collect()
}

const LINES: [&str; 4] = [
    r#"{"id": "italy", "prompt": "The capital of France is Paris. The capital of Italy is"}"#,
    r#"{"prompt": "What is the capital of France?", "chat": true, "target": "Paris"}"#,
    r#"{"prompt_ids": [504, 3575, 282, 4649, 314], "target": " Paris", "contrast": [" Rome"]}"#,
    r#"{"prompt": "One, two, three,", "target": " four", "span": "four"}"#,
];

#[test]
fn every_line_is_explained_once() {
    let batch = Batch::of(&LINES);
    let outcome = batch.run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let expected = [(1, " Rome."), (2, "Paris"), (3, " Paris"), (4, " four")].map(|(n, text)| (n, text.to_owned()));
    assert_eq!(batch.answers(), expected);
    // Again there is nothing left to do, and no model is loaded for it.
    let before = std::fs::read(batch.path("out.jsonl")).unwrap();
    let outcome = batch.run();
    assert!(outcome.code == 0 && !outcome.stderr.contains("device:"), "{}", outcome.stderr);
    assert_eq!(std::fs::read(batch.path("out.jsonl")).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_kill_loses_nothing_and_doubles_nothing() {
    let many: Vec<String> =
        (0..12).map(|i| format!(r#"{{"prompt": "Number {i} comes before number", "target": " {}"}}"#, i + 1)).collect();
    let lines: Vec<&str> = many.iter().map(String::as_str).collect();
    let batch = Batch::of(&lines);
    let mut child = batch.command().stderr(std::process::Stdio::null()).spawn().unwrap();
    // Killed in the middle of it, as soon as something is there.
    while std::fs::metadata(batch.path("out.jsonl")).map_or(0, |meta| meta.len()) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // As if it had been killed while writing a line.
    let mut bytes = std::fs::read(batch.path("out.jsonl")).unwrap();
    let done = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(done < 12, "it was not killed in time");
    bytes.extend(br#"{"line": 12, "id": null, "inp"#);
    std::fs::write(batch.path("out.jsonl"), bytes).unwrap();
    let outcome = batch.run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let numbers: Vec<u64> = batch.answers().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u64>>());
}

#[test]
fn bad_lines_are_told_and_left_out() {
    let bad = ["no JSON", r#"{"target": "x"}"#, r#"{"prompt": "a", "promt": "b"}"#, r#"{"prompt": "a", "target": ""}"#];
    let mut lines = vec![LINES[3]];
    lines.extend(bad);
    lines.push(r#"{"prompt": "a", "target": " b", "span": "c"}"#);
    let batch = Batch::of(&lines);
    let outcome = batch.run();
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert_eq!(batch.answers(), [(1, " four".to_owned())]);
    for (line, told) in
        [(2, "expected ident"), (3, "expected either"), (4, "unknown field `promt`"), (5, "no tokens"), (6, "does not occur")]
    {
        let reported = outcome.stderr.lines().find(|text| text.starts_with(&format!("line {line} of"))).unwrap_or_default();
        assert!(reported.contains(told), "{told}: {}", outcome.stderr);
    }
    // Mended, only these are run.
    std::fs::write(batch.path("in.jsonl"), [LINES[3], LINES[0]].join("\n")).unwrap();
    assert_eq!(batch.run().code, 0);
    assert_eq!(batch.answers().len(), 2);
}

#[test]
fn another_input_does_not_continue_this_output() {
    let batch = Batch::of(&LINES[3..]);
    assert_eq!(batch.run().code, 0);
    std::fs::write(batch.path("in.jsonl"), LINES[0]).unwrap();
    let outcome = batch.run();
    assert!(
        outcome.code == 1 && outcome.stderr.contains("line 1 of") && outcome.stderr.contains("name another --out"),
        "{outcome:?}"
    );
}

/// The answer to a line is there before the next is asked; a bad line in between stops nothing.
#[test]
fn lines_of_stdin_are_answered_on_stdout_as_they_come() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    let mut command = atman(&["batch", "--device", "cpu", "--granularity", "word", "--in", "-", "--out", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |line: &str| writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    let mut answered = || serde_json::from_str::<Value>(&answers.next().unwrap().unwrap()).unwrap();
    ask(r#"{"id": "cat", "prompt": "Ann has a cat. Tom has a dog. What pet does Ann have?"}"#);
    let first = answered();
    assert_eq!((&first["line"], &first["id"]), (&1.into(), &"cat".into()));
    assert_eq!(first["explanation"]["target"]["text"], " cat.");
    ask("");
    ask("no JSON");
    ask(r#"{"prompt": "Ann has a cat. Tom has a dog. What pet does Tom have?"}"#);
    let second = answered();
    assert_eq!((&second["line"], &second["explanation"]["target"]["text"]), (&4.into(), &" dog.".into()));
    drop(input);
    assert!(answers.next().is_none());
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("line 3 of stdin is left out") && outcome.stderr.contains("1 of 3 lines"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_output_that_was_made_otherwise_is_not_continued() {
    // The built-in model, which is quick, and sees pictures.
    let batch = Batch::of(&[r#"{"prompt": "What color is the circle?", "target": "red.", "image": "a.png"}"#]);
    let picture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures").join(name);
    std::fs::copy(picture("square.png"), batch.path("a.png")).unwrap();
    let run = |more: &[&str]| {
        let mut command = atman(&["batch", "--device", "cpu", "--image-granularity", "image"]);
        command.arg("--in").arg(batch.path("in.jsonl")).arg("--out").arg(batch.path("out.jsonl")).args(more);
        Outcome::of(command.output().unwrap())
    };
    let read = || std::fs::read_to_string(batch.path("out.jsonl")).unwrap();
    assert_eq!(run(&[]).code, 0);
    let before = read();
    assert_eq!(run(&[]).code, 0);
    let refused = |more: &[&str], words: &[&str]| {
        let outcome = run(more);
        let told = words.iter().chain(&["line 1", "name another --out"]).all(|words| outcome.stderr.contains(words));
        assert!(outcome.code == 1 && told, "{words:?}: {outcome:?}");
    };
    refused(&["--factor", "0.5"], &["was made otherwise: factor was 0.1, now 0.5"]);
    refused(&["--model", MODEL], &["another model (SHA-256 "]);
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    std::fs::write(batch.path("out.jsonl"), before.replacen(&version, "\"version\":\"0.0.1\"", 1)).unwrap();
    refused(&[], &["atman 0.0.1 made it, this is"]);
    std::fs::write(batch.path("out.jsonl"), before.replacen("\"made_by\"", "\"by\"", 1)).unwrap();
    refused(&[], &["does not say what made it"]);
    std::fs::write(batch.path("out.jsonl"), &before).unwrap();
    std::fs::copy(picture("grey.png"), batch.path("a.png")).unwrap();
    refused(&[], &["other contents of its pictures"]);
    assert_eq!(read(), before);
}
