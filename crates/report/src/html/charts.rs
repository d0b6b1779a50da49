//! Faithfulness in curves.

use crate::{amount, words};
use atman::{Faithfulness, Order, OrderCurves};
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
    let deletion = chart(faithfulness, "taken away", |curves| &curves.deletion);
    let insertion = chart(faithfulness, "kept", |curves| &curves.insertion);
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
    format!(
        "<tr><td><svg class=\"sample\" viewBox=\"0 0 48 12\" aria-hidden=\"true\"><path class=\"curve {}\" d=\"M2 6H46\"/></svg>{}</td>\
         <td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td></tr>",
        class(curves.order),
        words::order(curves.order),
        curves.deletion_area,
        curves.insertion_area,
        curves.comprehensiveness,
        curves.sufficiency
    )
}

fn chart(faithfulness: &Faithfulness, what: &str, pick: impl Fn(&OrderCurves) -> &Vec<f32>) -> String {
    let values = faithfulness.orders.iter().flat_map(|curves| pick(curves).iter().copied());
    let greatest = values.chain([faithfulness.baseline_probability]).fold(0.0, f32::max);
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
    // The explanation's own curve on top.
    for curves in faithfulness.orders.iter().rev() {
        let points = pick(curves);
        let steps = points.len().saturating_sub(1).max(1) as f32;
        let place = |(i, p): (usize, &f32)| format!("{:.1},{:.1}", x(i as f32 / steps), y(*p));
        let path: Vec<String> = points.iter().enumerate().map(place).collect();
        put(&mut drawn, &format!("<polyline class=\"curve {}\" points=\"{}\"/>", class(curves.order), path.join(" ")));
    }
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Probability of an answer token by the \
         part of the units {what}; the areas stand in the table below\">\n{drawn}</svg>"
    )
}

fn put(drawn: &mut String, element: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(drawn, "{element}");
}
