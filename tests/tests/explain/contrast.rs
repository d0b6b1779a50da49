//! Why this rather than that.

use crate::subject::{ITALY, Subject, settings};
use atman::{Budget, Compared, Granularity, Runs, Score, Settings, Suppression, Threshold, sum};

#[test]
fn where_one_token_decides_the_contrast_comes_from_the_same_runs() {
    let mut subject = Subject::new();
    let plain = subject.explain(ITALY, " Rome", settings(Granularity::Word), &[]);
    let explanation = subject.explain(ITALY, " Rome", settings(Granularity::Word), &[" Paris"]);
    assert_eq!(explanation.cost.rows, plain.cost.rows, "no further runs");
    let contrast = &explanation.contrasts[0];
    assert_eq!((contrast.compared, contrast.first_difference), (Compared::OneToken, 0));
    // It is what two explanations, each of one answer, differ by.
    let other = subject.explain(ITALY, " Paris", settings(Granularity::Word), &[]);
    for (unit, score) in contrast.relevance.iter().enumerate() {
        let of = |explanation: &atman::Explanation| explanation.relevance[unit].as_ref().unwrap()[0].unwrap();
        assert!((score.unwrap() - (of(&plain) - of(&other))).abs() < 1e-4, "unit {unit}");
    }
    let log_odds = plain.target.tokens[0].log_prob.unwrap() - other.target.tokens[0].log_prob.unwrap();
    assert!((contrast.log_odds_nats.unwrap() - log_odds).abs() < 1e-4 && log_odds > 0.0);
    // Italy speaks for Rome rather than Paris more than any other word does.
    let scores = explanation.units.iter().zip(&contrast.relevance).filter(|(unit, _)| !unit.sink);
    let strongest = scores.max_by(|a, b| a.1.unwrap().total_cmp(&b.1.unwrap())).unwrap().0;
    assert_eq!(strongest.text, " Italy");
}

#[test]
fn longer_alternatives_have_runs_of_their_own() {
    let mut subject = Subject::new();
    let (target, alternative) = (" Rome, the old city.", " Rome, not Paris.");
    let explanation = subject.explain(ITALY, target, settings(Granularity::Word), &[alternative, " Rome? No"]);
    let contrast = &explanation.contrasts[0];
    assert_eq!((contrast.compared, contrast.first_difference), (Compared::Rest, 2));
    let other = subject.explain(ITALY, alternative, settings(Granularity::Word), &[]);
    let rest = |explanation: &atman::Explanation, unit: usize| -> f32 {
        explanation.relevance[unit].as_ref().unwrap()[2..].iter().flatten().sum()
    };
    for (index, unit) in explanation.units.iter().enumerate() {
        let before = unit.positions.iter().all(|position| *position < explanation.prompt.tokens.len() + 2);
        match contrast.relevance[index] {
            Some(score) => assert!(before && (score - (rest(&explanation, index) - rest(&other, index))).abs() < 2e-4),
            None => assert!(!before, "{unit:?}"),
        }
    }
    let log_prob = |text: &atman::Text| text.tokens[2..].iter().map(|token| token.log_prob.unwrap()).sum::<f32>();
    let log_odds = log_prob(&explanation.target) - log_prob(&other.target);
    assert!((contrast.log_odds_nats.unwrap() - log_odds).abs() < 1e-4);
    assert!((log_prob(&contrast.alternative) - log_prob(&other.target)).abs() < 1e-4);
    assert_eq!(explanation.contrasts[1].first_difference, 1);
}

#[test]
fn what_leaves_nothing_to_decide_is_refused() {
    let subject = Subject::new();
    for (target, alternative, reason) in [
        (" Rome.", " Rome.", "the target begins with all of it"),
        (" Rome.", " Rome", "the target begins with all of it"),
        (" Rome", " Rome.", "it begins with all of the target"),
        (" Rome", "", "the target holds no tokens"),
    ] {
        let question = subject.question(ITALY, target).unwrap();
        let alternatives = vec![subject.text(alternative)];
        let settings = settings(Granularity::Word);
        let error = atman::Explainer::new(question, settings, alternatives, Default::default(), &subject.model).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

/// The alternative names Italy and France again: looked for in it, they would be neighbours of the prompt's words, and suppressed with
/// them in its runs alone.
#[test]
fn the_neighbours_of_a_contrast_are_those_of_the_question_as_explained() {
    let mut subject = Subject::new();
    let (target, alternative) = (" Rome, the old city.", " Paris, Italy and France, Italy");
    let suppression = Suppression { threshold: Some(Threshold::Cosine(0.5)), ..Suppression::default() };
    let settings = Settings { suppression: suppression.clone(), ..settings(Granularity::Word) };
    let explanation = subject.explain(ITALY, target, settings, &[alternative]);
    let contrast = &explanation.contrasts[0];
    let first = explanation.prompt.tokens.len() + contrast.first_difference;
    let question = subject.question(ITALY, alternative).unwrap();
    let n_layers = subject.model.config().n_layers;
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget::default());
    let own = |unit: &atman::Unit| {
        let mut unit = unit.clone();
        let kept = unit.neighbours.iter().zip(&unit.similarities).filter(|(position, _)| **position < first);
        (unit.neighbours, unit.similarities) = kept.unzip();
        suppression.job(&unit, n_layers)
    };
    let contrasted = explanation.units.iter().zip(&contrast.relevance).enumerate().filter(|(_, (_, score))| score.is_some());
    let contrasted: Vec<_> = contrasted.map(|(index, (unit, score))| (index, own(unit), score.unwrap())).collect();
    pollster::block_on(async {
        runs.begin(&subject.model, &mut subject.executor).await.unwrap();
        runs.add(&subject.model, contrasted.iter().map(|(_, job, _)| job.clone()).collect()).unwrap();
        while runs.step(&subject.model, &mut subject.executor).await.unwrap().is_some() {}
    });
    assert!(contrasted.len() > 5);
    for (job, (index, _, score)) in contrasted.iter().enumerate() {
        let rest = |row: &[Option<f32>]| sum(row, contrast.first_difference..row.len()).unwrap();
        let of_target = rest(explanation.relevance[*index].as_ref().unwrap());
        let of_alternative = rest(&runs.relevance(job, Score::CrossEntropy).unwrap());
        assert!((score - (of_target - of_alternative)).abs() < 2e-4, "{:?}", explanation.units[*index]);
    }
}
