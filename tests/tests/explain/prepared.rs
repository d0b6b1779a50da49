//! What an explanation will take, and who the neighbours are, before anything of it runs.

use crate::faulty::{Fault, Faulty};
use crate::subject::{ITALY, Subject, difference, run, settings};
use atman::{Budget, Explainer, FaithfulnessSettings, Granularity, Job, Runs, Score, Settings, Suppression, Threshold};

/// Small enough for several chunks.
fn budget() -> Budget {
    Budget { chunk_seconds: 0.02, ..Budget::default() }
}

fn explainer(subject: &Subject, settings: Settings) -> Explainer {
    let question = subject.question(ITALY, " Rome.").unwrap();
    Explainer::new(question, settings, vec![subject.text(" Paris is")], budget(), &subject.model).unwrap()
}

#[test]
fn rows_and_neighbours_are_known_without_the_baseline() {
    let mut subject = Subject::new();
    let suppression = Suppression { threshold: Some(Threshold::Cosine(0.3)), ..Suppression::default() };
    let faithfulness = Some(FaithfulnessSettings::default());
    let settings = Settings { suppression, faithfulness, ..settings(Granularity::Word) };
    let mut prepared = explainer(&subject, settings.clone());
    let mut counted = Faulty::new(&mut subject.executor, Fault::LostAfter(usize::MAX));
    pollster::block_on(prepared.prepare(&subject.model, &mut counted)).unwrap();
    assert_eq!(counted.runs, 1, "the embeddings, and nothing else");
    let expected = prepared.expected(&subject.model).unwrap();
    let explanation = prepared.explanation();
    assert!(explanation.partial && explanation.target.tokens[0].log_prob.is_none());
    assert!(explanation.units.iter().any(|unit| !unit.neighbours.is_empty()));

    let mut begun = explainer(&subject, settings);
    pollster::block_on(begun.begin(&subject.model, &mut subject.executor)).unwrap();
    let of_begun = begun.expected(&subject.model).unwrap();
    assert_eq!((prepared.units(), expected.rows), (begun.units(), of_begun.rows));
    assert!(expected.flops > 0 && expected.peak_bytes <= Budget::default().buffer_bytes);
    // Beginning does not prepare anew.
    pollster::block_on(prepared.begin(&subject.model, &mut subject.executor)).unwrap();
    assert_eq!(prepared.expected(&subject.model).unwrap().rows, of_begun.rows);
}

#[test]
fn an_explanation_that_was_prepared_is_the_same() {
    let mut subject = Subject::new();
    let settings = settings(Granularity::Token);
    let mut prepared = explainer(&subject, settings.clone());
    pollster::block_on(prepared.prepare(&subject.model, &mut subject.executor)).unwrap();
    let expected = prepared.expected(&subject.model).unwrap();
    assert!(prepared.needs_begin() && prepared.noise_floor().is_none());
    run(&mut prepared, &subject.model, &mut subject.executor).unwrap();
    let mut plain = explainer(&subject, settings);
    run(&mut plain, &subject.model, &mut subject.executor).unwrap();
    let (prepared, plain) = (prepared.explanation(), plain.explanation());
    assert!(difference(&prepared, &plain) < 1e-4);
    assert_eq!(prepared.cost.rows, plain.cost.rows);
    assert_eq!(expected.rows, plain.cost.rows, "the alternative's runs are known too");
}

#[test]
fn jobs_added_before_the_baseline_are_cut_by_the_speed_it_shows() {
    let mut subject = Subject::new();
    let (model, executor) = (&subject.model, &mut subject.executor);
    let question = atman::Question::new(
        atman::Text::following(subject.checkpoint.tokenizer().unwrap(), ITALY).unwrap(),
        atman::Text::following(subject.checkpoint.tokenizer().unwrap(), " Rome").unwrap(),
        Vec::new(),
        model.config(),
    )
    .unwrap();
    let (units, _) = atman::units(&question, &Granularity::Token, atman::ImageGranularity::Patch).unwrap();
    let jobs: Vec<Job> = units.iter().map(|unit| Suppression::default().job(unit, model.config().n_layers)).collect();
    // No time at all for a chunk, so that each job is one.
    let budget = Budget { chunk_seconds: 0.0, ..Budget::default() };
    let mut runs = Runs::new(question.input_ids(), question.wanted(), budget);
    let added = runs.add(model, jobs.clone()).unwrap();
    let before = runs.pending();
    assert_eq!((before.chunks.len(), added.clone()), (1, 0..jobs.len()));
    assert!(pollster::block_on(runs.step(model, executor)).is_err(), "nothing to compare with");
    pollster::block_on(runs.begin(model, executor)).unwrap();
    assert_eq!((runs.pending().chunks.len(), runs.pending().rows()), (jobs.len(), before.rows()));
    while pollster::block_on(runs.step(model, executor)).unwrap().is_some() {
        // Begun again, what is done stays done.
        let left = runs.pending().chunks.len();
        pollster::block_on(runs.begin(model, executor)).unwrap();
        assert_eq!(runs.pending().chunks.len(), left);
    }
    assert!(added.into_iter().all(|job| runs.relevance(job, Score::default()).is_some()));
    assert_eq!(runs.spent().rows, before.rows());
}
