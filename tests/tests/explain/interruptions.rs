//! An explanation that is stopped, or whose device goes away or runs short of memory.

use crate::faulty::{Fault, Faulty};
use crate::subject::{ITALY, Subject, difference, run, settings};
use atman::{Budget, Explainer, FaithfulnessSettings, Granularity, Settings, Suppression, Threshold};
use kernels::cpu::CpuExecutor;
use kernels::{Executor, Operator};
use model::{Generation, KeyFactors, Model, Sampling};

/// Small enough for several chunks.
fn budget() -> Budget {
    Budget { chunk_seconds: 0.02, ..Budget::default() }
}

fn explainer(subject: &Subject, budget: Budget) -> Explainer {
    let question = subject.question(ITALY, " Rome.").unwrap();
    Explainer::new(question, settings(Granularity::Token), Vec::new(), budget, &subject.model).unwrap()
}

#[test]
fn what_was_done_before_stopping_is_kept_and_marked_partial() {
    let mut subject = Subject::new();
    let whole = subject.explain(ITALY, " Rome.", settings(Granularity::Token), &[]);
    assert!(!whole.partial && whole.relevance.iter().all(Option::is_some));
    let mut explainer = explainer(&subject, budget());
    pollster::block_on(explainer.begin(&subject.model, &mut subject.executor)).unwrap();
    assert!(explainer.explanation().relevance.iter().all(Option::is_none) && explainer.noise_floor().is_none());
    pollster::block_on(explainer.step(&subject.model, &mut subject.executor)).unwrap();
    assert!(explainer.noise_floor().is_some(), "it is what is known first");
    while explainer.explanation().relevance.iter().all(Option::is_none) {
        assert!(pollster::block_on(explainer.step(&subject.model, &mut subject.executor)).unwrap());
    }
    let partial = explainer.explanation();
    assert!(partial.partial);
    let done = partial.relevance.iter().flatten().count();
    assert!(done > 0 && done < whole.relevance.len(), "{done} of {}", whole.relevance.len());
    // From the front on, as the plan orders them.
    assert!(partial.relevance[..done].iter().all(Option::is_some));
    for (partial, whole) in partial.relevance.iter().zip(&whole.relevance).filter(|(partial, _)| partial.is_some()) {
        let pairs = partial.iter().flatten().zip(whole.iter().flatten());
        assert!(pairs.flat_map(|(a, b)| Some((*a)? - (*b)?)).all(|difference| difference.abs() < 1e-4));
    }
}

#[test]
fn a_lost_device_resumes_at_the_first_unfinished_chunk() {
    let mut subject = Subject::new();
    let whole = subject.explain(ITALY, " Rome.", settings(Granularity::Token), &[]);
    let mut explainer = explainer(&subject, budget());
    let mut faulty = Faulty::new(&mut subject.executor, Fault::LostAfter(3));
    let error = run(&mut explainer, &subject.model, &mut faulty).unwrap_err();
    assert!(error.is_device_lost(), "{error}");
    let before = explainer.spent().rows;
    assert!(before > 0, "two chunks were done");
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let resumed = explainer.explanation();
    assert!(!resumed.partial);
    assert_eq!(resumed.cost.rows, whole.cost.rows, "nothing is computed twice but the baseline");
    assert!(difference(&whole, &resumed) < 1e-4);
}

/// Among units, in an alternative's own runs and in the curves of faithfulness: wherever it was stopped and its memory given back.
#[test]
fn what_was_stopped_goes_on_where_it_was() {
    let mut subject = Subject::new();
    let faithfulness = Some(FaithfulnessSettings { random_orders: 0, seed: 0 });
    let settings = Settings { faithfulness, ..settings(Granularity::Word) };
    let make = |subject: &Subject| {
        let question = subject.question("It is. It is in", " France").unwrap();
        let alternatives = vec![subject.text(" the south")];
        let budget = Budget { chunk_seconds: 0.1, ..Budget::default() };
        Explainer::new(question, settings.clone(), alternatives, budget, &subject.model).unwrap()
    };
    let mut whole = make(&subject);
    run(&mut whole, &subject.model, &mut subject.executor).unwrap();
    let mut stopped = make(&subject);
    let held_bytes = |executor: &mut CpuExecutor| {
        // What was dropped is let go when a buffer is asked for.
        executor.buffer(1, "none").unwrap();
        executor.stats().buffer_bytes
    };
    let held_before_bytes = held_bytes(&mut subject.executor);
    let (model, executor) = (&subject.model, &mut subject.executor);
    pollster::block_on(async {
        assert!(stopped.needs_begin());
        stopped.begin(model, executor).await.unwrap();
        while stopped.step(model, executor).await.unwrap() {
            stopped.end();
            assert!(stopped.needs_begin() && !stopped.is_done() && stopped.explanation().partial);
            assert_eq!(held_bytes(executor), held_before_bytes, "no cache is held meanwhile");
            stopped.begin(model, executor).await.unwrap();
            assert!(!stopped.needs_begin());
        }
    });
    assert!(stopped.is_done() && !stopped.needs_begin());
    let done = stopped.spent().rows;
    assert_eq!(done, whole.spent().rows, "nothing is computed twice but the baseline");
    let (whole, stopped) = (whole.explanation(), stopped.explanation());
    assert!(difference(&whole, &stopped) < 1e-4);
    assert!((whole.contrasts[0].log_odds_nats.unwrap() - stopped.contrasts[0].log_odds_nats.unwrap()).abs() < 1e-4);
    let area =
        |explanation: &atman::Explanation| explanation.faithfulness.as_ref().unwrap().orders[0].measures.deletion_area.unwrap();
    assert!((area(&whole) - area(&stopped)).abs() < 1e-4);
}

