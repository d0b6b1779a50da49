//! Faithfulness of an explanation, beside other orders.

use crate::subject::{ITALY, Subject, run, settings};
use atman::{
    Budget, Explainer, Explanation, Faithfulness, FaithfulnessSettings, Granularity, Job, Order, Removal, Runs, STEPS, Settings,
    Suppression, sum,
};
use kernels::Operator;

fn measured(operator: Operator, factor: f32) -> Settings {
    let suppression = Suppression { operator, factor, ..Suppression::default() };
    let faithfulness = Some(FaithfulnessSettings { random_orders: 2, seed: 1 });
    Settings { suppression, faithfulness, ..settings(Granularity::Word) }
}

#[test]
fn an_order_is_measured_by_what_taking_units_away_does() {
    let mut subject = Subject::new();
    let explanation = subject.explain(ITALY, " Rome", measured(Operator::Multiplicative, 0.1), &[]);
    let faithfulness = explanation.faithfulness.as_ref().unwrap();
    assert_eq!(faithfulness.removal, Removal::Keys);
    assert_eq!(faithfulness.n_units, explanation.units.iter().filter(|unit| !unit.sink).count());
    assert_eq!((faithfulness.taken[0], faithfulness.taken[STEPS]), (0, faithfulness.n_units));
    let orders: Vec<Order> = faithfulness.orders.iter().map(|curves| curves.order).collect();
    assert_eq!(orders, [Order::Explanation, Order::Random, Order::Position, Order::LeaveOneOut]);
    let baseline = explanation.target.tokens[0].log_prob.unwrap().exp();
    assert!((faithfulness.baseline_probability.unwrap() - baseline).abs() < 1e-6);
    for curves in &faithfulness.orders {
        println!("{curves:?}");
        let (deletion, insertion) = (known(&curves.measures.deletion), known(&curves.measures.insertion));
        assert_eq!((deletion.len(), insertion.len()), (STEPS + 1, STEPS + 1));
        // Nothing taken away, and everything taken away, are the same whatever the order.
        assert!((deletion[0] - baseline).abs() < 1e-6 && (insertion[STEPS] - baseline).abs() < 1e-6);
        assert!((deletion[STEPS] - insertion[0]).abs() < 1e-6);
        let lost = deletion[1..].iter().map(|probability| baseline - probability).sum::<f32>() / STEPS as f32;
        assert!((curves.measures.comprehensiveness.unwrap() - lost).abs() < 1e-6);
        assert_eq!(curves.spread.is_some(), curves.order == Order::Random);
    }
    let area = |order: Order| faithfulness.of(order).unwrap().measures.deletion_area.unwrap();
    assert!(area(Order::Explanation) < area(Order::Random), "the explanation's order takes away what matters first");
}

/// Few units, and so few runs.
const SHORT: &str = "The capital of Italy is";

/// The same with the other orders alone.
fn without_random(settings: Settings) -> Settings {
    Settings { faithfulness: Some(FaithfulnessSettings { random_orders: 0, seed: 1 }), ..settings }
}

fn known(curve: &[Option<f32>]) -> Vec<f32> {
    curve.iter().map(|probability| probability.unwrap()).collect()
}

