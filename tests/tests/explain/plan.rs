//! What an explanation takes is known before, kept to, and half of what recomputing would take.

use crate::subject::{ITALY, Subject, difference, settings, suppressing};
use atman::{Budget, Explainer, Granularity, Job, Runs, Score, Settings, Suppression, Text};
use kernels::{Executor, Operator};
use model::{BatchShape, Input, KeyFactors, KvCache, RowBatch, Sequence, Wanted};

/// Where a sequence starts, the positions that are wanted with how many tokens each, and whether it is suppressed.
type Case<'a> = (usize, &'a [(usize, usize)], bool);

#[test]
fn the_estimate_of_a_batch_is_what_it_takes() {
    let mut subject = Subject::new();
    let (model, executor) = (&subject.model, &mut subject.executor);
    let ids: Vec<u32> = (100..140).collect();
    let mut cache = KvCache::new(model, executor, ids.len()).unwrap();
    let sequence = |start: usize, wanted: &[(usize, usize)], suppressed: bool| Sequence {
        start,
        input: Input::Tokens(ids[start..].to_vec()),
        factors: suppressed.then(|| KeyFactors { factors: vec![1.0; ids.len()], operator: Operator::default(), layers: 0..30 }),
        wanted: wanted.iter().map(|(position, tokens)| Wanted { position: *position, tokens: vec![7; *tokens] }).collect(),
    };
    let prefill = sequence(0, &[(38, 1), (39, 1)], false);
    pollster::block_on(model.extend(executor, prefill, &mut cache, 0)).unwrap();
    assert_eq!(4 * 2 * 30 * 40 * model.config().kv_width() as u64, model.cache_bytes(ids.len()));
    let cases: [&[Case<'_>]; 4] = [
        &[(0, &[(39, 1)], true)],
        &[(39, &[(39, 3)], true)],
        &[(3, &[(30, 1), (39, 2)], true), (20, &[(38, 1)], false), (20, &[], true)],
        &[(10, &[], true)],
    ];
    for case in cases {
        let sequences: Vec<Sequence> = case.iter().map(|(start, wanted, on)| sequence(*start, wanted, *on)).collect();
        let shape = case.iter().map(|(start, wanted, on)| {
            BatchShape::of_sequence(*start, ids.len(), if *on { ids.len() } else { 0 }, wanted.iter().copied())
        });
        let estimate = model.estimate(shape.fold(BatchShape::default(), |a, b| a + b)).unwrap();
        executor.reset_peak();
        let before = executor.stats();
        pollster::block_on(model.run(executor, &RowBatch { sequences }, &cache, 0)).unwrap();
        let after = executor.stats();
        assert_eq!(after.cost.flops - before.cost.flops, estimate.cost.flops, "{case:?}");
        assert_eq!(after.peak_bytes - before.buffer_bytes, estimate.buffer_bytes, "{case:?}");
    }
}

/// What a person reads before a model is fetched.
#[test]
fn the_need_of_memory_is_stated_before_the_model_is_loaded() {
    let subject = Subject::new();
    let config = subject.model.config();
    let pass = subject.model.estimate(BatchShape::of_sequence(0, 512, 512, (448..512).map(|position| (position, 1)))).unwrap();
    let exact = (subject.model.cache_bytes(512) + pass.buffer_bytes) as f64;
    let stated = config.explaining_bytes(512) as f64;
    assert!((stated / exact - 1.0).abs() < 0.05, "stated {stated}, takes {exact}");
    let weights = subject.executor.stats().weight_bytes as f64;
    let all = config.memory_bytes(&subject.checkpoint);
    assert!(((all as f64 - stated) / weights - 1.0).abs() < 0.05, "stated {all}, of which {weights} are weights");
    let entry = weights::catalogue::find("smollm2-135m-instruct").unwrap();
    assert_eq!(entry.memory_bytes, all, "the catalogue states another need");
}

/// 128 prompt tokens and a target of 8.
fn long_question(subject: &Subject) -> (Text, Text) {
    let passage = "The garden behind the old library has been closed since the spring, because its walls are being repaired. \
                   Visitors may still enter through the small gate on Mill Street, where a guide waits every morning at nine. \
                   In the summer the roses along the southern wall are in bloom, and the fountain is turned on for the children. \
                   The library itself opens at ten and keeps more than four thousand maps, some of them drawn before the city was \
                   founded. Its oldest map shows a river that no longer exists, two mills, and a bridge of stone. Question: when \
                   does the guide wait? Answer: The guide waits";
    let ids = subject.text(&passage.repeat(2)).ids();
    let prompt = Text::from_ids(subject.tokenizer(), &ids[..128]);
    let target = subject.text(" every morning at nine at the small gate");
    (prompt, target)
}

/// Some positions as units, the first and the last among them.
fn some() -> Granularity {
    Granularity::Given((0..=16).map(|i| vec![i * 127 / 16]).collect())
}

fn explain(
    subject: &mut Subject,
    (prompt, target): &(Text, Text),
    granularity: Granularity,
    budget: Budget,
) -> (atman::Explanation, atman::Expected) {
    let question = atman::Question::new(prompt.clone(), target.clone(), Vec::new(), subject.model.config()).unwrap();
    let settings = settings(granularity);
    let mut explainer = Explainer::new(question, settings, Vec::new(), budget, &subject.model).unwrap();
    pollster::block_on(explainer.begin(&subject.model, &mut subject.executor)).unwrap();
    let expected = explainer.expected(&subject.model).unwrap();
    while pollster::block_on(explainer.step(&subject.model, &mut subject.executor)).unwrap() {}
    (explainer.explanation(), expected)
}

#[test]
fn sharing_takes_half_of_the_rows_and_the_plan_knows_it() {
    let mut subject = Subject::new();
    let question = long_question(&subject);
    assert_eq!((question.0.tokens.len(), question.1.tokens.len()), (128, 8));
    let (explanation, expected) = explain(&mut subject, &question, Granularity::Token, Budget::default());
    let cost = explanation.cost;
    let share = cost.rows as f64 / cost.full_recompute_rows as f64;
    println!("{} of {} rows, {share:.3}; {:.2} s", cost.rows, cost.full_recompute_rows, cost.seconds);
    assert!(share <= 0.52, "{share}");
    assert_eq!(expected.rows, cost.rows);
    assert!(cost.peak_bytes <= expected.peak_bytes && cost.peak_bytes <= Budget::default().buffer_bytes);
}

#[test]
fn sharing_changes_no_number() {
    let mut subject = Subject::new();
    let (prompt, target) = long_question(&subject);
    let question = atman::Question::new(prompt, target, Vec::new(), subject.model.config()).unwrap();
    let (model, executor) = (&subject.model, &mut subject.executor);
    let suppression = Suppression::default();
    let (units, _) = atman::units(&question, &some(), atman::ImageGranularity::Patch).unwrap();
    let mut runs = Runs::new(question.input_ids(), question.wanted(), Budget::default());
    pollster::block_on(runs.begin(model, executor)).unwrap();
    let jobs: Vec<Job> = units.iter().map(|unit| suppression.job(unit, model.config().n_layers)).collect();
    let full = jobs.iter().cloned().map(Job::unshared).collect();
    let (shared, full) = (runs.add(model, jobs).unwrap(), runs.add(model, full).unwrap());
    while pollster::block_on(runs.step(model, executor)).unwrap().is_some() {}
    let row = |job| runs.relevance(job, Score::CrossEntropy).unwrap();
    let pairs = shared.zip(full).flat_map(|(a, b)| row(a).into_iter().zip(row(b)));
    let difference = pairs.map(|(a, b)| (a.unwrap() - b.unwrap()).abs()).fold(0.0, f32::max);
    println!("{difference:e} nats");
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn at_the_least_memory_an_explanation_peaks_as_a_plain_pass_does() {
    let mut subject = Subject::new();
    let (prompt, target) = long_question(&subject);
    // A cached forward pass over the same positions, with the same tokens wanted.
    let question = atman::Question::new(prompt.clone(), target.clone(), Vec::new(), subject.model.config()).unwrap();
    subject.executor.reset_peak();
    let input = Input::Tokens(question.input_ids());
    let sequence = Sequence { start: 0, input, factors: None, wanted: question.wanted() };
    let mut cache = KvCache::new(&subject.model, &mut subject.executor, question.n_positions()).unwrap();
    pollster::block_on(subject.model.extend(&mut subject.executor, sequence, &mut cache, 0)).unwrap();
    let plain = subject.executor.stats().peak_bytes;
    drop(cache);
    let least = Budget { buffer_bytes: 0, ..Budget::default() };
    let (explanation, expected) = explain(&mut subject, &(prompt, target), some(), least);
    let peak = explanation.cost.peak_bytes;
    println!("plain {plain}, explanation {peak}, expected {}", expected.peak_bytes);
    assert!(peak as f64 <= 1.05 * plain as f64, "{peak} of {plain}");
    assert_eq!(peak, expected.peak_bytes);
}

#[test]
fn chunks_keep_to_the_budget() {
    let mut subject = Subject::new();
    let question = long_question(&subject);
    let bytes = 16 << 20;
    let budget = |buffer_bytes| Budget { buffer_bytes, chunk_seconds: 1e9 };
    let (small, expected) = explain(&mut subject, &question, some(), budget(bytes));
    assert!(expected.peak_bytes <= bytes && small.cost.peak_bytes <= bytes, "{} of {bytes}", small.cost.peak_bytes);
    let (large, _) = explain(&mut subject, &question, some(), budget(1 << 30));
    assert!(large.cost.peak_bytes > 2 * bytes);
    let difference = difference(&small, &large);
    println!("{difference:e} nats between chunks of different sizes; noise floor {:?}", large.noise_floor);
    assert!(difference < 1e-4);
}

#[test]
fn the_identity_shows_the_noise_and_a_factor_of_one_stays_within_it() {
    let mut subject = Subject::new();
    for operator in Operator::ALL {
        let identity = Suppression { operator, factor: 1.0, ..Suppression::default() };
        let explanation = subject.explain(ITALY, " Rome.", suppressing(identity), &[]);
        let floor = explanation.noise_floor.unwrap();
        assert!(floor > 0.0 && floor < 1e-4, "{operator}: {floor}");
        let scores = explanation.relevance.iter().flatten().flatten().flatten();
        let greatest = scores.fold(0.0_f32, |most, score| most.max(score.abs()));
        println!("{operator}: noise floor {floor:e}, greatest score {greatest:e}");
        assert!(greatest < 1e-4, "{operator}: {greatest}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_would_do() {
    let subject = Subject::new();
    let refused = |settings: Settings| {
        let question = subject.question(ITALY, " Rome.").unwrap();
        Explainer::new(question, settings, Vec::new(), Budget::default(), &subject.model).unwrap_err().to_string()
    };
    let with = |change: fn(&mut Suppression)| {
        let mut suppression = Suppression::default();
        change(&mut suppression);
        refused(suppressing(suppression))
    };
    assert!(with(|s| s.factor = -1.0).contains("factor is -1, expected a number of 0 or more"));
    assert!(with(|s| s.factor = f32::NAN).contains("factor is NaN"));
    assert!(with(|s| s.layers = Some([3, 3])).contains("within 0..30"));
    assert!(with(|s| s.layers = Some([0, 31])).contains("within 0..30"));
    assert!(with(|s| s.threshold = Some(atman::Threshold::Cosine(1.5))).contains("threshold is 1.5, expected 0 to 1"));
    assert!(refused(Settings { refine: Some(0), ..Settings::default() }).contains("refine is 0"));
    assert!(refused(settings(Granularity::Given(vec![vec![99]]))).contains("each below 13"));
    assert!(refused(settings(Granularity::Given(vec![vec![]]))).contains("at least one"));
}
