//! Faithfulness of an explanation, beside other orders.

use crate::subject::{ITALY, Subject, run, settings};
use atman::{Explainer, FaithfulnessSettings, Granularity, Order, Removal, STEPS, Settings, Suppression};
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
