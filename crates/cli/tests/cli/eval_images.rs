//! `atman eval` on questions about pictures, with a tiny random model.

use crate::world::{Outcome, atman};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ROWS: [&str; 2] = [
    r#"{"id": "square", "image": "square.png", "question": "What is it?", "answer": "red.", "mask": "grey.png"}"#,
    r#"{"image": "tall.webp", "question": "Where is it?", "answer": "left.", "mask": "grey.png"}"#,
];
/// One black pixel.
const BLACK_PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\xdac`\0\0\0\x02\0\x01\xe5'\xde\xfc\0\0\0\0IEND\xaeB`\x82";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// The fixture with a tokenizer of single characters; the sign of each weight as it is, or the other one.
fn make_model(folder: &Path, negated: bool) {
    let from = fixtures().join("families/vision-whole");
    std::fs::create_dir_all(folder).unwrap();
    for name in ["config.json", "processor_config.json"] {
        std::fs::copy(from.join(name), folder.join(name)).unwrap();
    }
    let mut weights = std::fs::read(from.join("model.safetensors")).unwrap();
    if negated {
        let header = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
        // 16-bit floats, little-endian.
        weights[8 + header..].iter_mut().skip(1).step_by(2).for_each(|byte| *byte ^= 0x80);
    }
    std::fs::write(folder.join("model.safetensors"), weights).unwrap();
    let special =
        [(0, "<pad>"), (1, "<start>"), (2, "<end>"), (90, "<image>"), (91, "<fake_token_around_image>"), (92, "<global-img>")];
    // Space and line feed are Ġ and Ċ in byte-level vocabularies.
    let characters = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain("ĠĊ.,:;?!'\"()[]{}+-*/=_&%".chars());
    let mut vocab: serde_json::Map<String, Value> = characters.zip(3..).map(|(c, id)| (c.to_string(), json!(id))).collect();
    vocab.extend(special.iter().map(|(id, token)| ((*token).to_owned(), json!(id))));
    let added = special.map(|(id, token)| {
        json!({"id": id, "content": token, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
    });
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let tokenizer = json!({
        "added_tokens": added, "normalizer": null, "pre_tokenizer": bytes, "post_processor": null, "decoder": bytes,
        "model": {"type": "BPE", "vocab": vocab, "merges": []},
    });
    let template = "<start>{% for message in messages %}User:{% for part in message['content'] %}\
                    {% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<end>\n\
                    {% endfor %}Assistant:";
    let settings = json!({"eos_token": "<end>", "bos_token": "<start>", "chat_template": template});
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(folder.join("tokenizer_config.json"), settings.to_string()).unwrap();
}

/// A folder with a model, pictures, and whatever rows.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        make_model(&place.path("model"), false);
        for name in ["square.png", "tall.webp", "grey.png"] {
            std::fs::copy(fixtures().join("pictures").join(name), place.path(name)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `atman eval` elsewhere than where the data are.
    fn eval(&self, rows: &[&str], model: &str, out: &str, more: &[&str]) -> Outcome {
        std::fs::write(self.path("rows.jsonl"), rows.join("\n")).unwrap();
        let mut command = atman(&["eval", "--device", "cpu", "--operators", "multiplicative,log-additive", "--factors", "0.1"]);
        command.arg("--model").arg(self.path(model)).arg("--data").arg(self.path("rows.jsonl"));
        command.arg("--out").arg(self.path(out)).args(more);
        Outcome::of(command.output().unwrap())
    }

    fn summary(&self, out: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(out).join("summary.json")).unwrap()).unwrap()
    }
}

/// What stands in the table of all examples for an example and a method.
fn example<'a>(examples: &'a str, example: &str, method: &str) -> Vec<&'a str> {
    let start = [format!("{example},{method},"), format!("{example},\"{method}\",")];
    let found = examples.lines().find(|line| start.iter().any(|start| line.starts_with(start)));
    assert!(found.is_some(), "{example}, {method}: {examples}");
    found.unwrap().split(',').collect()
}

/// What a summary says of a method, without its time.
fn figures(summary: &Value, method: &str) -> Value {
    let found = summary["methods"].as_array().unwrap().iter().find(|row| row["method"] == method);
    assert!(found.is_some(), "{method}: {summary}");
    let mut found = found.unwrap().clone();
    found.as_object_mut().unwrap().remove("seconds").unwrap();
    found
}

