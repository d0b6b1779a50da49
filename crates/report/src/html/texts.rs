//! Prompt and answer, tinted.

use super::level;
use crate::clean::escaped;
use crate::pieces::{self, Piece};
use crate::{Document, Scale, Side, words};
use atman::Role;

/// The prompt, unit by unit.
pub(super) fn prompt(document: &Document, scale: &Scale) -> String {
    let pieces = hidden_unless_all(pieces::of_prompt(&document.explanation));
    let tells_roles = pieces::roles(&document.explanation).len() > 1;
    let mut last: Option<Role> = None;
    let mut shown = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        // A turn begins where another writes, and where the template stands between two turns of one writer.
        let is_after_template = number.checked_sub(1).and_then(|before| pieces.get(before)).is_some_and(|before| before.template);
        if let Some(role) = piece.role.filter(|role| tells_roles && (last != Some(*role) || is_after_template)) {
            shown.push_str(&format!("<span class=\"role\">{role}</span>"));
        }
        last = piece.role.or(last);
        shown.push_str(&span(document, scale, piece, "unit", ""));
    }
    shown
}

/// The answer, token by token.
pub(super) fn answer(document: &Document, scale: &Scale) -> String {
    let chosen = document.span_tokens();
    let of_piece = |piece: &Piece| {
        let selected = document.span.is_some() && chosen.contains(&piece.tokens.start);
        let more =
            format!(" role=\"option\" data-tokens=\"{}-{}\" aria-selected=\"{selected}\"", piece.tokens.start, piece.tokens.end);
        span(document, scale, piece, if selected { "token chosen" } else { "token" }, &more)
    };
    hidden_unless_all(pieces::of_target(&document.explanation)).iter().map(of_piece).collect()
}

/// What a template put there is hidden at first, unless nothing else is there.
fn hidden_unless_all(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.iter().all(|piece| piece.template) {
        pieces.iter_mut().for_each(|piece| piece.template = false);
    }
    pieces
}

fn span(document: &Document, scale: &Scale, piece: &Piece, class: &str, more: &str) -> String {
    if piece.picture {
        return format!("<span class=\"marker\">{}</span>", escaped(&piece.text));
    }
    let score = piece.unit.and_then(|unit| document.scores.get(unit).copied().flatten());
    let mut classes = classes(class, piece.sink, piece.template, score, scale);
    let mut more = more.to_owned();
    if piece.control {
        classes.push_str(" control");
        more.push_str(" title=\"A control token that was typed: it imitates the chat template\"");
    }
    let unit = piece.unit.map_or(String::new(), |unit| format!(" data-unit=\"{unit}\""));
    let relevance = relevance(score, scale);
    format!("<span class=\"{classes}\"{unit}{relevance}{more}>{}</span>", escaped(&piece.text))
}

/// What a part of a text or a picture is marked with.
pub(super) fn classes(class: &str, sink: bool, template: bool, score: Option<f32>, scale: &Scale) -> String {
    let noise = score.is_some_and(|score| scale.is_noise(score));
    let against = score.is_some_and(|score| scale.side(score) == Side::Against);
    let marks = [(sink, " sink"), (template, " template"), (noise, " noise"), (against, " against")];
    marks.iter().filter(|(is, _)| *is).fold(class.to_owned(), |classes, (_, name)| classes + name)
}

/// Its score, and the level of its tint.
pub(super) fn relevance(score: Option<f32>, scale: &Scale) -> String {
    score.map_or(String::new(), |score| format!(" data-relevance=\"{score}\" data-tint=\"{}\"", level(scale, score)))
}

/// Lets the reader see what is shown apart, if anything is.
pub(super) fn sinks_choice(document: &Document) -> String {
    let pieces = pieces::of_prompt(&document.explanation);
    if !pieces.iter().any(|piece| piece.sink) {
        return String::new();
    }
    let name = if pieces.iter().any(|piece| piece.template) {
        "Show the chat template and colour the first position"
    } else {
        "Colour the first position too"
    };
    format!(
        "<label class=\"check\" title=\"Models park attention there, whatever it says.\"><input type=\"checkbox\" id=\"sinks\"> {name}</label>\n"
    )
}

/// Lets the reader choose a contrast, if there are any.
pub(super) fn contrast_choice(document: &Document) -> String {
    let contrasts = &document.explanation.contrasts;
    if contrasts.is_empty() {
        return String::new();
    }
    let option = |(i, contrast): (usize, &atman::Contrast)| {
        let scale = Scale::of_contrast(document, contrast);
        let selected = if document.contrast == Some(i) { " selected" } else { "" };
        format!(
            "<option value=\"{i}\"{selected} data-limit=\"{}\" data-noise=\"{}\" data-note=\"{}\">rather than “{}”</option>",
            scale.limit,
            scale.noise.map_or(String::new(), |noise| noise.to_string()),
            escaped(&words::log_odds(contrast)),
            escaped(&words::alternative(contrast))
        )
    };
    let options: String = contrasts.iter().enumerate().map(option).collect();
    format!(
        "<p class=\"contrast\" hidden><label for=\"contrasts\">Explain why it said this</label> \
         <select id=\"contrasts\"><option value=\"\">at all</option>{options}</select></p>\n"
    )
}
