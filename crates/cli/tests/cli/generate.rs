//! `atman generate` with the real model.

use crate::world::{MODEL, Outcome, atman, has_adapter};
use std::io::{Read, Write};
use std::process::Stdio;

const PROMPT: &str = "The capital of France is";

/// Generates on the CPU, which every machine has.
fn generate(arguments: &[&str]) -> Outcome {
    let all = [&["generate", "--model", MODEL, "--device", "cpu"], arguments].concat();
    Outcome::of(atman(&all).output().unwrap())
}

/// The text of a generation that must succeed.
fn text(arguments: &[&str]) -> String {
    let outcome = generate(arguments);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stdout
}

#[test]
fn only_the_text_goes_to_stdout() {
    let outcome = generate(&["--prompt", PROMPT, "--max-tokens", "2"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, " Paris.\n"), "{outcome:?}");
    for told in ["device: CPU: as asked for", "model: ", "tokens/s", "--max-tokens reached"] {
        assert!(outcome.stderr.contains(told), "{told} in {outcome:?}");
    }
}

/// With and without suppression: the executors must agree on what people read.
#[test]
fn the_gpu_writes_what_the_cpu_writes() {
    if !has_adapter() {
        return;
    }
    for suppress in [&[][..], &["--suppress", "France=0.1"]] {
        let arguments = [&["--prompt", PROMPT, "--max-tokens", "12"], suppress].concat();
        let on_gpu = [&["generate", "--model", MODEL, "--device", "gpu"], &arguments[..]].concat();
        let on_gpu = Outcome::of(atman(&on_gpu).output().unwrap());
        assert!(on_gpu.code == 0 && on_gpu.stderr.contains("device: GPU: "), "{on_gpu:?}");
        assert_eq!(on_gpu.stdout, text(&arguments));
    }
}

#[test]
fn a_chat_answers_and_ends_by_itself() {
    let outcome = generate(&["--chat", "--prompt", "What is the capital of France?", "--max-tokens", "60"]);
    assert!(outcome.code == 0 && outcome.stdout.contains("Paris"), "{outcome:?}");
    assert!(outcome.stderr.contains("the model ended its text"), "{outcome:?}");
    assert!(!outcome.stdout.contains("<|im_end|>"), "{outcome:?}");
}

#[test]
fn suppressing_a_word_changes_the_text_and_a_factor_of_one_does_not() {
    let with = |arguments: &[&str]| text(&[&["--prompt", PROMPT, "--max-tokens", "8"], arguments].concat());
    let plain = with(&[]);
    assert_eq!(with(&["--suppress", "France=1"]), plain);
    let removed = with(&["--suppress", "France=0", "--operator", "log-additive"]);
    assert!(!removed.contains("Paris") && removed != plain, "{removed}");
    assert_eq!(with(&["--suppress", "France=0", "--operator", "log-additive", "--layers", "0..30"]), removed);
    assert_ne!(with(&["--suppress", "France=0", "--operator", "log-additive", "--layers", "29..30"]), removed);
}

/// What is written without a word is what its score in an explanation is about.
#[test]
fn a_text_is_damped_as_explanations_damp_unless_something_else_is_asked_for() {
    let with = |arguments: &[&str]| {
        let outcome = generate(&[&["--prompt", PROMPT, "--max-tokens", "8"], arguments].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome
    };
    let usual = with(&["--suppress", "France"]);
    assert!(usual.stderr.contains("suppressing: 1 of 5 tokens, multiplicative"), "{usual:?}");
    assert_eq!(with(&["--suppress", "France=0", "--operator", "multiplicative"]).stdout, usual.stdout);
    assert_ne!(with(&["--suppress", "France=0", "--operator", "log-additive"]).stdout, usual.stdout);
    assert_ne!(with(&["--suppress", "France=1"]).stdout, usual.stdout);
}

#[test]
fn what_cannot_be_suppressed_is_told_before_the_model_is_loaded() {
    let outcome = generate(&["--prompt", PROMPT, "--suppress", "Spain=0"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("whose words are: The, capital, of, France, is"), "{outcome:?}");
    assert!(!outcome.stderr.contains("device:"), "{outcome:?}");
    // The template's own words are not the user's.
    let outcome = generate(&["--chat", "--prompt", PROMPT, "--suppress", "assistant=0"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("does not occur in the prompt"), "{outcome:?}");
    let outcome = generate(&["--prompt", PROMPT, "--suppress", "France=0", "--layers", "0..31"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("the model has layers 0..30"), "{outcome:?}");
}

#[test]
fn a_prompt_comes_from_the_command_line_a_file_or_stdin_alike() {
    let expected = text(&["--prompt", PROMPT, "--max-tokens", "4"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{PROMPT}\n")).unwrap();
    assert_eq!(text(&["--prompt-file", file.path().to_str().unwrap(), "--max-tokens", "4"]), expected);
    let mut child = atman(&["generate", "--model", MODEL, "--device", "cpu", "--prompt", "-", "--max-tokens", "4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{PROMPT}\n").as_bytes()).unwrap();
    assert_eq!(Outcome::of(child.wait_with_output().unwrap()).stdout, expected);
}

#[test]
fn a_seed_makes_chance_repeatable() {
    let with = |seed| text(&["--prompt", PROMPT, "--max-tokens", "12", "--temperature", "1.5", "--seed", seed]);
    let first = with("1");
    assert_eq!(with("1"), first);
    assert_ne!(with("2"), first);
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let wrong: [&[&str]; 12] = [
        &[],
        &["--prompt", "a", "--prompt-file", "b"],
        &["--prompt", "a", "--system", "b"],
        &["--prompt", "a", "--suppress", "a=b"],
        &["--prompt", "a", "--suppress", "a=-1"],
        &["--prompt", "a", "--layers", "0..1"],
        &["--prompt", "a", "--suppress", "a=0", "--layers", "1..1"],
        &["--prompt", "a", "--suppress", "a=0", "--operator", "plus"],
        &["--prompt", "a", "--suppress", "a=0", "--operator", "shifted-full"],
        &["--prompt", "a", "--max-tokens", "many"],
        &["--prompt", "a", "--top-k", "0"],
        &["--prompt", "a", "--temperature", "nan"],
    ];
    for arguments in wrong {
        let outcome = generate(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {outcome:?}");
    }
    let empty = generate(&["--prompt", ""]);
    assert!(empty.code == 1 && empty.stderr.contains("the prompt is empty"), "{empty:?}");
}

#[test]
fn what_is_no_model_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.gguf");
    std::fs::write(&file, b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff").unwrap();
    for path in [file.as_path(), folder.path()] {
        let arguments = ["generate", "--model", path.to_str().unwrap(), "--prompt", "a", "--device", "cpu"];
        let outcome = Outcome::of(atman(&arguments).output().unwrap());
        assert!(outcome.code == 1 && outcome.stderr.contains("broken.gguf"), "{outcome:?}");
    }
}

/// As when the text is piped to `head`.
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut child = atman(&["generate", "--model", MODEL, "--device", "cpu", "--prompt", "Once upon a time"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    assert!(outcome.code == 0 && !outcome.stderr.contains("panicked"), "{outcome:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_text_tidily() {
    let mut child = atman(&["generate", "--model", MODEL, "--device", "cpu", "--prompt", "Once upon a time", "-n", "2000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut text = vec![0; 4];
    stdout.read_exact(&mut text).unwrap();
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    stdout.read_to_end(&mut text).unwrap();
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(outcome.stderr.contains("stopped by Ctrl-C") && text.ends_with(b"\n"), "{outcome:?}");
}
