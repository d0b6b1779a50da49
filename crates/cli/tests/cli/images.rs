//! Pictures on the command line, with the model that is part of it.

use crate::world::{MODEL, Outcome, atman};
use serde_json::Value;
use std::path::Path;

const WHAT: &str = "What color is the circle?";

/// A picture of the fixtures: 64 x 64 pixels, or others.
fn picture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures").join(name).to_str().unwrap().to_owned()
}

fn run(command: &str, arguments: &[&str]) -> Outcome {
    Outcome::of(atman(&[&[command, "--device", "cpu"], arguments].concat()).output().unwrap())
}

fn explain(arguments: &[&str]) -> Value {
    let outcome = run("explain", &[&["--format", "json"], arguments].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// Left, top, right and bottom of each unit of a picture.
fn rects(found: &Value, image: usize) -> Vec<[f64; 4]> {
    let of_picture = |unit: &&Value| unit["image"]["image"].as_u64() == Some(image as u64);
    let rect = |unit: &Value| {
        assert_eq!(unit["source"], "prompt");
        let rects = unit["image"]["rects"].as_array().unwrap();
        assert_eq!(rects.len(), 1, "{unit}");
        let rect = &rects[0];
        ["left_px", "top_px", "right_px", "bottom_px"].map(|side| rect[side].as_f64().unwrap())
    };
    found["units"].as_array().unwrap().iter().filter(of_picture).map(rect).collect()
}

#[test]
fn each_part_of_a_picture_gets_a_score_beside_the_words() {
    let (wide, wide_bytes) = (picture("wide.png"), std::fs::read(picture("wide.png")).unwrap());
    let found = explain(&["--image", &wide, "--prompt", WHAT, "--target", " red.", "--granularity", "word"]);
    let image = &found["images"][0];
    let (width, height) = (image["width_px"].as_f64().unwrap(), image["height_px"].as_f64().unwrap());
    assert_eq!(image["name"], "wide.png", "a name, not a path that tells who lives here");
    assert_eq!(image["sha256"], sha256(&wide_bytes));
    let rects = rects(&found, 0);
    assert_eq!(rects.len(), 64);
    let area: f64 = rects.iter().map(|[left, top, right, bottom]| (right - left) * (bottom - top)).sum();
    assert!((area - width * height).abs() < 1e-3 * area, "the parts make up the picture");
    assert!(rects.iter().all(|[left, top, right, bottom]| *left >= 0.0 && *top >= 0.0 && *right <= width && *bottom <= height));
    let is_word = |unit: &Value| unit["image"].is_null() && unit["text"] == " circle?";
    assert!(found["units"].as_array().unwrap().iter().any(is_word));
    // The picture comes within the chat template, which only that was asked for by showing it.
    assert!(found["prompt"]["text"].as_str().unwrap().starts_with("<|im_start|>User:<fake_token_around_image>"));
}

#[test]
fn parts_of_pictures_are_as_large_as_asked_for() {
    let square = picture("square.png");
    for (granularity, parts) in [("patch", 64), ("2x2", 16), ("4x4", 4), ("image", 1)] {
        let found = explain(&["--image", &square, "--prompt", WHAT, "--target", " red.", "--image-granularity", granularity]);
        assert_eq!(rects(&found, 0).len(), parts, "{granularity}");
        assert_eq!(found["settings"]["image_granularity"], granularity);
    }
    let outcome = run("explain", &["--image", &square, "--prompt", WHAT, "--image-granularity", "3x3"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("[possible values: patch, 2x2, 4x4, image]"), "{outcome:?}");
}

/// A thing takes several patches, so what looks alike goes along unless that is turned off; in texts only if asked for.
#[test]
fn neighbours_go_along_where_there_are_pictures() {
    let square = picture("square.png");
    let asked = ["--image", &square, "--prompt", WHAT, "--target", " red.", "--image-granularity", "4x4"];
    let threshold = |arguments: &[&str]| explain(arguments)["settings"]["threshold"].clone();
    let cosine = |found: Value| found["cosine"].as_f64().map(|value| (value * 100.0).round());
    assert_eq!(cosine(threshold(&asked)), Some(70.0));
    assert_eq!(cosine(threshold(&[&asked[..], &["--threshold", "0.5"]].concat())), Some(50.0));
    assert!(threshold(&[&asked[..], &["--threshold", "off"]].concat()).is_null());
    assert!(threshold(&["--prompt", "Who is Ann?", "--target", " Tom."]).is_null());
    let factor = |arguments: &[&str]| explain(arguments)["settings"]["factor"].as_f64().map(|factor| (factor * 100.0).round());
    assert_eq!(factor(&asked), Some(10.0));
    assert_eq!(factor(&[&asked[..], &["--factor", "0.5"]].concat()), Some(50.0));
    assert_eq!(factor(&["--prompt", "Who is Ann?", "--target", " Tom."]), Some(0.0));
}

/// The thing that is asked about is what the explanation points at, on a scene held out from the model's training.
#[test]
fn the_map_shows_the_thing_asked_about() {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/pictures/triangle-square.png");
    let found = explain(&["--image", scene.to_str().unwrap(), "--prompt", "What color is the triangle?"]);
    assert_eq!(found["target"]["text"], " red.");
    let (units, scores) = (found["units"].as_array().unwrap(), found["scores"].as_array().unwrap());
    let of_picture = units.iter().zip(scores).filter(|(unit, _)| !unit["image"].is_null());
    let strong = of_picture.filter(|(_, score)| score.as_f64().unwrap() > 1.0);
    let named: Vec<&str> = strong.map(|(unit, _)| unit["text"].as_str().unwrap()).collect();
    assert_eq!(named, ["image 1, row 2, column 1", "image 1, row 2, column 2"]);
}

#[test]
fn several_pictures_come_first_or_where_the_prompt_says() {
    let (one, two) = (picture("square.png"), picture("tall.webp"));
    let both = ["--image", &one, "--image", &two, "--target", " red.", "--image-granularity", "4x4"];
    let found = explain(&[&both[..], &["--prompt", WHAT]].concat());
    assert_eq!((rects(&found, 0).len(), rects(&found, 1).len()), (4, 4));
    let text = |found: &Value| found["prompt"]["text"].as_str().unwrap().replace("<image>", "");
    let marks = "<fake_token_around_image><global-img><fake_token_around_image>";
    assert_eq!(text(&found), format!("<|im_start|>User:{marks}{marks}{WHAT}<end_of_utterance>\nAssistant:"));
    let placed = explain(&[&both[..], &["--plain", "--prompt", "Is <image> like <image>?"]].concat());
    assert_eq!(text(&placed), format!("Is {marks} like {marks}?"));
    let placed = explain(&[&both[..], &["--prompt", "Is <image> like <image>?"]].concat());
    assert!(text(&placed).contains(&format!("Is {marks} like {marks}?")), "{}", text(&placed));
}

#[test]
fn what_cannot_be_seen_is_told_before_the_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.png");
    std::fs::write(&text, "no picture").unwrap();
    let (text, square) = (text.to_str().unwrap(), picture("square.png"));
    let cases: [(&[&str], i32, &str); 10] = [
        (&["--image", "nowhere.png"], 1, "cannot read the picture nowhere.png"),
        (&["--image", text], 1, "text.png: this is not a picture in one of the formats PNG, JPEG and WebP"),
        (
            &["--image", &square, "--model", MODEL],
            1,
            "smollm2-135m-instruct reads text only; leave out --image, or use --model atman-tiny",
        ),
        (
            &["--image", &square, "--prompt", "<image> or <image>?"],
            1,
            "pictures given: 1; places for them in the prompt (<image>): 2",
        ),
        (&["--prompt", " <image>"], 1, "pictures given: 0; places for them in the prompt (<image>): 1"),
        (&["--region", "0,0,8,8=0"], 2, "--image"),
        (&["--image", &square, "--region", "0,0,8"], 2, "expected X,Y,W,H"),
        (&["--image", &square, "--region", "2:0,0,8,8=0"], 2, "a region of picture 2 is given, but there are 1"),
        (&["--image", &square, "--image", &square, "--region", "0,0,8,8"], 2, "say which one"),
        (&["--image", &square, "--suppress", "dog=0"], 1, "`dog` does not occur in the prompt"),
    ];
    for (arguments, code, told) in cases {
        let prompt = if arguments.contains(&"--prompt") { &[][..] } else { &["--prompt", WHAT] };
        let outcome = run("generate", &[arguments, prompt].concat());
        assert!(outcome.code == code && outcome.stderr.contains(told), "{told}: {outcome:?}");
        assert!(!outcome.stderr.contains("device:"), "{outcome:?}");
    }
}

#[test]
fn a_batch_has_pictures_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pictures")).unwrap();
    std::fs::copy(picture("square.png"), folder.path().join("pictures/a.png")).unwrap();
    let rows = [
        r#"{"prompt": "What is it?", "image": "pictures/a.png", "target": " red."}"#,
        r#"{"prompt": "What is it?", "images": ["pictures/a.png", "pictures/a.png"], "target": " red."}"#,
        r#"{"prompt": "What is it?", "image": "a.png", "target": " red."}"#,
        r#"{"prompt": "<image>", "target": " red."}"#,
        r#"{"prompt": "What is it?", "image": "pictures/a.png", "images": [], "target": " red."}"#,
    ];
    let (input, out) = (folder.path().join("in.jsonl"), folder.path().join("out.jsonl"));
    std::fs::write(&input, rows.join("\n")).unwrap();
    let batch = |model: &[&str]| {
        let files = ["--in", input.to_str().unwrap(), "--out", out.to_str().unwrap(), "--image-granularity", "image"];
        run("batch", &[&files, model].concat())
    };
    let outcome = batch(&[]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let answers: Vec<Value> =
        std::fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let images = |answer: &Value| answer["explanation"]["images"].as_array().unwrap().len();
    assert_eq!(answers.iter().map(images).collect::<Vec<usize>>(), [1, 2]);
    for (line, told) in [(3, "cannot read the picture"), (4, "pictures given: 0"), (5, "at most one of")] {
        let reported = outcome.stderr.lines().find(|text| text.starts_with(&format!("line {line} of"))).unwrap_or_default();
        assert!(reported.contains(told), "{told}: {}", outcome.stderr);
    }
    std::fs::remove_file(&out).unwrap();
    let outcome = batch(&["--model", MODEL]);
    assert!(outcome.code == 3 && outcome.stderr.contains("reads text only; leave out \"image\", or use"), "{outcome:?}");
}

#[test]
fn a_page_has_the_picture_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.html");
    let (square, path) = (picture("square.png"), out.to_str().unwrap());
    let outcome = run("explain", &["--image", &square, "--prompt", WHAT, "--target", " red.", "--out", path]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(std::fs::read_to_string(out).unwrap().contains("data:image/png;base64,"));
}

/// Damping part of a picture changes what the model writes, always in the same way; a factor of one does not.
#[test]
fn a_region_steers_what_is_written() {
    let square = picture("square.png");
    // Chance shows what the likeliest text may hide: that probabilities are others.
    let with = |arguments: &[&str]| {
        let chance = ["--temperature", "2", "--seed", "3", "--max-tokens", "24", "--image", &square, "--prompt", WHAT];
        let outcome = run("generate", &[&chance, arguments].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome
    };
    let plain = with(&[]).stdout;
    assert_eq!(with(&["--region", "0,0,1000,1000=1"]).stdout, plain);
    let removed = with(&["--region", "0,0,1000,1000=0"]);
    assert!(removed.stderr.contains("suppressing: 64 of "), "{removed:?}");
    assert_ne!(removed.stdout, plain);
    assert!(removed.stderr.contains(", multiplicative, "), "{removed:?}");
    assert_eq!(with(&["--region", "1:0,0,1000,1000=0"]).stdout, removed.stdout);
    // Without a factor a region is damped as explanations damp parts of pictures.
    assert_eq!(with(&["--region", "0,0,1000,1000"]).stdout, with(&["--region", "0,0,1000,1000=0.1"]).stdout);
    assert_eq!(
        with(&["--region", "0,0,1000,1000=0.5", "--region", "0,0,1000,1000=0"]).stdout,
        removed.stdout,
        "the smallest counts"
    );
    let outside = run("generate", &["--image", &square, "--prompt", WHAT, "--region", "5000,0,8,8"]);
    assert!(outside.code == 1 && outside.stderr.contains("lies mostly within 5000,0,8,8"), "{outside:?}");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
