//! A row for each unit, for spreadsheets and statistics.

use crate::{Document, ReportError, Scale, pieces, words};
use atman::{ImagePart, PixelRect, Source};

/// A document as comma-separated values, one row for each unit in their order; an unknown score is an empty cell.
///
/// The columns: `unit` (its number), `source` (`prompt` or `target`), `text`, `start` and `end` (characters), `positions` and
/// `neighbours` (separated by spaces), `sink`, `parent` (the unit that it is a part of), `score` (for the document's span),
/// `below_noise`, `role` (who wrote it, in a conversation), `control` (whether it is a control token that somebody wrote), and, the
/// same in every row, `version` (of the program), `held` (what was the same in every run) and `notices`; then one for each target
/// token, such as `t0: Rome`. Where there are pictures, five more stand before the
/// target tokens: `image` (the number of the picture that the unit is a part of, from 1 on as in its name), `left_px`,
/// `top_px`, `right_px` and `bottom_px` (its rectangle in pixels of the picture; where it has several, as many numbers separated
/// by spaces). They are empty for units of text. Last stands one for each contrast, such as `rather than: Paris.`. `score` is for
/// what the document looks at: its span, or its contrast. Where the target was cut, the name of its last token's column ends
/// with `…`.
///
/// # Errors
/// When a row cannot be written.
pub fn csv(document: &Document) -> Result<String, ReportError> {
    let explanation = &document.explanation;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let columns = [
        "unit",
        "source",
        "text",
        "start",
        "end",
        "positions",
        "neighbours",
        "sink",
        "parent",
        "score",
        "below_noise",
        "role",
        "control",
        "version",
        "held",
        "notices",
    ];
    let tokens = explanation.target.tokens.iter().enumerate();
    let last = explanation.target.tokens.len().saturating_sub(1);
    let cut = |t: usize| if document.target_cut && t == last { "…" } else { "" };
    let tokens = tokens.map(|(t, token)| format!("t{t}: {}{}", token.text.trim_start(), cut(t)));
    let contrasts = explanation.contrasts.iter();
    let contrasts = contrasts.map(|contrast| format!("rather than: {}", words::alternative(contrast)));
    let of_pictures = ["image", "left_px", "top_px", "right_px", "bottom_px"];
    let of_pictures = if explanation.images.is_empty() { &[][..] } else { &of_pictures };
    writer.write_record(columns.iter().chain(of_pictures).map(|column| (*column).to_owned()).chain(tokens).chain(contrasts))?;
    let scale = Scale::of(document);
    let (held, notices) = (words::held(explanation), words::notices(explanation).collect::<Vec<_>>().join(" "));
    for (i, unit) in explanation.units.iter().enumerate() {
        let score = document.scores.get(i).copied().flatten();
        let source = match unit.source {
            Source::Prompt => "prompt",
            Source::Target => "target",
        };
        let of_unit = [
            i.to_string(),
            source.to_owned(),
            inert(&pieces::name(explanation, unit)),
            unit.start.to_string(),
            unit.end.to_string(),
            spaced(&unit.positions),
            spaced(&unit.neighbours),
            unit.sink.to_string(),
            unit.parent.map(|parent| parent.to_string()).unwrap_or_default(),
            number(score),
            score.zip(scale.noise).map(|(score, _)| scale.is_noise(score).to_string()).unwrap_or_default(),
            unit.role.map(|role| role.to_string()).unwrap_or_default(),
            unit.control.to_string(),
            inert(&document.version),
            held.clone(),
            inert(&notices),
        ];
        let place = place(unit.image.as_ref());
        let place = place.into_iter().take(of_pictures.len());
        let row = explanation.relevance.get(i).and_then(Option::as_ref);
        let of_token = |t: usize| number(row.and_then(|row| row.get(t)).copied().flatten());
        let of_contrasts = explanation.contrasts.iter().map(|of| number(of.relevance.get(i).copied().flatten()));
        writer
            .write_record(of_unit.into_iter().chain(place).chain(explanation.whole_target().map(of_token)).chain(of_contrasts))?;
    }
    let bytes = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    // Nothing but text was written.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The columns of a unit that is a part of a picture.
fn place(part: Option<&ImagePart>) -> [String; 5] {
    let Some(part) = part else { return Default::default() };
    let edges = |edge: fn(&PixelRect) -> f32| part.rects.iter().map(|rect| edge(rect).to_string()).collect::<Vec<_>>().join(" ");
    let image = part.image.saturating_add(1).to_string();
    [image, edges(|rect| rect.left_px), edges(|rect| rect.top_px), edges(|rect| rect.right_px), edges(|rect| rect.bottom_px)]
}

/// Text that no spreadsheet runs as a formula.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn spaced(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
}

fn number(value: Option<f32>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
