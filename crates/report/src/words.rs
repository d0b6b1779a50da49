//! What an explanation says, in sentences: the same in every format.
//!
//! What holds text that others wrote says so: that text may look like markup. All else is numbers and fixed words.

pub use crate::trust::{faithfulness, order, removal};

use crate::amount::{ROUNDS_TO_ZERO, bytes, count, probability, seconds, short, signed};
use crate::clean::one_line;
use crate::pictures::ShownPicture;
use crate::{Document, Scale, pieces};
use atman::{
    Contrast, Explanation, Granularity, ImageGranularity, Postprocessing, Role, Source, Text, Threshold, TokenKind, Unit,
};

/// What the hue of positive scores stands for.
pub const SUPPORTS: &str = "supports the answer";

/// What the hue of negative scores stands for.
pub const AGAINST: &str = "speaks against it";

/// What the hues stand for where two answers are compared: that of negative scores, and that of positive ones.
pub const OF_CONTRAST: [&str; 2] = ["speaks for the alternative", "speaks for the answer"];

/// What the hues stand for: that of negative scores, and that of positive ones.
pub fn sides(document: &Document) -> [&'static str; 2] {
    if document.looked_at_contrast().is_some() { OF_CONTRAST } else { [AGAINST, SUPPORTS] }
}

/// What is asked. Holds the target, and the alternative where there is one.
pub fn title(document: &Document) -> String {
    let explanation = &document.explanation;
    match document.looked_at_contrast() {
        Some(of) => contrast(explanation, of),
        None => format!("Why did the model say “{}”?", answer(explanation)),
    }
}

/// What the colours are for, where that is not the answer as a whole. Holds a part of the target, or the alternative.
pub fn looked_at(document: &Document) -> Option<String> {
    let of_contrast = |of: &Contrast| format!("The colours say why the answer is this rather than “{}”.", alternative(of));
    let of_span = || document.span.as_ref().map(|span| format!("The colours are for “{}” alone.", one_line(&span.text)));
    document.looked_at_contrast().map(of_contrast).or_else(of_span)
}

/// That the target ends before the model had ended it, if so.
pub fn target_cut(document: &Document) -> Option<String> {
    let n_tokens = document.explanation.target.tokens.len();
    document.target_cut.then(|| format!("The answer is cut after {}: the model had not ended it.", count(n_tokens, "token")))
}

/// Which model was asked how, in one line. Holds the model's name and a granularity's pattern, as they are.
pub fn heading(document: &Document) -> String {
    let settings = &document.explanation.settings;
    let suppression = &settings.suppression;
    let mut parts = vec![document.model.name.clone(), format!("{}, factor {}", suppression.operator, suppression.factor)];
    match suppression.threshold {
        Some(Threshold::Cosine(least)) => parts.push(format!("neighbours from similarity {least}")),
        Some(Threshold::Quantile(part)) => parts.push(format!("neighbours from the {part} quantile of similarities")),
        None => {}
    }
    if let Some([first, end]) = suppression.layers {
        parts.push(format!("layers {first}..{end}"));
    }
    parts.push(granularity(document));
    parts.join(" · ")
}

/// How the text is divided: `13 units, each a token`.
fn granularity(document: &Document) -> String {
    let explanation = &document.explanation;
    let (of_pictures, of_text): (Vec<usize>, Vec<usize>) =
        explanation.leaves().into_iter().partition(|leaf| explanation.units.get(*leaf).is_some_and(|unit| unit.image.is_some()));
    if of_pictures.is_empty() {
        return granularity_of_text(explanation, of_text.len());
    }
    let size = match explanation.settings.image_granularity {
        ImageGranularity::Patch => "each a patch".to_owned(),
        ImageGranularity::Whole => "each a picture".to_owned(),
        blocks => format!("each {blocks} patches"),
    };
    let pictures = if explanation.images.len() == 1 { "picture" } else { "pictures" };
    format!("{}, and {} of the {pictures}, {size}", granularity_of_text(explanation, of_text.len()), of_pictures.len())
}

fn granularity_of_text(explanation: &Explanation, n_units: usize) -> String {
    let units = count(n_units, "unit");
    match &explanation.granularity {
        Granularity::Token | Granularity::Word | Granularity::Sentence | Granularity::Paragraph
            if explanation.settings.refine.is_none() =>
        {
            format!("{units}, each a {}", explanation.granularity)
        }
        Granularity::Given(_) => format!("{units}, as given"),
        Granularity::Auto => units,
        other if explanation.settings.refine.is_some() => format!("{units}, refined from {other}"),
        other => format!("{units}, {other}"),
    }
}

