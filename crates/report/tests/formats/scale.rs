//! What the scale is made of.

use crate::sample;
use report::Scale;

#[test]
fn the_limit_is_that_of_the_prompt_s_units_that_are_no_sinks() {
    let mut document = sample::capitals();
    document.scores[0] = Some(90.0);
    document.scores[12] = Some(70.0);
    assert_eq!(document.explanation.units[12].source, atman::Source::Target);
    let scale = Scale::of(&document);
    assert_eq!(scale.limit, document.scores[10].unwrap(), "Italy is the strongest");
    assert_eq!((scale.clipped, scale.known, scale.signed), (0, 11, true));
    assert_eq!(scale.noise, Some(0.02), "one noise floor for each of the two tokens");
}

#[test]
fn an_outlier_is_clipped_and_counted() {
    let tokens = vec![(" a", 1); 100];
    let document = |outliers: usize| {
        let score = |i: usize| if (1..=outliers).contains(&i) { 100.0 } else { 1.0 + i as f32 / 100.0 };
        let relevance = (0..100).map(|i| Some(vec![Some(score(i))])).collect();
        sample::document(sample::explanation(sample::text(&tokens), sample::text(&[(" b", 2)]), relevance))
    };
    let scale = Scale::of(&document(1));
    assert_eq!((scale.clipped, scale.known), (1, 99), "98 of 99 lie within");
    assert!((scale.limit - 100.0 / 3.0).abs() < 1e-3, "it still stands out: {}", scale.limit);
    let two = Scale::of(&document(2));
    assert_eq!((two.clipped, two.limit), (0, 100.0), "two of 99 are more than 2 %");
    assert_eq!(scale.rgb(100.0), scale.rgb(scale.limit));
}

#[test]
fn without_scores_or_with_zeros_only_there_is_no_colour() {
    for score in [None, Some(0.0)] {
        let mut document = sample::capitals();
        document.scores.fill(score);
        let scale = Scale::of(&document);
        assert_eq!((scale.limit, scale.clipped), (0.0, 0));
        assert_eq!(scale.rgb(1.0), report::WHITE);
    }
}

#[test]
fn scores_without_signs_use_the_supporting_side() {
    for (name, unit) in [("absolute", "1.00 nats"), ("square", "1.00 nats²"), ("min-max", "1.00")] {
        let mut document = sample::capitals();
        document.explanation.settings.postprocessing = name.parse().unwrap();
        document.scores = document.explanation.scores(0..2);
        let scale = Scale::of(&document);
        assert!(!scale.signed);
        assert_eq!(scale.measure.of(1.0), unit);
        let text = report::terminal(&document, report::TerminalStyle::default());
        assert!(!text.contains("speaks against"), "{text}");
    }
}
