//! Faithfulness in curves.

use crate::{amount, trust, words};
use atman::{Faithfulness, Measures, Order, OrderCurves};
use std::fmt::Write;

/// Size of a chart and of the room for its axes.
const WIDTH: f32 = 320.0;
const HEIGHT: f32 = 200.0;
const LEFT: f32 = 34.0;
const BOTTOM: f32 = 34.0;
const TOP: f32 = 10.0;
const RIGHT: f32 = 12.0;

/// The rules for [`faithfulness_html`], which stand in `crates/report/html/trust.css`. They use the custom properties `--ink`,
/// `--faint`, `--line`, `--supports` and `--against` for colours; tables, headings, `.help` and `.scroll` are the page's own.
pub const TRUST_CSS: &str = include_str!("../../html/trust.css");

/// What happens when units are taken away, in sentences, curves and numbers: a `<section>` of HTML with an id of its own, so
/// that a page may hold one. Made of numbers and fixed words: no text of a prompt, a model or a user is in it, and it has
/// neither scripts nor inline styles.
pub fn faithfulness_html(faithfulness: &Faithfulness) -> String {
    let [consequence, judgement] = words::faithfulness(faithfulness);
    let deletion = chart(faithfulness, "taken away", |measures| &measures.deletion);
    let insertion = chart(faithfulness, "kept", |measures| &measures.insertion);
    let rows: String = faithfulness.orders.iter().map(row).collect();
    format!(
        "<section class=\"trust\" aria-labelledby=\"trust-title\">\n<h2 id=\"trust-title\">Can this be trusted?</h2>\n\
         <p>{consequence}</p>\n<p>{judgement}</p>\n<div class=\"charts\">\n\
         <figure>{deletion}<figcaption><b>The first units taken away</b>A good order falls early.</figcaption></figure>\n\
         <figure>{insertion}<figcaption><b>Only the first units kept</b>A good order rises early.</figcaption></figure>\n\
         </div>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Areas under the curves\"><table><thead><tr>\
         <th scope=\"col\">Order of units</th><th scope=\"col\">area, taken away<br>(lower is better)</th>\
         <th scope=\"col\">area, only kept<br>(higher is better)</th><th scope=\"col\">comprehensiveness<br>(higher is better)</th>\
         <th scope=\"col\">sufficiency<br>(lower is better)</th></tr></thead><tbody>{rows}</tbody></table></div>\n\
         <p class=\"help\">{}</p>\n</section>\n",
        words::removal(faithfulness)
    )
}

fn class(order: Order) -> &'static str {
    match order {
        Order::Explanation => "explanation",
        Order::Random => "random",
        Order::Position => "position",
        Order::LeaveOneOut => "leave-one-out",
    }
}

fn row(curves: &OrderCurves) -> String {
    let [deletion, insertion, comprehensiveness, sufficiency] = trust::numbers(curves);
    format!(
        "<tr><td><svg class=\"sample\" viewBox=\"0 0 48 12\" aria-hidden=\"true\"><path class=\"curve {}\" d=\"M2 6H46\"/></svg>{}</td>\
         <td>{deletion}</td><td>{insertion}</td><td>{comprehensiveness}</td><td>{sufficiency}</td></tr>",
        class(curves.order),
        words::order(curves.order)
    )
}

/// The curves of all orders over the share of the units that each step really takes away, and a band one standard deviation to
/// either side of a mean. What was not computed is a gap.
fn chart(faithfulness: &Faithfulness, what: &str, pick: impl Fn(&Measures) -> &Vec<Option<f32>>) -> String {
    let values = faithfulness.orders.iter().flat_map(|curves| pick(&curves.measures).iter().copied());
    let greatest = values.chain([faithfulness.baseline_probability]).flatten().fold(0.0, f32::max);
    let top = if greatest > 0.5 { 1.0 } else { (greatest * 1.1).max(1e-3) };
    let y = |probability: f32| HEIGHT - BOTTOM - probability / top * (HEIGHT - BOTTOM - TOP);
    let x = |part: f32| LEFT + part * (WIDTH - LEFT - RIGHT);
    let mut drawn = String::new();
    for probability in [0.0, top / 2.0, top] {
        let (at, label) = (y(probability), amount::short(probability));
        let (end, text_x, text_y) = (WIDTH - RIGHT, LEFT - 6.0, at + 4.0);
        put(&mut drawn, &format!("<path class=\"axis\" d=\"M{LEFT} {at:.1}H{end}\"/>"));
        put(&mut drawn, &format!("<text x=\"{text_x}\" y=\"{text_y:.1}\" text-anchor=\"end\">{label}</text>"));
    }
    for (part, label, anchor) in [(0.0, "0", "middle"), (0.5, "50", "middle"), (1.0, "100 %", "end")] {
        let (at, text_y) = (x(part) + if part == 1.0 { RIGHT } else { 0.0 }, HEIGHT - BOTTOM + 15.0);
        put(&mut drawn, &format!("<text x=\"{at:.1}\" y=\"{text_y}\" text-anchor=\"{anchor}\">{label}</text>"));
    }
    let (middle, text_y) = (x(0.5), HEIGHT - 4.0);
    put(&mut drawn, &format!("<text x=\"{middle}\" y=\"{text_y}\" text-anchor=\"middle\">units {what}</text>"));
    let share = |taken: &usize| *taken as f32 / faithfulness.n_units.max(1) as f32;
    let shares: Vec<f32> = faithfulness.taken.iter().map(share).collect();
    let points = |points: &[(f32, f32)]| {
        let of = |(share, p): &(f32, f32)| format!("{:.1},{:.1}", x(*share), y(p.clamp(0.0, top)));
        points.iter().map(of).collect::<Vec<_>>().join(" ")
    };
    // The explanation's own curve on top.
    for curves in faithfulness.orders.iter().rev() {
        let class = class(curves.order);
        let mean = pick(&curves.measures);
        for part in unbroken(shares.iter().zip(mean).map(|(share, p)| Some((*share, (*p)?)))) {
            put(&mut drawn, &format!("<polyline class=\"curve {class}\" points=\"{}\"/>", points(&part)));
        }
        let Some(spread) = curves.spread.as_ref().map(&pick) else { continue };
        let around = |side: f32| {
            let of = move |((share, p), s): ((&f32, &Option<f32>), &Option<f32>)| Some((*share, (*p)? + side * (*s)?));
            unbroken(shares.iter().zip(mean).zip(spread).map(of))
        };
        for (above, mut below) in around(1.0).into_iter().zip(around(-1.0)) {
            below.reverse();
            put(&mut drawn, &format!("<polygon class=\"spread\" points=\"{} {}\"/>", points(&above), points(&below)));
        }
    }
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Probability of an answer token by the \
         part of the units {what}; the areas stand in the table below\">\n{drawn}</svg>"
    )
}

/// The stretches of points without a gap.
fn unbroken(points: impl Iterator<Item = Option<(f32, f32)>>) -> Vec<Vec<(f32, f32)>> {
    let points: Vec<Option<(f32, f32)>> = points.collect();
    let parts = points.split(Option::is_none).map(|part| part.iter().flatten().copied().collect::<Vec<_>>());
    parts.filter(|part| !part.is_empty()).collect()
}

fn put(drawn: &mut String, element: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(drawn, "{element}");
}