/// That something is missing, if so.
pub fn partial(explanation: &Explanation) -> Option<String> {
    let done = explanation.relevance.iter().flatten().count();
    let all = explanation.units.len();
    let noise = if explanation.noise_floor.is_none() { " Its noise floor is not known yet." } else { "" };
    explanation.partial.then(|| format!("Partial: {done} of {all} units were computed before it was stopped.{noise}"))
}

/// What whoever reads it has to know of the prompt, a sentence each. They hold what the prompt says.
pub fn notices(explanation: &Explanation) -> impl Iterator<Item = String> {
    explanation.notices.iter().map(|notice| one_line(&notice.text))
}

/// What was the same in every run, in one line: `chat template, system message, 2 earlier turns; 12 of 40 prompt tokens are
/// eligible (system, user), the others are held fixed in rankings and removals`.
pub fn held(explanation: &Explanation) -> String {
    let held = &explanation.held;
    let mut parts = vec![if held.frame.chat_template { "chat template" } else { "no chat template" }.to_owned()];
    let turns = &held.frame.turns;
    if turns.iter().any(|turn| turn.role == Role::System) {
        parts.push("system message".to_owned());
    }
    let n_turns = turns.iter().filter(|turn| turn.role != Role::System).count();
    if n_turns > 1 {
        parts.push(count(n_turns - 1, "earlier turn"));
    }
    let roles = pieces::roles(explanation).iter().map(Role::to_string).collect::<Vec<_>>().join(", ");
    let roles = if roles.is_empty() { roles } else { format!(" ({roles})") };
    let (eligible, all) = (held.n_eligible(), explanation.prompt.tokens.len());
    format!("{}; {eligible} of {} eligible{roles}", parts.join(", "), count(all, "prompt token"))
}

/// Which program made it: `AtMan 0.1.0`. Holds the version as it is.
pub fn program(document: &Document) -> String {
    let version = if document.version.is_empty() { "of unknown version" } else { &document.version };
    format!("AtMan {version}")
}

/// What is to be said of a unit beside its score.
pub fn marks(explanation: &Explanation, unit: &Unit) -> Vec<String> {
    let mut marks = Vec::new();
    if unit.sink {
        marks.push("template or first".to_owned());
    }
    if unit.control {
        marks.push("control token, typed".to_owned());
    }
    if unit.source == Source::Target {
        marks.push("in the answer".to_owned());
    }
    // Where only one has words, there is nothing to tell apart.
    marks.extend(unit.role.filter(|_| pieces::roles(explanation).len() > 1).map(|role| role.to_string()));
    marks
}

/// What a hue says about a unit, in one sentence.
pub fn meaning(document: &Document, scale: &Scale) -> &'static str {
    match document.explanation.settings.postprocessing {
        _ if document.looked_at_contrast().is_some() => {
            "Blue speaks for the answer: with that part damped, the alternative gains on it. Orange speaks for the alternative."
        }
        _ if scale.signed => {
            "Blue supports the answer: with that part damped, the answer becomes less likely. Orange speaks against it."
        }
        Postprocessing::MinMax => {
            "The stronger the blue, the more a part supports the answer, from the least (0) to the most (1)."
        }
        _ => "The stronger the blue, the more a part changes how likely the answer is, in whichever direction.",
    }
}

/// How much colour is how much, in sentences.
pub fn legend(scale: &Scale) -> Vec<String> {
    let plus_minus = if scale.signed { "±" } else { "" };
    let limit = scale.measure.of(scale.limit);
    let mut lines = vec![match (scale.known, scale.limit) {
        (0, _) => "No part has a score yet.".to_owned(),
        (_, 0.0) => "All scores are 0.".to_owned(),
        (_, size) if scale.noise.is_some_and(|noise| size <= noise) => "All scores lie within the noise floor.".to_owned(),
        (_, size) if scale.signed && size < ROUNDS_TO_ZERO => "All scores round to zero.".to_owned(),
        _ if scale.clipped == 0 => format!("Full colour is {plus_minus}{limit}, the strongest score in the prompt."),
        _ => format!(
            "Full colour is {plus_minus}{limit}; scores beyond are clipped ({}); at least {:.0} % of the prompt's units lie within.",
            count(scale.clipped, "unit"),
            scale.quantile * 100.0
        ),
    }];
    if let Some(noise) = scale.noise.filter(|noise| *noise > 0.0) {
        lines.push(format!("· marks scores within the noise floor of {}.", scale.measure.of(noise)));
    }
    lines
}

