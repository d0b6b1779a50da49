//! From coarse to fine.

use crate::subject::{Subject, settings};
use atman::{Granularity, Settings};

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