/// The explanation's own curve, made anew from runs of its own: units by falling relevance for the span, their keys removed from the
/// front on, and the geometric mean of the span's probabilities.
fn deletion_by_hand(subject: &mut Subject, explanation: &Explanation, span: std::ops::Range<usize>) -> Vec<f32> {
    let score = |unit: usize| sum(explanation.relevance[unit].as_ref().unwrap(), span.clone()).unwrap();
    let mut order: Vec<usize> = explanation.leaves();
    order.retain(|unit| explanation.units[*unit].source == atman::Source::Prompt && !explanation.units[*unit].sink);
    order.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
    let question = subject.question(&explanation.prompt.text, &explanation.target.text).unwrap();
    let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget::default());
    let n_layers = subject.model.config().n_layers;
    let removing = |step: usize| {
        let taken = &order[..(step * order.len()).div_ceil(STEPS)];
        let mut positions: Vec<usize> = taken.iter().flat_map(|unit| explanation.units[*unit].positions.clone()).collect();
        positions.sort_unstable();
        Job::scaled(positions.into_iter().map(|position| (position, 0.0)).collect(), Operator::LogAdditive, 0..n_layers)
    };
    pollster::block_on(async {
        runs.begin(&subject.model, &mut subject.executor).await.unwrap();
        runs.add(&subject.model, (1..=STEPS).map(removing).collect()).unwrap();
        while runs.step(&subject.model, &mut subject.executor).await.unwrap().is_some() {}
    });
    let probability = |outcome: &atman::Outcome| {
        let log_probs = outcome[span.clone()].iter().map(|scores| scores.as_ref().unwrap()[0].log_prob);
        (log_probs.sum::<f32>() / span.len() as f32).exp()
    };
    let outcomes = std::iter::once(runs.baseline().unwrap()).chain((0..STEPS).map(|job| runs.outcome(job).unwrap()));
    outcomes.map(probability).collect()
}

#[test]
fn it_is_measured_on_the_span_that_is_shown() {
    let mut subject = Subject::new();
    let target = " Rome, not Paris";
    let span = subject.text(target).tokens_of("Paris").unwrap();
    assert!(span.start > 0);
    let settings = without_random(measured(Operator::Multiplicative, 0.1));
    let whole = subject.explain(SHORT, target, settings.clone(), &[]);
    let settings = Settings { span: Some([span.start, span.end]), ..settings };
    let spanned = subject.explain(SHORT, target, settings, &[]);
    for (explanation, span, expected) in
        [(&whole, whole.whole_target(), None), (&spanned, span.clone(), Some([span.start, span.end]))]
    {
        let faithfulness = explanation.faithfulness.as_ref().unwrap();
        assert_eq!(faithfulness.span, expected);
        let by_hand = deletion_by_hand(&mut subject, explanation, span);
        let own = known(&faithfulness.orders[0].measures.deletion);
        let difference = own.iter().zip(&by_hand).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{difference:e}: {own:?}");
        assert!(difference < 1e-5, "{own:?}, but by hand it is {by_hand:?}");
        assert!((faithfulness.baseline_probability.unwrap() - by_hand[0]).abs() < 1e-6);
    }
    let out_of_range = Settings { span: Some([1, 100]), ..measured(Operator::Multiplicative, 0.1) };
    let question = subject.question(SHORT, target).unwrap();
    let error = Explainer::new(question, out_of_range, Vec::new(), Default::default(), &subject.model).unwrap_err();
    assert!(error.to_string().contains("span is 1..100"), "{error}");
}

/// By default there are enough random orders to tell how far areas scatter.
#[test]
fn ten_random_orders_have_a_spread() {
    assert_eq!(FaithfulnessSettings::default().random_orders, 10);
    let mut subject = Subject::new();
    let faithfulness = Some(FaithfulnessSettings::default());
    let explanation = subject.explain(SHORT, " Rome", Settings { faithfulness, ..measured(Operator::Multiplicative, 0.0) }, &[]);
    let faithfulness = explanation.faithfulness.unwrap();
    let random = faithfulness.of(Order::Random).unwrap();
    assert_eq!(random.n_orders, 10);
    let spread = random.spread.as_ref().unwrap();
    let [_, middle @ .., _] = &known(&spread.deletion)[..] else { panic!("{spread:?}") };
    assert!(middle.iter().any(|spread| *spread > 0.0) && spread.deletion_area.unwrap() > 0.0, "{spread:?}");
    println!("{:?}", [Order::Random, Order::Position, Order::LeaveOneOut].map(|order| faithfulness.verdicts(order)));
    assert!(faithfulness.verdicts(Order::Random).iter().all(Option::is_some));
}