/// Which picture this is: `image 1, cat.png, 64 × 64 pixels`. Holds the picture's name.
pub fn picture(picture: &ShownPicture<'_>) -> String {
    let info = picture.info;
    let name = if info.name.is_empty() { String::new() } else { format!("{}, ", one_line(&info.name)) };
    format!("image {}, {name}{} × {} pixels", picture.image.saturating_add(1), info.width_px, info.height_px)
}

/// Where the strongest part of a picture is, for those who do not see it: `strongest: row 3, column 4, +1.230 nats`. Holds the
/// name of a unit.
pub fn strongest_part(picture: &ShownPicture<'_>, scores: &[Option<f32>], scale: &Scale) -> String {
    let Some((part, score)) = picture.strongest(scores) else { return "no part has a score".to_owned() };
    let number = if scale.signed { signed(score) } else { short(score) };
    let within = if scale.is_noise(score) { ", within the noise floor" } else { "" };
    let amount = format!("{number} {}", scale.measure.name());
    format!("strongest: {}, {}{within}", place(picture, part.unit), amount.trim_end())
}

/// Where a part of a picture is: its name without that of the picture. Holds the name of a unit.
pub fn place(picture: &ShownPicture<'_>, unit: &Unit) -> String {
    let whole = format!("image {}", picture.image.saturating_add(1));
    match unit.text.strip_prefix(&whole) {
        Some("") => "all of it".to_owned(),
        Some(rest) => one_line(rest.trim_start_matches(", ")),
        None => one_line(&unit.text),
    }
}

/// How likely the answer was: `probability 0.53, log-probability -0.634 nats`. `None` where tokens lack it.
pub fn likelihood(document: &Document) -> Option<String> {
    let tokens = document.explanation.target.tokens.get(document.span_tokens())?;
    let log_prob: f32 = tokens.iter().map(|token| token.log_prob).sum::<Option<f32>>()?;
    Some(format!("probability {}, log-probability {} nats", probability(log_prob.exp()), signed(log_prob)))
}

/// What is explained, as one line without control tokens and spaces around it. Holds the target.
pub fn answer(explanation: &Explanation) -> String {
    written(&explanation.target)
}

/// What a contrast asks. Holds the target and the alternative.
pub fn contrast(explanation: &Explanation, contrast: &Contrast) -> String {
    format!("Why “{}” rather than “{}”?", answer(explanation), alternative(contrast))
}

/// What might have been written instead, as one line without control tokens and spaces around it. Holds the alternative.
pub fn alternative(contrast: &Contrast) -> String {
    written(&contrast.alternative)
}

fn written(text: &Text) -> String {
    let tokens = text.tokens.iter().filter(|token| token.kind != TokenKind::Special && token.end_byte > token.start_byte);
    let mut reached = 0;
    let mut written = String::new();
    for token in tokens {
        written.push_str(text.text.get(token.start_byte.max(reached)..token.end_byte).unwrap_or_default());
        reached = token.end_byte;
    }
    one_line(written.trim())
}

/// How decided the model was between the two.
pub fn log_odds(contrast: &Contrast) -> String {
    let Some(odds) = contrast.log_odds_nats else {
        return "How much likelier the answer is than the alternative there was not computed.".to_owned();
    };
    let times = short(odds.abs().exp());
    if odds.abs() < 0.005 {
        return "The answer is as likely as the alternative there (log-odds 0.00 nats).".to_owned();
    }
    let than = if odds < 0.0 { "less likely than" } else { "as likely as" };
    format!("The answer is {times} times {than} the alternative there (log-odds {odds:+.2} nats).")
}

/// What it took, in one line. Holds the device's description, as it is.
pub fn cost(document: &Document) -> String {
    let cost = &document.explanation.cost;
    let share = cost.rows as f64 / cost.full_recompute_rows.max(1) as f64 * 100.0;
    format!(
        "{} of {} rows computed ({share:.0} %), {}, at most {} beside the weights, on {}",
        cost.rows,
        cost.full_recompute_rows,
        seconds(cost.seconds),
        bytes(cost.peak_bytes),
        document.device
    )
}
