//! Faithfulness of an explanation, beside other orders.

use crate::subject::{ITALY, Subject, run, settings};
use atman::{Explainer, Faithfulness, FaithfulnessSettings, Granularity, Order, Removal, STEPS, Settings, Suppression};
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
    let orders: Vec<Order> = faithfulness.orders.iter().map(|curves| curves.order).collect();
    assert_eq!(orders, [Order::Explanation, Order::Random, Order::Position, Order::LeaveOneOut]);
    let baseline = explanation.target.tokens[0].log_prob.unwrap().exp();
    assert!((faithfulness.baseline_probability - baseline).abs() < 1e-6);
    for curves in &faithfulness.orders {
        println!("{curves:?}");
        assert_eq!((curves.deletion.len(), curves.insertion.len()), (STEPS + 1, STEPS + 1));
        // Nothing taken away, and everything taken away, are the same whatever the order.
        assert!((curves.deletion[0] - baseline).abs() < 1e-6 && (curves.insertion[STEPS] - baseline).abs() < 1e-6);
        assert!((curves.deletion[STEPS] - curves.insertion[0]).abs() < 1e-6);
        let lost = curves.deletion[1..].iter().map(|probability| baseline - probability).sum::<f32>() / STEPS as f32;
        assert!((curves.comprehensiveness - lost).abs() < 1e-6);
    }
    let area = |order: Order| faithfulness.orders.iter().find(|curves| curves.order == order).unwrap().deletion_area;
    assert!(area(Order::Explanation) < area(Order::Random), "the explanation's order takes away what matters first");
}

#[test]
fn an_explanation_by_removed_keys_is_judged_by_removed_tokens() {
    let mut subject = Subject::new();
    let explanation = subject.explain(ITALY, " Rome", measured(Operator::LogAdditive, 0.0), &[]);
    assert_eq!(explanation.faithfulness.unwrap().removal, Removal::Tokens);
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
        let curves = of.orders.iter().flat_map(|curves| curves.deletion.iter().chain(&curves.insertion).copied());
        curves.chain([of.baseline_probability]).collect::<Vec<f32>>()
    };
    let orders = |of: &Faithfulness| of.orders.iter().map(|curves| curves.order).collect::<Vec<_>>();
    assert_eq!((a.removal, a.n_units, orders(a)), (b.removal, b.n_units, orders(b)));
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

    explainer.measure(settings.faithfulness.unwrap());
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
    explainer.measure(settings);
    assert!(!explainer.needs_begin(), "what is under way goes on");
    while step(&mut explainer, &mut subject) {}
    let first = explainer.explanation();
    let rows = |explainer: &Explainer| explainer.spent().rows;
    let rows_of_first = rows(&explainer);

    explainer.measure(settings);
    assert!(explainer.is_done(), "it is there");
    // More random orders: the runs that left units out are not made again, nor those of the orders that were there.
    explainer.measure(FaithfulnessSettings { random_orders: 3, ..settings });
    assert!(explainer.explanation().faithfulness.is_none());
    run(&mut explainer, &subject.model, &mut subject.executor).unwrap();
    let second = explainer.explanation().faithfulness.unwrap();
    let of_one_order = 19 * u64::try_from(explainer.question().n_positions()).unwrap();
    assert!(rows(&explainer) > rows_of_first && rows(&explainer) - rows_of_first <= of_one_order);
    let own = |of: &Faithfulness| of.orders[0].clone();
    assert_eq!(own(&second), own(first.faithfulness.as_ref().unwrap()));
}