#[test]
fn units_are_removed_by_something_else_than_what_ranked_them() {
    let mut subject = Subject::new();
    for (prompt, operator, factor, removal) in [
        (SHORT, Operator::LogAdditive, 0.0, Removal::Tokens),
        // These remove keys too, in all but name.
        (SHORT, Operator::LogAdditive, 1e-4, Removal::Tokens),
        (ITALY, Operator::Shifted, 0.1, Removal::Tokens),
        // These do something else.
        (SHORT, Operator::LogAdditive, 0.5, Removal::Keys),
        (SHORT, Operator::Multiplicative, 0.5, Removal::Keys),
        (ITALY, Operator::Multiplicative, 0.0, Removal::Keys),
        // It does nothing, which is not to remove.
        (SHORT, Operator::Multiplicative, 1.0, Removal::Keys),
    ] {
        let explanation = subject.explain(prompt, " Rome", without_random(measured(operator, factor)), &[]);
        let faithfulness = explanation.faithfulness.unwrap();
        println!("{operator} {factor}: {:?}", faithfulness.difference_from_keys);
        assert_eq!(faithfulness.removal, removal, "{operator} {factor}: {:?}", faithfulness.difference_from_keys);
    }
}

#[test]
fn its_cost_is_planned() {
    let mut subject = Subject::new();
    let question = subject.question(ITALY, " Rome").unwrap();
    let settings = measured(Operator::Multiplicative, 0.1);
    let mut explainer = Explainer::new(question, settings, Vec::new(), Default::default(), &subject.model).unwrap();
    pollster::block_on(explainer.begin(&subject.model, &mut subject.executor)).unwrap();
    let expected = explainer.expected(&subject.model).unwrap();
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let rows = explainer.spent().rows;
    assert!(rows <= expected.rows && rows * 2 > expected.rows, "{rows} of at most {}", expected.rows);
}

#[test]
fn a_prompt_with_nothing_to_take_away_has_none() {
    let mut subject = Subject::new();
    let explanation = subject.explain("Rome", " is", measured(Operator::Multiplicative, 0.1), &[]);
    assert!(!explanation.partial && explanation.faithfulness.is_none());
}