#[test]
fn methods_are_compared_by_where_in_the_picture_they_point() {
    let place = Place::new();
    let outcome = place.eval(&ROWS, "model", "out", &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(std::fs::read_to_string(place.path("out/summary.md")).unwrap(), outcome.stdout);
    assert!(outcome.stdout.contains("The model answers 0 of 2 questions as the data do."), "{}", outcome.stdout);
    let methods = ["random", "centre blob", "leave-one-out", "multiplicative 0.1", "log-additive 0.1, neighbours 0.7"];
    let summary = place.summary("out");
    assert_eq!((&summary["about"], &summary["answers"]["asked"]), (&json!("pictures"), &json!(2)));
    for method in methods {
        assert!(outcome.stdout.contains(&format!("| {method} | 2 |")), "{method}: {}", outcome.stdout);
        let row = figures(&summary, method);
        let names = ["average_precision", "soft_precision", "soft_precision_iq_mean", "soft_recall", "soft_recall_iq_mean"];
        for name in names.iter().chain(&["atman_precision", "atman_recall", "pointing_game"]) {
            let figure = row[name].as_f64();
            assert!(figure.is_some_and(|figure| (0.0..=1.0).contains(&figure)), "{method}, {name}: {row}");
        }
    }
    // Three simple methods and four of AtMan, on two pictures.
    let results = std::fs::read_to_string(place.path("out/results.jsonl")).unwrap();
    assert_eq!(results.lines().count(), 14);
    let examples = std::fs::read_to_string(place.path("out/examples.csv")).unwrap();
    assert!(examples.lines().any(|line| line.starts_with("square,random,64,64,")), "{examples}");
    // Greying a patch has everything run anew: the answer's four tokens after the prompt, for each of 64 patches.
    let rows = |method: &str| figures(&summary, method)["rows"].as_f64().unwrap();
    assert!(rows("leave-one-out") > rows("multiplicative 0.1") && rows("multiplicative 0.1") > 64.0, "{summary}");
    assert_eq!((rows("random"), rows("centre blob")), (0.0, 0.0));
    // What is there already is not done again.
    let again = place.eval(&ROWS, "model", "out", &[]);
    assert_eq!((again.code, again.stdout), (0, outcome.stdout));
    assert_eq!(std::fs::read_to_string(place.path("out/results.jsonl")).unwrap(), results);
}

#[test]
fn random_and_the_centre_blob_know_nothing_of_the_model() {
    let place = Place::new();
    make_model(&place.path("other"), true);
    for model in ["model", "other"] {
        let outcome = place.eval(&ROWS, model, model, &[]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
    let (one, other) = (place.summary("model"), place.summary("other"));
    for method in ["random", "centre blob"] {
        assert_eq!(figures(&one, method), figures(&other, method));
    }
    for method in ["leave-one-out", "multiplicative 0.1"] {
        assert_ne!(figures(&one, method), figures(&other, method), "{method}");
    }
}

#[test]
fn a_row_that_cannot_be_used_says_why_and_is_left_out() {
    let place = Place::new();
    std::fs::write(place.path("black.png"), BLACK_PNG).unwrap();
    std::fs::write(place.path("letter.png"), "Dear Ann").unwrap();
    let row = |image: &str, mask: &str| json!({"image": image, "question": "?", "answer": "red.", "mask": mask}).to_string();
    let rows = [
        ROWS[0].to_owned(),
        row("absent.png", "grey.png"),
        row("letter.png", "grey.png"),
        row("square.png", "black.png"),
        json!({"image": "square.png", "question": "?", "answer": "red."}).to_string(),
        json!({"image": "square.png", "question": "?", "answer": " ", "mask": "grey.png"}).to_string(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let outcome = place.eval(&rows, "model", "out", &["--operators", "multiplicative", "--thresholds", "off"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("| random | 1 |"), "{}", outcome.stdout);
    let told = |line: usize, words: &[&str]| {
        let start = format!("line {line} of ");
        let told = outcome.stderr.lines().find(|told| told.starts_with(&start)).unwrap_or_default();
        assert!(words.iter().all(|words| told.contains(words)), "line {line}: {}", outcome.stderr);
    };
    told(2, &["is left out", "absent.png", "paths count from the folder of the data"]);
    told(3, &["letter.png", "give a PNG, JPEG or WebP picture"]);
    told(4, &["black.png is no mask", "no white pixel; white is where"]);
    told(5, &["missing field `mask`"]);
    told(6, &["the answer is empty"]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = Place::new();
    let text = r#"{"context": "Tom is in the garden.", "question": "Where is Tom?", "answer": "garden", "answer_start": 14}"#;
    let outcome = place.eval(&[ROWS[0], text], "model", "out", &[]);
    assert!(outcome.code == 1 && outcome.stderr.contains("texts (line 2) and pictures (line 1)"), "{}", outcome.stderr);
    let outcome = place.eval(&ROWS, "model", "out", &["--max-context-tokens", "9"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("is for questions about texts"), "{}", outcome.stderr);
    let outcome = place.eval(&ROWS, "model", "out", &["--only-right"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("answers none of 2 questions"), "{}", outcome.stderr);
    std::fs::remove_file(place.path("model/processor_config.json")).unwrap();
    let outcome = place.eval(&ROWS, "model", "out", &[]);
    assert!(outcome.code == 1 && outcome.stderr.contains("sees no pictures"), "{}", outcome.stderr);
}

#[test]
fn a_method_costs_what_it_costs_alone() {
    let place = Place::new();
    let rows = |out: &str, method: &str| {
        let examples = std::fs::read_to_string(place.path(out).join("examples.csv")).unwrap();
        let record = example(&examples, "square", method);
        record[record.len() - 2].to_owned()
    };
    let outcome = place.eval(&ROWS[..1], "model", "both", &["--thresholds", "off,0.999"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let outcome = place.eval(&ROWS[..1], "model", "alone", &["--thresholds", "0.999"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    // Most patches have no neighbour that near, so that most runs are the same as without.
    let method = "multiplicative 0.1, neighbours 0.999";
    assert_eq!(rows("both", method), rows("alone", method));
    assert!(rows("both", method).parse::<u64>().unwrap() > 64, "{}", rows("both", method));
}

#[test]
fn only_what_was_made_by_the_same_is_taken_up_again() {
    let place = Place::new();
    let read = || std::fs::read_to_string(place.path("out/results.jsonl")).unwrap();
    let run = |model: &str| {
        let outcome = place.eval(&ROWS, model, "out", &["--thresholds", "off"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        (outcome.stderr, read().lines().count())
    };
    // Five methods on two pictures.
    assert_eq!(run("model").1, 10);
    let said = |stderr: &str, words: &str| assert!(stderr.contains(words), "{words}: {stderr}");
    // Another picture under the same name.
    std::fs::copy(fixtures().join("pictures/grey.png"), place.path("square.png")).unwrap();
    let (stderr, lines) = run("model");
    said(&stderr, "5 results in");
    said(&stderr, "are made anew: other contents of its pictures");
    assert_eq!(lines, 15);
    // Another model.
    make_model(&place.path("other"), true);
    let (stderr, lines) = run("other");
    said(&stderr, "are made anew: another model (SHA-256 ");
    assert_eq!(lines, 25);
    // Another version of the program, and one that did not say so.
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let changed: Vec<String> = read().lines().skip(15).map(|line| line.replacen(&version, "\"version\":\"0.0.1\"", 1)).collect();
    let old = r#"{"key": "ab", "method": "random", "average_precision": 0.1, "soft_precision": 0.1, "soft_recall": 0.1, "rows": 0, "seconds": 0.0}"#;
    std::fs::write(place.path("out/results.jsonl"), format!("{old}\n{}\n", changed.join("\n"))).unwrap();
    let (stderr, lines) = run("other");
    said(&stderr, "10 results in");
    said(&stderr, &format!("are made anew: atman 0.0.1 made it, this is {}", env!("CARGO_PKG_VERSION")));
    said(&stderr, "1 line of");
    assert_eq!(lines, 21);
    // What was made by the same says nothing, and is not made again.
    let (stderr, lines) = run("other");
    assert!(lines == 21 && !stderr.contains("anew"), "{stderr}");
}
