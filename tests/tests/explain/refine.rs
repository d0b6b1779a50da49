//! From coarse to fine.

use crate::subject::{Subject, settings};
use atman::{Granularity, Settings, Source};

#[test]
fn the_strongest_units_are_divided_until_nothing_is_left_to_divide() {
    let mut subject = Subject::new();
    let prompt = "Ann lives in Oslo. She likes snow.\n\nTom lives in Rome. He likes sun.\n\nThe capital of France is Paris. It rains.\n\n\
                  Question: Where does Tom live?\nAnswer: Tom lives in";
    let settings = Settings { refine: Some(1), ..settings(Granularity::Auto) };
    let explanation = subject.explain(prompt, " Rome", settings, &[]);
    assert_eq!(explanation.granularity, Granularity::Paragraph);
    assert!(explanation.relevance.iter().all(Option::is_some));
    // Its leaves cover the prompt, each place once.
    let mut positions: Vec<usize> =
        explanation.leaves().iter().flat_map(|unit| explanation.units[*unit].positions.clone()).collect();
    positions.sort_unstable();
    assert_eq!(positions, (0..explanation.prompt.tokens.len()).collect::<Vec<_>>());
    for unit in &explanation.units {
        if let Some(parent) = unit.parent {
            let parent = &explanation.units[parent];
            assert!(unit.positions.iter().all(|position| parent.positions.contains(position)), "{unit:?} in {parent:?}");
        }
    }
    // One unit of each level was divided: paragraph, sentence and word or token.
    let parents: std::collections::BTreeSet<usize> = explanation.units.iter().filter_map(|unit| unit.parent).collect();
    let texts: Vec<&str> = parents.iter().map(|parent| explanation.units[*parent].text.trim()).collect();
    println!("{texts:?}");
    assert!(texts.len() >= 2 && texts.len() <= 3, "{texts:?}");
}

/// What is divided is what matters for the part of the answer that is asked about.
#[test]
fn a_span_decides_what_is_divided() {
    let mut subject = Subject::new();
    let prompt =
        "Ann lives in Oslo with her dog.\n\nTom lives in Rome with his cat.\n\nQuestion: Where do Tom and Ann live?\nAnswer:";
    let target = " Tom lives in Rome and Ann lives in Oslo";
    let mut divided = |part: &str| {
        let span = subject.text(target).tokens_of(part).unwrap();
        let settings = Settings { refine: Some(1), span: Some([span.start, span.end]), ..settings(Granularity::Paragraph) };
        let explanation = subject.explain(prompt, target, settings, &[]);
        assert_eq!(explanation.settings.span, Some([span.start, span.end]));
        let strongest = |unit: &&atman::Unit| unit.source == Source::Prompt && unit.parent.is_some();
        let parent = explanation.units.iter().find(strongest).unwrap().parent.unwrap();
        explanation.units[parent].text.trim().to_owned()
    };
    assert_eq!(divided("Rome"), "Tom lives in Rome with his cat.");
    // The first paragraph holds the first position, and so is apart: the question is what is left.
    assert_ne!(divided(" Oslo"), "Tom lives in Rome with his cat.");
}