/// Greatest difference of two measurements of the same question.
fn difference(a: &Faithfulness, b: &Faithfulness) -> f32 {
    let numbers = |of: &Faithfulness| {
        let curves =
            of.orders.iter().flat_map(|curves| curves.measures.deletion.iter().chain(&curves.measures.insertion).copied());
        known(&curves.chain([of.baseline_probability]).collect::<Vec<_>>())
    };
    let orders = |of: &Faithfulness| of.orders.iter().map(|curves| curves.order).collect::<Vec<_>>();
    assert_eq!((a.span, a.removal, a.n_units, orders(a)), (b.span, b.removal, b.n_units, orders(b)));
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn unmeasured(subject: &Subject) -> Explainer {
    let question = subject.question(ITALY, " Rome").unwrap();
    let settings = Settings { faithfulness: None, ..measured(Operator::Multiplicative, 0.1) };
    // An alternative in runs of its own, which take the place of the target's.
    Explainer::new(question, settings, vec![subject.text(" Paris is")], Default::default(), &subject.model).unwrap()
}

#[test]
fn it_can_be_measured_later() {
    let mut subject = Subject::new();
    let settings = measured(Operator::Multiplicative, 0.1);
    let at_once = subject.explain(ITALY, " Rome", settings.clone(), &[" Paris is"]);
    let mut explainer = unmeasured(&subject);
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let before = explainer.explanation();
    assert!(explainer.is_done() && !explainer.needs_begin() && before.faithfulness.is_none());

    explainer.measure(settings.faithfulness.unwrap(), None).unwrap();
    assert!(explainer.needs_begin() && !explainer.is_done());
    let expected = explainer.expected(&subject.model).unwrap();
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let later = explainer.explanation();
    assert!(!later.partial && later.settings == at_once.settings);
    assert_eq!((&later.relevance, &later.contrasts), (&before.relevance, &before.contrasts), "nothing of it was run again");
    let rows = later.cost.rows - before.cost.rows;
    assert!(rows <= expected.rows && rows * 2 > expected.rows && expected.flops > 0, "{rows} of at most {}", expected.rows);
    assert_eq!(later.cost.rows, at_once.cost.rows);
    let difference = difference(later.faithfulness.as_ref().unwrap(), at_once.faithfulness.as_ref().unwrap());
    println!("{difference:e}");
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn asking_for_it_half_way_or_twice_runs_nothing_twice() {
    let mut subject = Subject::new();
    let settings = measured(Operator::Multiplicative, 0.1).faithfulness.unwrap();
    let mut explainer = unmeasured(&subject);
    let step = |explainer: &mut Explainer, subject: &mut Subject| {
        pollster::block_on(explainer.step(&subject.model, &mut subject.executor)).unwrap()
    };
    pollster::block_on(explainer.begin(&subject.model, &mut subject.executor)).unwrap();
    step(&mut explainer, &mut subject);
    explainer.measure(settings, None).unwrap();
    assert!(!explainer.needs_begin(), "what is under way goes on");
    while step(&mut explainer, &mut subject) {}
    let first = explainer.explanation();
    let rows = |explainer: &Explainer| explainer.spent().rows;
    let rows_of_first = rows(&explainer);

    explainer.measure(settings, None).unwrap();
    assert!(explainer.is_done(), "it is there");
    // More random orders: the runs that left units out are not made again, nor those of the orders that were there.
    explainer.measure(FaithfulnessSettings { random_orders: 3, ..settings }, None).unwrap();
    assert!(explainer.explanation().faithfulness.is_none());
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let second = explainer.explanation().faithfulness.unwrap();
    let of_one_order = 19 * u64::try_from(explainer.question().n_positions()).unwrap();
    assert!(rows(&explainer) > rows_of_first && rows(&explainer) - rows_of_first <= of_one_order);
    let own = |of: &Faithfulness| of.orders[0].clone();
    assert_eq!(own(&second), own(first.faithfulness.as_ref().unwrap()));
}

/// Units are ordered anew for another part of the answer, which takes new curves; what takes away single units is there.
#[test]
fn another_span_takes_new_curves_and_nothing_else() {
    let mut subject = Subject::new();
    let target = " Rome, not Paris";
    let span = subject.text(target).tokens_of("Paris").unwrap();
    let span = Some([span.start, span.end]);
    let settings = without_random(measured(Operator::Multiplicative, 0.1));
    let at_once = subject.explain(SHORT, target, Settings { span, ..settings.clone() }, &[]);
    let question = subject.question(SHORT, target).unwrap();
    let mut explainer = Explainer::new(question, settings.clone(), Vec::new(), Default::default(), &subject.model).unwrap();
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let whole = explainer.explanation();

    assert!(explainer.measure(settings.faithfulness.unwrap(), Some([4, 4])).is_err(), "an empty span");
    assert!(explainer.is_done(), "and nothing is changed by it");
    explainer.measure(settings.faithfulness.unwrap(), span).unwrap();
    assert!(!explainer.is_done() && explainer.explanation().faithfulness.is_none());
    let expected = explainer.expected(&subject.model).unwrap().rows;
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let later = explainer.explanation();
    assert_eq!(later.relevance, whole.relevance);
    let rows = later.cost.rows - whole.cost.rows;
    // Two orders are others, and no more than the eight units by which the ways of removing are compared.
    let n_positions = u64::try_from(explainer.question().n_positions()).unwrap();
    assert!(rows > 0 && rows <= expected && rows <= (2 * 18 + 8) * n_positions, "{rows} of at most {expected}");
    let (later, at_once) = (later.faithfulness.unwrap(), at_once.faithfulness.unwrap());
    assert_ne!(later.orders[0], whole.faithfulness.unwrap().orders[0]);
    let difference = difference(&later, &at_once);
    assert!(difference < 1e-4, "{difference}");
}