/// Baseline, neighbours, units, finer units, alternatives and faithfulness: wherever it happens.
#[test]
fn a_device_may_be_lost_at_any_time() {
    let mut subject = Subject::new();
    let suppression = Suppression { threshold: Some(Threshold::Cosine(0.5)), ..Suppression::default() };
    let faithfulness = Some(FaithfulnessSettings { random_orders: 0, seed: 0 });
    let settings = Settings { suppression, refine: Some(1), faithfulness, ..settings(Granularity::Sentence) };
    let make = |subject: &Subject| {
        let question = subject.question("It is. It is in", " France").unwrap();
        let alternatives = vec![subject.text(" the south")];
        Explainer::new(question, settings.clone(), alternatives, Budget::default(), &subject.model).unwrap()
    };
    let mut whole = make(&subject);
    run(&mut whole, &subject.model, &mut subject.executor).unwrap();
    let whole = whole.explanation();
    assert!(whole.units.iter().any(|unit| !unit.neighbours.is_empty()) && whole.faithfulness.is_some());
    let mut lost = 0;
    for after in 0.. {
        let mut explainer = make(&subject);
        let mut faulty = Faulty::new(&mut subject.executor, Fault::LostAfter(after));
        match run(&mut explainer, &subject.model, &mut faulty) {
            Ok(()) => break,
            Err(error) => assert!(error.is_device_lost(), "{error}"),
        }
        lost += 1;
        run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
        let resumed = explainer.explanation();
        assert!(!resumed.partial && resumed.units == whole.units, "lost after {after} runs");
        assert!(difference(&whole, &resumed) < 1e-4, "lost after {after} runs");
        assert!((resumed.contrasts[0].log_odds_nats.unwrap() - whole.contrasts[0].log_odds_nats.unwrap()).abs() < 1e-4);
        assert!(resumed.faithfulness.is_some());
    }
    assert!(lost >= 6, "{lost} runs");
}

#[test]
fn a_chunk_that_finds_no_memory_is_halved() {
    let mut subject = Subject::new();
    let whole = subject.explain(ITALY, " Rome.", settings(Granularity::Token), &[]);
    let d_ff = subject.model.config().d_ff;
    let mut explainer = explainer(&subject, Budget { chunk_seconds: 1e9, ..Budget::default() });
    // Room for the activations and logits of the baseline or of one unit, but not of all units at once.
    let mut faulty = Faulty::new(&mut subject.executor, Fault::WordsAtMost(50 * d_ff));
    run(&mut explainer, &subject.model, &mut faulty).unwrap();
    assert!(faulty.refused > 1, "{}", faulty.refused);
    assert!(difference(&whole, &explainer.explanation()) < 1e-4);
    // Where not even one unit fits, the error says what was asked for.
    let mut explainer = self::explainer(&subject, budget());
    let mut faulty = Faulty::new(&mut subject.executor, Fault::WordsAtMost(5 * d_ff));
    let error = run(&mut explainer, &subject.model, &mut faulty).unwrap_err().to_string();
    assert!(error.contains("out of memory"), "{error}");
}

/// The device goes away once at every possible point of writing; the text is the same as without.
#[test]
fn a_text_being_written_goes_on_where_it_was_when_the_device_is_lost() {
    let mut subject = Subject::new();
    let prompt = subject.text(ITALY).ids();
    let sampling = Sampling { temperature: 1.0, seed: 3, ..Sampling::default() };
    let factors = KeyFactors { factors: vec![0.5; prompt.len()], operator: Operator::LogAdditive, layers: 0..2 };
    let start = |executor: &mut dyn Executor, model: &Model| {
        pollster::block_on(Generation::start(model, executor, &prompt, 5, sampling, Some(factors.clone())))
    };
    let (model, executor) = (&subject.model, &mut subject.executor);
    let mut whole = Vec::new();
    let mut generation = start(executor, model).unwrap();
    while let Some(score) = pollster::block_on(generation.next(model, executor)).unwrap() {
        whole.push(score.token);
    }
    assert_eq!(whole.len(), 6, "as many as there is room for, and the one that follows the last");
    for after in 0..5 {
        let mut generation = start(executor, model).unwrap();
        let mut written = Vec::new();
        // Each step of writing is a submit.
        let mut faulty = Faulty::new(executor, Fault::LostAfter(after));
        while let Ok(Some(score)) = pollster::block_on(generation.next(model, &mut faulty)) {
            written.push(score.token);
        }
        assert!(written.len() < whole.len());
        pollster::block_on(generation.resume(model, executor)).unwrap();
        while let Some(score) = pollster::block_on(generation.next(model, executor)).unwrap() {
            written.push(score.token);
        }
        assert_eq!(written, whole);
    }
}
