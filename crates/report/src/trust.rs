//! What faithfulness says, in sentences: numbers and fixed words alone.

use crate::amount::{count, probability};
use atman::{Faithfulness, Measures, Order, OrderCurves, Removal, Verdict};

/// What orders of units do to the target, and how the explanation's compares with others.
pub fn faithfulness(faithfulness: &Faithfulness) -> [String; 2] {
    [consequence(faithfulness), judgement(faithfulness)]
}

fn consequence(faithfulness: &Faithfulness) -> String {
    // Far enough to tell orders apart, and not so far that little is left in any.
    const STEP: usize = 3;
    let at = |measures: &Measures| measures.deletion.get(STEP).copied().flatten();
    let without = faithfulness.of(Order::Explanation).and_then(|curves| at(&curves.measures));
    let taken = faithfulness.taken.get(STEP).copied();
    let (Some(baseline), Some(left), Some(taken)) = (faithfulness.baseline_probability, without, taken) else {
        return "It was not measured what taking units away does.".to_owned();
    };
    let verb = match (probability(baseline), probability(left)) {
        (before, after) if before == after => "hardly changes",
        _ if left < baseline => "lowers",
        _ => "raises",
    };
    let random = faithfulness.of(Order::Random);
    let random = random.and_then(|curves| Some((at(&curves.measures)?, curves.spread.as_ref().and_then(at), curves.n_orders)));
    let random = match random {
        Some((mean, Some(spread), n)) => {
            let mean = probability(mean);
            format!("; in random order, {mean} on average (standard deviation {spread:.2}, {})", count(n, "order"))
        }
        Some((mean, None, n)) => format!("; in random order, {} ({})", probability(mean), count(n, "order")),
        None => String::new(),
    };
    format!(
        "Taking away the {taken} most relevant of {} ({:.0} %) {verb} the probability of {}: {} with everything there, {} without \
         them{random}.",
        count(faithfulness.n_units, "unit"),
        taken as f32 / faithfulness.n_units.max(1) as f32 * 100.0,
        token(faithfulness),
        probability(baseline),
        probability(left)
    )
}

/// Of what the probabilities are.
fn token(faithfulness: &Faithfulness) -> String {
    match faithfulness.span {
        None => "an answer token".to_owned(),
        Some([first, end]) if end == first.saturating_add(1) => format!("the chosen part, token {end} of the answer"),
        Some([first, end]) => format!("a token of the chosen part, tokens {} to {end} of the answer", first.saturating_add(1)),
    }
}

fn judgement(faithfulness: &Faithfulness) -> String {
    use Verdict::{Better, Unclear, Worse};
    let others = faithfulness.orders.iter().map(|curves| curves.order).filter(|order| *order != Order::Explanation);
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for other in others {
        let said_of_it = match faithfulness.verdicts(other) {
            [Some(Better), Some(Better)] => "better both ways than",
            [Some(Better), Some(Unclear)] | [Some(Unclear), Some(Better)] => "better one way than",
            [Some(Better), Some(Worse)] | [Some(Worse), Some(Better)] => "better one way and worse the other than",
            [Some(Unclear), Some(Unclear)] => "of no clear difference from",
            [Some(Worse), Some(Unclear)] | [Some(Unclear), Some(Worse)] => "worse one way than",
            [Some(Worse), Some(Worse)] => "worse both ways than",
            [None, _] | [_, None] => continue,
        };
        match said.iter_mut().find(|(verdict, _)| *verdict == said_of_it) {
            Some((_, orders)) => orders.push(order(other)),
            None => said.push((said_of_it, vec![order(other)])),
        }
    }
    let parts: Vec<String> = said.iter().filter_map(|(verdict, orders)| Some(format!("{verdict} {}", listed(orders)?))).collect();
    if parts.is_empty() {
        return "It was not compared with other orders: that takes several random ones, whose spread a difference must exceed."
            .to_owned();
    }
    format!(
        "Judged by what is lost without the first units and by what is kept with only them, this order is {}. A difference counts \
         that is more than twice its standard deviation, as random orders show it.",
        parts.join(", ")
    )
}

fn listed(names: &[&str]) -> Option<String> {
    let (last, others) = names.split_last()?;
    Some(if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) })
}

/// By what units are ordered.
pub fn order(order: Order) -> &'static str {
    match order {
        Order::Explanation => "this explanation",
        Order::Random => "random order",
        Order::Position => "the order of the text",
        Order::LeaveOneOut => "leaving one out",
    }
}

/// How units were taken away and why so, and what two of the numbers are.
pub fn removal(faithfulness: &Faithfulness) -> String {
    let apart = faithfulness.difference_from_keys.map(|difference| format!("{:.0} %", difference * 100.0));
    let how = match (faithfulness.removal, apart) {
        (Removal::Keys, apart) => format!(
            "their keys removed from attention in all layers. That is another thing than what ranked them{}",
            apart.map_or(String::new(), |apart| format!(": the effects of the two differ by {apart}"))
        ),
        (Removal::Tokens, Some(apart)) => format!(
            "their tokens left out. Removing their keys would come to what ranked them, and so confirm it: the effects of the two differ \
             by {apart}. It favours the order by leaving one out, which was found in the same way"
        ),
        (Removal::Tokens, None) => {
            "their tokens left out, since nothing told what ranked them from removing their keys. It favours \
             the order by leaving one out, which was found in the same way"
                .to_owned()
        }
    };
    format!(
        "{} taken away tenth by tenth, rounded up to whole units, {how}. Areas are under the curves; comprehensiveness is the probability \
         lost without the first units, sufficiency that lost with nothing but them, on average over the steps.",
        count(faithfulness.n_units, "unit")
    )
}

/// Areas, comprehensiveness and sufficiency of an order, and how far they scatter where they are means of several.
pub(crate) fn numbers(curves: &OrderCurves) -> [String; 4] {
    let of =
        |measures: &Measures| [measures.deletion_area, measures.insertion_area, measures.comprehensiveness, measures.sufficiency];
    let spreads = curves.spread.as_ref().map_or([None; 4], of);
    let mut pairs = of(&curves.measures).into_iter().zip(spreads);
    std::array::from_fn(|_| match pairs.next() {
        Some((Some(value), Some(spread))) => format!("{value:.3} ± {spread:.3}"),
        Some((Some(value), None)) => format!("{value:.3}"),
        _ => "not computed".to_owned(),
    })
}
