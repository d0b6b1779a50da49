//! What all commands have in common: help, completions, manual pages, and how much is said and in which colours.

use crate::world::{MODEL, Outcome, atman};
use serde_json::Value;

fn run(arguments: &[&str]) -> Outcome {
    Outcome::of(atman(arguments).output().unwrap())
}

const ASK: [&str; 5] = ["explain", "--device", "cpu", "--prompt", "Ann has a cat. Tom has a dog. What pet does Ann have?"];

#[test]
fn every_help_text_lists_what_can_be_given() {
    let explain = [
        "[possible values: multiplicative, log-additive, shifted, shifted-full]",
        "[possible values: auto, token, word, sentence, paragraph, custom:DELIMITER, regex:PATTERN]",
        "[possible values: patch, 2x2, 4x4, image]",
        "[possible values: cross-entropy, logit, probability]",
        "[possible values: none, absolute, square, min-max]",
        "[possible values: auto, cpu, gpu]",
        "[possible values: terminal, json, html, svg, csv]",
        "[possible values: auto, always, never]",
    ];
    let generate = ["[possible values: auto, cpu, gpu]", "[possible values: multiplicative, log-additive, shifted]"];
    let same_for_all = &explain[..6];
    for (command, expected) in [("explain", &explain[..]), ("generate", &generate), ("batch", same_for_all)] {
        let help = run(&[command, "--help"]).stdout;
        // Lines are broken where the terminal ends.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let sorted = |text: &str| {
            let mut names: Vec<&str> = text.trim_end_matches(']').split([' ', ',', ':']).collect();
            names.sort_unstable();
            names.join(" ")
        };
        let listed: Vec<String> = help
            .match_indices("[possible values:")
            .map(|(at, _)| sorted(help[at..].split_inclusive(']').next().unwrap()))
            .collect();
        for values in expected {
            assert!(listed.contains(&sorted(values)), "{command} lacks {values}: {help}");
        }
    }
    assert!(run(&["eval", "--help"]).stdout.contains("[possible values:"));
}

#[test]
fn a_wrong_value_is_answered_with_the_right_ones() {
    let outcome = run(&["explain", "--prompt", "a", "--operator", "multiplicativ"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("multiplicative") && outcome.stderr.contains("log-additive"), "{}", outcome.stderr);
    let outcome = run(&["explain", "--prompt", "a", "--granularity", "regex:("]);
    assert!(outcome.code == 2 && outcome.stderr.contains("--granularity"), "{}", outcome.stderr);
}

#[test]
fn an_ending_that_is_no_format_is_an_error_before_anything_is_computed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["letter.pdf", "letter.txt", "letter.htm"] {
        let out = folder.path().join(name);
        let outcome = Outcome::of(atman(&ASK).arg("--out").arg(&out).output().unwrap());
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("no format is called") && outcome.stderr.contains("--format"), "{}", outcome.stderr);
        assert!(!out.exists() && !outcome.stderr.contains("device:"));
    }
    // What is said goes before what a name says; and endings are read in either case.
    let out = folder.path().join("letter.txt");
    let outcome = Outcome::of(atman(&ASK).args(["--format", "terminal", "--out"]).arg(&out).output().unwrap());
    assert!(outcome.code == 0 && std::fs::read_to_string(out).unwrap().contains("cat"), "{}", outcome.stderr);
    let out = folder.path().join("letter.JSON");
    let outcome = Outcome::of(atman(&ASK).arg("--out").arg(&out).output().unwrap());
    let json: Value = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    assert!(outcome.code == 0 && json["schema"] == "atman.explanation/1", "{}", outcome.stderr);
}

#[test]
fn quiet_says_nothing_but_warnings_and_errors() {
    let outcome = run(&[&ASK[..], &["--quiet"]].concat());
    assert!(outcome.code == 0 && outcome.stdout.contains("cat") && outcome.stderr.is_empty(), "{}", outcome.stderr);
    let outcome = run(&["generate", "--quiet", "--device", "cpu", "--prompt", "Ann has a cat. What pet does Ann have?"]);
    assert!(outcome.code == 0 && !outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{}", outcome.stderr);
    let outcome = run(&["explain", "--quiet", "--model", "/no/such/file.gguf", "--prompt", "a"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("/no/such/file.gguf"), "{}", outcome.stderr);
}

#[test]
fn colours_are_used_when_asked_for_and_not_when_forbidden() {
    let tinted = |when: &str| {
        let mut command = atman(&ASK);
        command.args(["--color", when]).env_remove("NO_COLOR").env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        let outcome = Outcome::of(command.output().unwrap());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout.contains("\u{1b}[")
    };
    // Stdout is no terminal here.
    assert_eq!([tinted("always"), tinted("auto"), tinted("never")], [true, false, false]);
    // What is said goes before what the surroundings say.
    let outcome = Outcome::of(atman(&ASK).args(["--color", "always"]).env("NO_COLOR", "1").output().unwrap());
    assert!(outcome.stdout.contains("\u{1b}["));
}

#[test]
fn completions_and_manual_pages_know_every_command_and_its_values() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let outcome = run(&["completions", shell]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        // PowerShell's completes commands and arguments, not their values.
        let values = ["log-additive", "paragraph"].into_iter().filter(|_| shell != "powershell");
        for word in ["explain", "batch", "granularity", "completions"].into_iter().chain(values) {
            assert!(outcome.stdout.contains(word), "{shell}: no {word}");
        }
    }
    assert_eq!(run(&["completions", "dosbox"]).code, 2);
    let page = run(&["man"]).stdout;
    assert!(page.contains(".TH atman") && page.contains("explain"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let outcome = Outcome::of(atman(&["man", "--out"]).arg(folder.path().join("man1")).output().unwrap());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let explain = std::fs::read_to_string(folder.path().join("man1/atman-explain.1")).unwrap();
    assert!(explain.contains("granularity") && folder.path().join("man1/atman.1").is_file(), "{explain}");
}

#[test]
fn models_are_listed_as_json_too() {
    let outcome = run(&["models", "--json"]);
    let listed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let named = |name: &str| listed["catalogue"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap().clone();
    let tiny = named("atman-tiny");
    assert_eq!((&tiny["state"], &tiny["is_default"]), (&"built-in".into(), &true.into()));
    assert_eq!(named(MODEL)["sha256"].as_str().unwrap().len(), 64);
    assert!(listed["folder"].is_string() && listed["here"].is_array());
}
