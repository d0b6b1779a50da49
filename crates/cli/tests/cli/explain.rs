//! `atman explain` with the real model.

use crate::world::{MODEL, Outcome, atman, has_adapter};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const ITALY: &str = "The capital of France is Paris. The capital of Italy is";

/// Explains on the CPU, which every machine has.
fn explain(arguments: &[&str]) -> Outcome {
    let all = [&["explain", "--model", MODEL, "--device", "cpu"], arguments].concat();
    Outcome::of(atman(&all).output().unwrap())
}

/// The JSON of an explanation that must succeed.
fn json(arguments: &[&str]) -> Value {
    let outcome = explain(&[arguments, &["--format", "json"]].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

const CAPITALS: [&str; 6] = [
    "capitals.log-additive",
    "capitals.removed",
    "capitals.amplified",
    "capitals.multiplicative",
    "capitals.shifted",
    "capitals.shifted-full",
];
const SOFA: [&str; 2] = ["sofa.multiplicative", "sofa.neighbours"];

/// Greatest difference of an explanation's log-probabilities and relevance from a golden's, in nats.
fn difference_from_golden(name: &str, device: &str) -> f64 {
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(goldens().join(format!("{name}.json"))).unwrap()).unwrap();
    let text = |key: &str| golden[key].to_string();
    let operator = golden["operator"].as_str().unwrap();
    let (prompt, target, factor, threshold) = (text("prompt_ids"), text("target_ids"), text("factor"), text("threshold"));
    let mut arguments = vec!["explain", "--model", MODEL, "--device", device, "--granularity", "token", "--format", "json"];
    arguments.extend(["--prompt-ids", &prompt, "--target-ids", &target, "--operator", operator, "--factor", &factor]);
    if !golden["threshold"].is_null() {
        arguments.extend(["--threshold", &threshold]);
    }
    let outcome = Outcome::of(atman(&arguments).output().unwrap());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let found: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let log_probs = list(&found["target"]["tokens"]).into_iter().zip(list(&golden["baseline_log_probs"]));
    let mut greatest =
        log_probs.map(|(token, expected)| (number(&token["log_prob"]) - number(&expected)).abs()).fold(0.0, f64::max);
    let units = list(&found["units"]);
    for (position, expected) in list(&golden["positions"]).iter().zip(list(&golden["relevance"])) {
        let unit = units.iter().position(|unit| unit["positions"] == serde_json::json!([position])).unwrap();
        for (found, expected) in list(&found["relevance"][unit]).iter().zip(list(&expected)) {
            // What a unit does not reach is null here and 0 there.
            greatest = greatest.max((found.as_f64().unwrap_or(0.0) - number(&expected)).abs());
        }
    }
    println!("{name} on {device}: {greatest:e} nats");
    greatest
}

#[test]
fn every_golden_within_a_thousandth_of_a_nat() {
    for name in CAPITALS.iter().chain(&SOFA) {
        assert!(difference_from_golden(name, "cpu") < 1e-3, "{name}");
    }
}

#[test]
fn short_goldens_within_a_thousandth_of_a_nat_on_the_gpu() {
    if has_adapter() {
        for name in CAPITALS {
            assert!(difference_from_golden(name, "gpu") < 1e-3, "{name}");
        }
    }
}

#[test]
#[ignore = "slow: 5,800 rows on a software adapter"]
fn long_goldens_within_a_thousandth_of_a_nat_on_the_gpu() {
    if has_adapter() {
        for name in SOFA {
            assert!(difference_from_golden(name, "gpu") < 1e-3, "{name}");
        }
    }
}

#[test]
fn an_explanation_says_all_that_is_needed_to_have_it_again() {
    let found =
        json(&["--prompt", ITALY, "--target", " Rome.", "--granularity", "word", "--contrast", " Paris", "--span", "Rome"]);
    assert_eq!(found["schema"], "atman.explanation/1");
    assert_eq!(found["model"]["name"], "SmolLM2-135M-Instruct.Q4_1.gguf", "a name, not a path that tells who lives here");
    assert_eq!(found["model"]["sha256"], weights::catalogue::find(MODEL).unwrap().sha256());
    assert_eq!((&found["settings"]["operator"], &found["settings"]["granularity"]), (&"multiplicative".into(), &"word".into()));
    assert_eq!(found["span"], serde_json::json!({"text": "Rome", "start_token": 0, "end_token": 1}));
    let units = found["units"].as_array().unwrap();
    let strongest = (0..units.len()).filter(|unit| units[*unit]["sink"] == false).max_by(|a, b| {
        let score = |unit: usize| found["scores"][unit].as_f64().unwrap_or(f64::MIN);
        score(*a).total_cmp(&score(*b))
    });
    assert_eq!(units[strongest.unwrap()]["text"], " Italy");
    assert_eq!(found["contrasts"][0]["alternative"]["text"], " Paris");
    assert!(found["noise_floor"].as_f64().unwrap() < 1e-4 && found["partial"] == false);
}

#[test]
fn units_may_be_sets_of_positions() {
    let found = json(&["--prompt", ITALY, "--target", " Rome", "--positions", "[[3, 10], [11]]"]);
    let units = found["units"].as_array().unwrap();
    assert_eq!(units.iter().map(|unit| unit["text"].as_str().unwrap()).collect::<Vec<_>>(), [" France… Italy", " is"]);
    assert_eq!(units[0]["positions"], serde_json::json!([3, 10]));
    let outcome = explain(&["--prompt", ITALY, "--target", " Rome", "--positions", "[[99]]"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("each below 12"), "{}", outcome.stderr);
}

#[test]
fn without_an_answer_the_model_writes_one() {
    let found = json(&["--prompt", ITALY, "--max-tokens", "2"]);
    assert_eq!(found["target_cut"], true, "the model had not ended it");
    assert_eq!(found["target"]["text"], " Rome.");
    let chat = json(&["--chat", "--prompt", "What is the capital of France?", "--granularity", "word"]);
    assert!(chat["target"]["text"].as_str().unwrap().contains("Paris"), "{}", chat["target"]["text"]);
    assert_eq!(chat["units"][0]["sink"], true, "the template is set apart");
}

#[test]
fn texts_of_every_kind_can_be_explained() {
    for prompt in ["I 💛 cafe\u{301} — שלום עולם!\tTab and 日本語", "x", "\u{1b}[31mred\u{202e}abc", "</script><b>bold</b>"]
    {
        let found = json(&["--prompt", prompt, "--target", " Yes 👍", "--granularity", "token"]);
        let of_prompt = |unit: &&Value| unit["source"] == "prompt";
        let units: Vec<&Value> = found["units"].as_array().unwrap().iter().filter(of_prompt).collect();
        let text: String = units.iter().map(|unit| unit["text"].as_str().unwrap()).collect();
        assert_eq!(text, prompt);
        for unit in units {
            let at = |key: &str| usize::try_from(unit[key].as_u64().unwrap()).unwrap();
            let part: String = prompt.chars().skip(at("start")).take(at("end") - at("start")).collect();
            assert_eq!(unit["text"], part);
        }
        let shown = explain(&["--prompt", prompt, "--target", " Yes"]).stdout;
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "text does not steer a terminal: {shown:?}");
    }
}

#[test]
fn each_form_goes_where_it_is_asked_to_go() {
    let folder = tempfile::tempdir().unwrap();
    for (name, begins) in [("a.json", "{"), ("a.html", "<!doctype html>"), ("a.svg", "<svg "), ("a.csv", "unit,")] {
        let path = folder.path().join(name);
        let outcome = explain(&["--prompt", ITALY, "--target", " Rome", "--out", path.to_str().unwrap()]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(text.contains(begins) && text.contains("italy"), "{name}: {}", &text[..200.min(text.len())]);
    }
    // Terminal text without a terminal is a table without colour.
    let outcome = explain(&["--prompt", ITALY, "--target", " Rome"]);
    assert!(outcome.stdout.contains("\" Italy\"") && !outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
}

#[test]
fn what_cannot_be_explained_says_why_and_what_would_do() {
    let long = "word ".repeat(9000);
    let cases: [(&[&str], i32, &str); 12] = [
        (&["--prompt", ITALY, "--target", ""], 1, "the target holds no tokens"),
        (&["--prompt", ""], 1, "the prompt is empty"),
        (&["--prompt", &long, "--target", " yes"], 1, "shorten the prompt by at least"),
        (&["--prompt", ITALY, "--target", " Rome", "--span", "Paris"], 1, "\"Paris\" does not occur in the answer"),
        (&["--prompt", ITALY, "--target", " Rome", "--contrast", " Rome"], 1, "no token decides between them"),
        (&["--prompt-ids", "[1, 99999999]", "--target", " Rome"], 1, "is not below 49152"),
        (&[], 2, "there is no prompt"),
        (&["--prompt-ids", "1, 2"], 2, "expected a JSON array of token ids"),
        (&["--prompt", ITALY, "--granularity", "words"], 2, "custom:DELIMITER or regex:PATTERN"),
        (&["--prompt", ITALY, "--factor=-1"], 2, "factor is -1, expected a number of 0 or more"),
        (&["--prompt", ITALY, "--threshold", "2"], 2, "expected 0 to 1"),
        (&["--prompt", ITALY, "--out", "/nowhere/at/all.json"], 2, "cannot write to /nowhere/at/all.json"),
    ];
    for (arguments, code, told) in cases {
        let outcome = explain(arguments);
        assert!(outcome.code == code && outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("device:") || told.contains("decides"),
            "told before the model is loaded: {}",
            outcome.stderr
        );
    }
}

#[test]
fn little_memory_runs_one_unit_at_a_time_and_says_so() {
    let arguments = ["--prompt", ITALY, "--target", " Rome", "--memory-mib", "1", "--format", "json"];
    let outcome = explain(&arguments);
    assert!(outcome.code == 0 && outcome.stderr.contains("units run one at a time"), "{}", outcome.stderr);
    let little: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let plain = json(&["--prompt", ITALY, "--target", " Rome"]);
    assert!(little["cost"]["peak_bytes"].as_u64() < plain["cost"]["peak_bytes"].as_u64());
}

#[cfg(unix)]
#[test]
fn ctrl_c_writes_what_is_done() {
    let long = "The weather in the city was better than in the year before. ".repeat(30);
    let arguments = ["explain", "--model", MODEL, "--device", "cpu", "--prompt", &long, "--target", " Yes", "--format", "json"];
    let mut child = atman(&[&arguments[..], &["--granularity", "token"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The weights are loaded when this line is there; what follows takes a minute.
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    while !told.contains("loaded in") {
        let mut byte = [0; 1];
        stderr.read_exact(&mut byte).unwrap();
        told.push(char::from(byte[0]));
    }
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    assert_eq!(outcome.code, 130, "{outcome:?}");
    let partial: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(partial["partial"], true);
    let rows = partial["relevance"].as_array().unwrap();
    assert!(rows.iter().any(Value::is_null), "not all of it");
}

#[test]
#[ignore = "slow: a hundred thousand rows"]
fn a_document_of_two_thousand_tokens_by_sentences() {
    let sentence = |i: usize| {
        format!("In the year {} the town of number {i} built a bridge over its river, and many people came. ", 1200 + i)
    };
    let text: String = (0..80).map(sentence).collect();
    let found = json(&["--prompt", &text, "--target", " The end", "--granularity", "sentence"]);
    let n_tokens = found["prompt"]["tokens"].as_array().unwrap().len();
    assert!((1900..2400).contains(&n_tokens), "{n_tokens}");
    assert_eq!(found["relevance"].as_array().unwrap().iter().filter(|row| row.is_array()).count(), 81);
    println!("{n_tokens} tokens: {}", found["cost"]);
}

/// Nothing is explained yet then, and the person need not wait for all of a long answer.
#[cfg(unix)]
#[test]
fn ctrl_c_is_heard_while_the_answer_is_written() {
    use std::io::{BufRead, BufReader};
    let arguments = ["explain", "--model", MODEL, "--device", "cpu", "--prompt", "Once upon a time", "-n", "1500"];
    let mut child = atman(&arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // The weights are there, and the model begins to write.
    assert!(told.any(|line| line.starts_with("model:")));
    std::thread::sleep(std::time::Duration::from_millis(300));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let started = std::time::Instant::now();
    let rest: Vec<String> = told.collect();
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    assert!(outcome.code == 130 && outcome.stdout.is_empty(), "{outcome:?}");
    assert!(rest.iter().any(|line| line.contains("while the model wrote its answer")), "{rest:?}");
    // Fifteen hundred tokens take longer than that on any machine that runs this.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
