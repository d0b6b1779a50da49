//! All numbers, and what they were made with.

use super::level;
use crate::amount::{self, signed};
use crate::clean::{escaped, one_line, quoted};
use crate::{Document, Scale, pieces, words};

/// Cells of the matrix of units and tokens that a page still shows well.
const MOST_CELLS: usize = 5_000;

/// A row for each unit: its score, contrasts, and, where there is room, its relevance for each target token.
pub(super) fn table(document: &Document) -> String {
    let explanation = &document.explanation;
    let tokens = &explanation.target.tokens;
    let matrix = tokens.len() > 1 && tokens.len() * explanation.units.len() <= MOST_CELLS;
    let shown_tokens = if matrix { tokens.as_slice() } else { &[] };
    let head = |text: &str| format!("<th scope=\"col\">{}</th>", escaped(text));
    let of_contrast = |contrast: &atman::Contrast| head(&format!("rather than {}", quoted(&words::alternative(contrast))));
    // Contrasts have columns of their own.
    let scores = explanation.scores(document.span_tokens());
    let of_scores = Scale::of_span(document, document.span_tokens());
    let score_name = if document.span.is_some() { "chosen part" } else { "whole answer" };
    let columns: String = [head("part"), head(format!("{score_name}, {}", of_scores.measure.name()).trim_end_matches(", "))]
        .into_iter()
        .chain(explanation.contrasts.iter().map(of_contrast))
        .chain(shown_tokens.iter().map(|token| head(&quoted(&token.text))))
        .collect();
    let tokens_scale = Scale::of_tokens(document);
    let mut rows = String::new();
    for (i, unit) in explanation.units.iter().enumerate() {
        let score = scores.get(i).copied().flatten();
        let mut marks = words::marks(explanation, unit);
        if score.is_some_and(|score| of_scores.is_noise(score)) {
            marks.push("within noise".to_owned());
        }
        let marks = if marks.is_empty() { String::new() } else { format!(" <small>{}</small>", marks.join(", ")) };
        let name = escaped(&quoted(&pieces::name(explanation, unit)));
        rows.push_str(&format!("<tr><th scope=\"row\">{name}{marks}</th><td>{}</td>", number(score)));
        for contrast in &explanation.contrasts {
            rows.push_str(&format!("<td>{}</td>", number(contrast.relevance.get(i).copied().flatten())));
        }
        let row = explanation.relevance.get(i).and_then(Option::as_ref);
        for t in 0..shown_tokens.len() {
            let value = row.and_then(|row| row.get(t)).copied().flatten();
            let tint = value.map_or(0, |value| level(&tokens_scale, value));
            rows.push_str(&format!("<td class=\"matrix\" data-tint=\"{tint}\">{}</td>", number(value)));
        }
        rows.push_str("</tr>\n");
    }
    format!("<table><thead><tr>{columns}</tr></thead><tbody>\n{rows}</tbody></table>")
}

fn number(value: Option<f32>) -> String {
    value.map_or("–".to_owned(), |value| signed(value).replace('-', "−"))
}

/// Settings, model, device and cost.
pub(super) fn facts(document: &Document) -> String {
    let explanation = &document.explanation;
    let settings = &explanation.settings;
    let noise = explanation.noise_floor.map_or("not known yet".to_owned(), |noise| {
        format!("{} {} for each target token", amount::short(noise), settings.score.unit())
    });
    let facts = [
        ("Settings", words::heading(document)),
        ("SHA-256", document.model.sha256.clone().unwrap_or_else(|| "not computed".to_owned())),
        ("Formats", document.model.formats.join(", ")),
        ("Score", format!("{}, post-processing {}", settings.score, settings.postprocessing)),
        ("Noise floor", noise),
        ("Held fixed", words::held(explanation)),
        ("Cost", words::cost(document)),
        ("Program", words::program(document)),
        ("Schema", document.schema.clone()),
    ];
    facts.map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&one_line(&fact)))).concat()
}
