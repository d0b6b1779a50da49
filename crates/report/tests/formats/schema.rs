//! The JSON and its schema.

use crate::sample;
use report::{Document, SCHEMA_TEXT};
use serde_json::{Value, json};

fn errors(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA_TEXT).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_document_follows_the_schema_and_comes_back_the_same() {
    let mut refined = sample::capitals();
    refined.explanation.units[2].parent = Some(1);
    refined.explanation.settings.refine = Some(3);
    refined.explanation.settings.suppression.layers = Some([2, 5]);
    refined.explanation.settings.suppression.threshold = Some(atman::Threshold::Quantile(0.99));
    let mut with_gaps = sample::full();
    with_gaps.explanation.settings.span = Some([0, 1]);
    with_gaps.explanation.contrasts[0].log_odds_nats = None;
    let faithfulness = with_gaps.explanation.faithfulness.as_mut().unwrap();
    (faithfulness.span, faithfulness.baseline_probability, faithfulness.difference_from_keys) = (Some([0, 1]), None, None);
    faithfulness.orders[0].measures.deletion[10] = None;
    faithfulness.orders[0].measures.deletion_area = None;
    let samples = [
        ("with gaps", with_gaps),
        ("capitals", sample::capitals()),
        ("full", sample::full()),
        ("partial", sample::partial()),
        ("with span", sample::with_span()),
        ("contrast", sample::full().with_contrast(1)),
        ("cut", sample::capitals().with_target_cut(true)),
        ("hostile", sample::hostile()),
        ("chat", sample::chat()),
        ("conversation", sample::conversation()),
        ("scene", sample::scene()),
        ("hostile pictures", sample::hostile_pictures()),
        ("refined", refined),
    ];
    for (name, document) in samples {
        let json = document.to_json().unwrap();
        let none: [String; 0] = [];
        assert_eq!(errors(&serde_json::from_str(&json).unwrap()), none, "{name}");
        let without_files = document.with_pictures(Vec::new());
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), without_files, "{name}");
    }
}

#[test]
fn the_schema_is_a_schema() {
    let schema: Value = serde_json::from_str(SCHEMA_TEXT).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
}

#[test]
fn wrong_documents_do_not_follow_the_schema() {
    let right = serde_json::to_value(sample::full()).unwrap();
    let wrong_at = |pointer: &str, value: Value| {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        !errors(&wrong).is_empty()
    };
    assert!(wrong_at("/schema", json!("atman.explanation/2")));
    assert!(wrong_at("/relevance/1/0", json!("much")));
    assert!(wrong_at("/relevance/1", json!(0.5)));
    assert!(wrong_at("/settings/operator", json!("subtractive")));
    assert!(wrong_at("/settings/threshold", json!({ "cosine": 2.0 })));
    assert!(wrong_at("/units/0/start", json!(-1)));
    assert!(wrong_at("/prompt/tokens/0/kind", json!("user")));
    assert!(wrong_at("/model/sha256", json!("AB")));
    assert!(wrong_at("/faithfulness/orders/0/deletion", json!([0.5])));
    assert!(wrong_at("/faithfulness/orders/1/spread", json!({ "deletion_area": 0.1 })));
    assert!(wrong_at("/faithfulness/span", json!([1])));
    assert!(wrong_at("/faithfulness/taken", json!([0, 11])));
    let pictures = serde_json::to_value(sample::scene()).unwrap();
    let wrong_picture_at = |pointer: &str, value: Value| {
        let mut wrong = pictures.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        !errors(&wrong).is_empty()
    };
    assert!(wrong_picture_at("/images/0/sha256", json!("AB")));
    assert!(wrong_picture_at("/settings/image_granularity", json!("3x3")));
    assert!(wrong_picture_at("/units/9/image/rects/0/left_px", json!("0")));
    assert!(wrong_picture_at("/units/9/image", json!(0)));
    let mut older = right.clone();
    older.as_object_mut().unwrap().remove("images");
    for field in ["version", "held", "notices"] {
        older.as_object_mut().unwrap().remove(field);
    }
    older["settings"].as_object_mut().unwrap().remove("image_granularity");
    assert_eq!(errors(&older), [] as [String; 0], "documents from before there were pictures are still right");
    let read: Document = serde_json::from_value(older).unwrap();
    assert_eq!((read.version.as_str(), read.explanation.notices.len()), ("", 0));
    let turns = serde_json::to_value(sample::conversation()).unwrap();
    let wrong_turn_at = |pointer: &str, value: Value| {
        let mut wrong = turns.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        !errors(&wrong).is_empty()
    };
    assert!(wrong_turn_at("/version", json!(1)));
    assert!(wrong_turn_at("/held/turns/0/role", json!("model")));
    assert!(wrong_turn_at("/held/eligible/0", json!([1])));
    assert!(wrong_turn_at("/notices/0/kind", json!("other")));
    assert!(wrong_turn_at("/units/3/role", json!("model")));
    assert!(wrong_turn_at("/prompt/tokens/3/role", json!(null)));
    let mut lacking = right.clone();
    lacking.as_object_mut().unwrap().remove("target");
    assert!(!errors(&lacking).is_empty());
    let mut with_more = right;
    with_more["comment"] = json!("unknown");
    assert!(!errors(&with_more).is_empty());
}
