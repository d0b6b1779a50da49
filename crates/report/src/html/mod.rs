//! An explanation as one page that needs nothing else: no network, no other file.

mod charts;
mod fill;
mod numbers;
mod pictures;
mod texts;

pub use charts::{TRUST_CSS, faithfulness_html};

use crate::clean::escaped;
use crate::layout::cut;
use crate::scale::{AGAINST, FULL_TINT, MOST_CLIPPED, Rgb, SUPPORTS};
use crate::{Document, ReportError, Scale, amount, words};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fill::fill;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Steps from no colour to full colour: style sheets that a policy allows by its hash cannot be written for each score.
const LEVELS: i32 = 20;

/// A document as a page. What it shows is in its markup, so that it can be read without scripts; with them, a reader can ask
/// about single words. It may run its own script and style and nothing else, and it holds the document's whole JSON.
///
/// # Errors
/// When the document cannot be written as JSON.
pub fn html(document: &Document) -> Result<String, ReportError> {
    let explanation = &document.explanation;
    let scale = Scale::of(document);
    let has_pictures = !explanation.images.is_empty();
    let script = script(has_pictures);
    let style = style(has_pictures);
    let (least, most) = ends(document, &scale);
    let meaning = words::meaning(document, &scale);
    let partial = words::partial(explanation).map(|partial| format!("<p class=\"partial\">{partial}</p>\n"));
    let notices = words::notices(explanation).map(|notice| format!("<p class=\"notice\">{}</p>\n", escaped(&notice))).collect();
    let values = [
        ("style_hash", hash(&style)),
        ("script_hash", hash(&script)),
        ("images", if has_pictures { " img-src data:;" } else { "" }.to_owned()),
        ("title", escaped(&cut(&words::title(document), 120))),
        ("partial", partial.unwrap_or_default()),
        ("notices", notices),
        ("meaning", with_samples(meaning)),
        ("pictures", pictures::section(document, &scale)),
        ("prompt", texts::prompt(document, &scale)),
        ("sinks", texts::sinks_choice(document)),
        ("likelihood", words::likelihood(document).unwrap_or_default()),
        ("answer", texts::answer(document, &scale)),
        ("cut", words::target_cut(document).map(|cut| format!("<p class=\"cut\">{cut}</p>\n")).unwrap_or_default()),
        ("levels", LEVELS.to_string()),
        ("quantile", scale.quantile.to_string()),
        ("most_clipped", MOST_CLIPPED.to_string()),
        ("token_limit", Scale::of_tokens(document).limit.to_string()),
        ("rounds_to_zero", amount::ROUNDS_TO_ZERO.to_string()),
        ("measure", escaped(&scale.measure.name())),
        ("contrast_choice", texts::contrast_choice(document)),
        ("least", escaped(&least)),
        ("ramp", if scale.signed { "ramp" } else { "ramp-positive" }.to_owned()),
        ("most", escaped(&most)),
        ("legend", escaped(words::legend(&scale).first().map_or("", String::as_str))),
        ("marks", marks(&scale)),
        ("faithfulness", explanation.faithfulness.as_ref().map(charts::faithfulness_html).unwrap_or_default()),
        ("table", numbers::table(document)),
        ("divided", if has_pictures { "the text and of the pictures" } else { "the text" }.to_owned()),
        ("facts", numbers::facts(document)),
        ("json", json(document)?),
        ("script", script),
        ("style", style),
    ];
    Ok(fill(include_str!("../../html/template.html"), &values))
}

/// JSON that ends no script: in it, `<` stands in strings only, where it may be escaped.
fn json(document: &Document) -> Result<String, ReportError> {
    let json = serde_json::to_string(document)?;
    Ok(json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// A page without pictures has no code for them.
fn script(has_pictures: bool) -> String {
    let (code, call) = if has_pictures { (pictures::SCRIPT, "\n    showPictures(now, unit);") } else { ("", "") };
    fill(include_str!("../../html/script.js"), &[("pictures", code.to_owned()), ("show_pictures", call.to_owned())])
}

fn style(has_pictures: bool) -> String {
    let mut tints = String::new();
    for (sign, hue) in [("", SUPPORTS), ("-", AGAINST)] {
        for level in 1..=LEVELS {
            let alpha = FULL_TINT * level as f32 / LEVELS as f32;
            // Writing to a string does not fail.
            let _ = writeln!(tints, "[data-tint=\"{sign}{level}\"] {{ --tint: rgb({} / {alpha:.3}); }}", channels(hue));
        }
    }
    let values = [
        ("pictures", if has_pictures { pictures::STYLE } else { "" }.to_owned()),
        ("tints", tints),
        ("against", channels(AGAINST)),
        ("supports", channels(SUPPORTS)),
        ("full", FULL_TINT.to_string()),
        ("trust", TRUST_CSS.to_owned()),
    ];
    fill(include_str!("../../html/style.css"), &values)
}

fn channels([r, g, b]: Rgb) -> String {
    format!("{r} {g} {b}")
}

/// The level of a score's tint.
fn level(scale: &Scale, score: f32) -> i32 {
    (scale.strength(score) * LEVELS as f32).round() as i32
}

/// A sentence about the hues, with their names on them.
fn with_samples(sentence: &str) -> String {
    let sample = |name: &str, level: i32| format!("<b data-tint=\"{level}\" class=\"sample\">{name}</b>");
    let strong = LEVELS * 3 / 5;
    let sentence = sentence.replace("Blue", &sample("Blue", strong)).replace("Orange", &sample("Orange", -strong));
    sentence.replace("the blue", &format!("the {}", sample("blue", strong)))
}

/// What stands at either end of the scale.
fn ends(document: &Document, scale: &Scale) -> (String, String) {
    let [against, supports] = words::sides(document);
    let limit = amount::short(scale.limit);
    let most = scale.measure.of(scale.limit);
    match scale.signed {
        true => (format!("−{limit} {against}"), format!("+{most} {supports}")),
        false => ("0".to_owned(), most),
    }
}

/// What tells signs and noise apart without colours.
fn marks(scale: &Scale) -> String {
    let mut marks = Vec::new();
    if scale.signed {
        marks.push("What speaks against the answer is <span class=\"against\">dashed</span>.".to_owned());
    }
    if let Some(noise) = scale.noise.filter(|noise| *noise > 0.0) {
        let floor = escaped(&scale.measure.of(noise));
        marks.push(format!(
            "What is <span class=\"noise\">dotted</span> lies within the noise floor of <span id=\"floor\">{floor}</span>."
        ));
    }
    marks.join(" ")
}
