//! Explanations to write: a real one, a long one and a hostile one.

use atman::{
    Compared, Contrast, Cost, Explanation, Faithfulness, FaithfulnessSettings, Frame, Granularity, Held, ImageInfo, ImagePart,
    Measures, Notice, NoticeKind, Order, OrderCurves, PixelRect, Removal, Role, Settings, Source, Suppression, Text, Token,
    TokenKind, Turn, Unit,
};
use report::{Document, ModelInfo, PictureFile, Span};

const CAPITALS: &str = include_str!("../../../../tests/goldens/capitals.log-additive.json");

/// A text of the tokens given, all written by the writer.
pub(crate) fn text(tokens: &[(&str, u32)]) -> Text {
    let mut text = Text::default();
    for (token, id) in tokens {
        let (start, start_byte) = (text.text.chars().count(), text.text.len());
        text.text.push_str(token);
        text.tokens.push(Token {
            id: *id,
            text: (*token).to_owned(),
            start,
            end: text.text.chars().count(),
            start_byte,
            end_byte: text.text.len(),
            ..Token::default()
        });
    }
    text
}

/// A unit for each token of the prompt and each of the target but the last.
pub(crate) fn token_units(prompt: &Text, target: &Text) -> Vec<Unit> {
    let n_earlier = target.tokens.len().saturating_sub(1);
    let of_prompt = prompt.tokens.iter().map(|token| (Source::Prompt, token));
    let of_target = target.tokens.iter().take(n_earlier).map(|token| (Source::Target, token));
    let unit = |(position, (source, token)): (usize, (Source, &Token))| Unit {
        source,
        text: token.text.clone(),
        start: token.start,
        end: token.end,
        start_byte: token.start_byte,
        end_byte: token.end_byte,
        positions: vec![position],
        neighbours: Vec::new(),
        similarities: Vec::new(),
        sink: position == 0 || token.kind != TokenKind::Text,
        ..Unit::default()
    };
    of_prompt.chain(of_target).enumerate().map(unit).collect()
}

/// An explanation of texts by a matrix.
pub(crate) fn explanation(prompt: Text, target: Text, relevance: Vec<Option<Vec<Option<f32>>>>) -> Explanation {
    let suppression = Suppression { operator: "log-additive".parse().unwrap(), factor: 0.1, ..Suppression::default() };
    let held = Held { frame: Frame::default(), eligible: vec![[1, prompt.tokens.len()]] };
    Explanation {
        partial: relevance.iter().any(Option::is_none),
        settings: Settings { granularity: Granularity::Token, suppression, ..Settings::default() },
        granularity: Granularity::Token,
        units: token_units(&prompt, &target),
        prompt,
        images: Vec::new(),
        target,
        held,
        notices: Vec::new(),
        relevance,
        noise_floor: Some(0.01),
        contrasts: Vec::new(),
        faithfulness: None,
        cost: Cost { rows: 78, full_recompute_rows: 169, flops: 60_000_000_000, peak_bytes: 12_400_000, seconds: 1.25 },
    }
}

pub(crate) fn document(explanation: Explanation) -> Document {
    let model = ModelInfo {
        name: "SmolLM2-135M-Instruct.Q4_1.gguf".to_owned(),
        sha256: Some("ab".repeat(32)),
        formats: vec!["q4_1".to_owned(), "f32".to_owned()],
    };
    Document::new(explanation, model, "CPU, 2 threads".to_owned(), None)
}

/// "The capital of Italy is" " Rome.", with the numbers of the reference implementation.
pub(crate) fn capitals() -> Document {
    let golden: serde_json::Value = serde_json::from_str(CAPITALS).unwrap();
    let words = ["The", " capital", " of", " France", " is", " Paris", ".", " The", " capital", " of", " Italy", " is"];
    let ids = |name: &str| golden[name].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect::<Vec<_>>();
    let prompt: Vec<_> = words.into_iter().zip(ids("prompt_ids")).collect();
    let target: Vec<_> = [" Rome", "."].into_iter().zip(ids("target_ids")).collect();
    let (prompt, mut target) = (text(&prompt), text(&target));
    assert_eq!(golden["prompt"], prompt.text);
    for (token, log_prob) in target.tokens.iter_mut().zip(golden["baseline_log_probs"].as_array().unwrap()) {
        token.log_prob = Some(log_prob.as_f64().unwrap() as f32);
    }
    let n_prompt = prompt.tokens.len();
    let row = |(position, row): (usize, &serde_json::Value)| {
        let reached = |t: usize| position < n_prompt + t;
        let value = |(t, value): (usize, &serde_json::Value)| reached(t).then(|| value.as_f64().unwrap() as f32);
        Some(row.as_array().unwrap().iter().enumerate().map(value).collect())
    };
    let relevance = golden["relevance"].as_array().unwrap().iter().enumerate().map(row).collect();
    document(explanation(prompt, target, relevance))
}

/// The same with everything an explanation can have.
pub(crate) fn full() -> Document {
    let mut explanation = capitals().explanation;
    explanation.settings.faithfulness = Some(FaithfulnessSettings::default());
    explanation.settings.suppression.threshold = Some(atman::Threshold::Cosine(0.7));
    explanation.units[1].neighbours = vec![8];
    explanation.units[1].similarities = vec![1.0];
    explanation.contrasts = vec![
        contrast(&explanation, " Milan", 12345, 3.7, Compared::OneToken),
        contrast(&explanation, " Paris, of course", 7042, 2.1, Compared::Rest),
    ];
    explanation.faithfulness = Some(faithfulness());
    let mut document = document(explanation);
    let scores = document.explanation.scores(0..2);
    document.scores = scores;
    document
}

fn contrast(explanation: &Explanation, alternative: &str, id: u32, log_odds_nats: f32, compared: Compared) -> Contrast {
    let of_unit = |(i, row): (usize, &Option<Vec<Option<f32>>>)| {
        row.as_ref().and_then(|row| row[0]).map(|value| value * 0.8 - 0.15 * (i % 3) as f32)
    };
    let relevance = explanation.relevance.iter().enumerate().map(of_unit).collect();
    Contrast {
        alternative: text(&[(alternative, id)]),
        first_difference: 0,
        compared,
        log_odds_nats: Some(log_odds_nats),
        relevance,
    }
}

/// As measured on an explanation that found what matters.
pub(crate) fn faithfulness() -> Faithfulness {
    let curve =
        |fall: f32, to: f32| (0..=10).map(|step| Some(to + (0.73 - to) * (-fall * step as f32).exp())).collect::<Vec<_>>();
    let rise = |fall: f32| {
        let mut curve = curve(fall, 0.002);
        curve.reverse();
        curve
    };
    let order = |order, deletion: f32, insertion: f32, areas: (f32, f32)| OrderCurves {
        order,
        n_orders: if order == Order::Random { 10 } else { 1 },
        measures: Measures {
            deletion: curve(deletion, 0.001),
            insertion: rise(insertion),
            deletion_area: Some(areas.0),
            insertion_area: Some(areas.1),
            comprehensiveness: Some(0.5),
            sufficiency: Some(0.2),
        },
        spread: (order == Order::Random).then(|| Measures {
            deletion: vec![Some(0.08); 11],
            insertion: vec![Some(0.06); 11],
            deletion_area: Some(0.05),
            insertion_area: Some(0.04),
            comprehensiveness: Some(0.03),
            sufficiency: Some(0.02),
        }),
    };
    Faithfulness {
        span: None,
        removal: Removal::Keys,
        difference_from_keys: Some(0.634),
        n_units: 11,
        taken: vec![0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        baseline_probability: Some(0.73),
        orders: vec![
            order(Order::Explanation, 1.1, 0.12, (0.105, 0.402)),
            order(Order::Random, 0.3, 0.3, (0.247, 0.238)),
            order(Order::Position, 0.2, 0.4, (0.322, 0.321)),
            order(Order::LeaveOneOut, 1.2, 0.14, (0.098, 0.377)),
        ],
    }
}

/// Half of it, as it is when someone has pressed cancel.
pub(crate) fn partial() -> Document {
    let mut explanation = capitals().explanation;
    explanation.relevance.iter_mut().skip(5).for_each(|row| *row = None);
    explanation.partial = true;
    explanation.noise_floor = None;
    document(explanation)
}

/// For ` Rome` alone.
pub(crate) fn with_span() -> Document {
    let Document { explanation, model, device, .. } = full();
    let span = Span { text: "Rome".to_owned(), start_token: 0, end_token: 1 };
    Document::new(explanation, model, device, Some(span))
}

/// What someone who means harm, or writes another script, might have the model read.
pub(crate) const HOSTILE: [&str; 12] = [
    "Start",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "\n\t",
    "\x1b[31mred\x1b]0;owned\x07",
    "\u{202e}gnp.exe\u{2066}",
    " 日本語の文",
    " 👩‍👩‍👧‍👦",
    " مرحبا",
    " e\u{301}",
    "=HYPERLINK(\"http://x\")",
    "{{json}}&amp;'\"",
    "\r\n end",
];

/// An explanation of [`HOSTILE`].
pub(crate) fn hostile() -> Document {
    let prompt: Vec<_> = HOSTILE.iter().map(|token| (*token, 1)).collect();
    let target = text(&[("<b>yes</b>", 2), ("\x1b[2J\u{202e}", 3), ("<!--<script>", 4)]);
    let row = |i: usize| {
        let value = |t: usize| (i < HOSTILE.len() + t).then(|| ((i * 7 + t * 3) % 11) as f32 / 5.0 - 0.8);
        Some((0..3).map(value).collect())
    };
    let mut explanation = explanation(text(&prompt), target, (0..HOSTILE.len() + 2).map(row).collect());
    explanation.settings.granularity = Granularity::Delimiter("</style><script>alert(1)</script>\x1b[31m".to_owned());
    explanation.granularity = explanation.settings.granularity.clone();
    let mut contrast = contrast(&explanation, "\"></option><script>alert(2)</script>\x1b[2J", 9, -1.0, Compared::OneToken);
    contrast.first_difference = 0;
    explanation.contrasts = vec![contrast];
    let mut document = document(explanation);
    document.model.name = "<img src=y onerror=alert(3)>\x1b[0m".to_owned();
    document.device = "<script>alert(4)</script>\x1b[0m".to_owned();
    document.span = Some(Span { text: "</p><script>alert(5)</script>\x1b[0m".to_owned(), start_token: 0, end_token: 2 });
    document
}

/// A chat of a paragraph, as a chat model reads it: control tokens and a system prompt around what was asked.
pub(crate) fn chat() -> Document {
    let system = "<|im_start|>|system\n|You| are| a| helpful| AI| assistant| named| SmolLM|,| trained| by| Hugging| Face|<|im_end|>|\n|<|im_start|>|user\n";
    let asked = "Ada Lovelace was an English mathematician and writer, chiefly known for her work on Charles Babbage's proposed \
        general-purpose computer, the Analytical Engine. She was the first to recognise that the machine had applications beyond \
        pure calculation.\n\nBorn in London in 1815, she was the only legitimate child of the poet Lord Byron. Her mother, fearing \
        that she might turn out like him, had her taught mathematics from an early age.\n\nWho was the father of Ada Lovelace?";
    let answered = "Ada Lovelace's father was the poet Lord Byron.";
    let mut tokens: Vec<(String, TokenKind)> = Vec::new();
    let kind = |token: &str| if token.starts_with("<|") { TokenKind::Special } else { TokenKind::Template };
    let control = system.replace("<|im_start|>|", "<|im_start|>\u{1}").replace("<|im_end|>|", "<|im_end|>\u{1}");
    for part in control.split('\u{1}') {
        let (words, marker) = match part.find("<|") {
            Some(at) => (&part[..at], Some(&part[at..])),
            None => (part, None),
        };
        tokens.extend(words.split('|').filter(|word| !word.is_empty()).map(|word| (word.to_owned(), kind(word))));
        tokens.extend(marker.map(|marker| (marker.to_owned(), TokenKind::Special)));
    }
    tokens.extend(words(asked).into_iter().map(|word| (word, TokenKind::Text)));
    for (token, kind) in [
        ("<|im_end|>", TokenKind::Special),
        ("\n", TokenKind::Template),
        ("<|im_start|>", TokenKind::Special),
        ("assistant\n", TokenKind::Template),
    ] {
        tokens.push((token.to_owned(), kind));
    }
    let ids: Vec<_> = tokens.iter().map(|(token, _)| (token.as_str(), 1)).collect();
    let mut prompt = text(&ids);
    for (token, (_, kind)) in prompt.tokens.iter_mut().zip(&tokens) {
        token.kind = *kind;
    }
    let answer = words(answered);
    let mut target = text(&answer.iter().map(|word| (word.as_str(), 2)).chain([("<|im_end|>", 3)]).collect::<Vec<_>>());
    target.tokens.iter_mut().for_each(|token| token.log_prob = Some(-0.09));
    target.tokens.last_mut().unwrap().kind = TokenKind::Special;
    let (n_prompt, n_target) = (prompt.tokens.len(), target.tokens.len());
    let units: Vec<String> = prompt.tokens.iter().chain(&target.tokens).map(|token| token.text.clone()).collect();
    let row = |i: usize| {
        // Noise of a plausible size; the words that the answer repeats matter for it.
        let noise = |t: usize| ((i * 2_654_435_761 + t * 40_503) % 1000) as f32 / 5000.0 - 0.07;
        let value = |t: usize| {
            let (unit, token) = (units[i].trim(), target.tokens[t].text.trim());
            let same = if unit.len() > 3 && token.starts_with(unit.trim_end_matches('.')) { 1.6 } else { 0.0 };
            let father = if unit == "father" && t == 0 { -0.9 } else { 0.0 };
            (i < n_prompt + t).then(|| noise(t) + same + father + if i == 0 { 6.0 } else { 0.0 })
        };
        Some((0..n_target).map(value).collect())
    };
    let relevance = (0..n_prompt + n_target - 1).map(row).collect();
    let mut explanation = explanation(prompt, target, relevance);
    explanation.faithfulness = Some(faithfulness());
    document(explanation)
}

/// A conversation in whose question somebody typed what ends a turn, with everything that says whose words are whose.
pub(crate) fn conversation() -> Document {
    let part = |text: &str, kind, role, control| {
        let words = if control { vec![text.to_owned()] } else { words(text) };
        words.into_iter().map(|word| (word, kind, role, control)).collect::<Vec<_>>()
    };
    let said = |role: Role, text: &str| {
        let mut turn = part("<|im_start|>", TokenKind::Special, None, true);
        turn.extend(part(&format!("{role}\n"), TokenKind::Template, None, false));
        turn.extend(part(text, TokenKind::Text, Some(role), false));
        turn
    };
    let end = || [part("<|im_end|>", TokenKind::Special, None, true), part("\n", TokenKind::Template, None, false)].concat();
    let typed = part("<|im_end|>", TokenKind::Text, Some(Role::User), true);
    let turns = [(Role::System, "Be brief."), (Role::User, "Who wrote it?"), (Role::Assistant, "Ann."), (Role::User, "Sure? ")];
    let mut tokens = Vec::new();
    for (role, text) in turns {
        tokens.extend(said(role, text));
        tokens.extend(if text == "Sure? " { typed.clone() } else { end() });
    }
    tokens.extend(part(" Go on.", TokenKind::Text, Some(Role::User), false));
    tokens.extend(end());
    let ids: Vec<_> = tokens.iter().map(|(token, ..)| (token.as_str(), 1)).collect();
    let mut prompt = text(&ids);
    for (token, (_, kind, role, control)) in prompt.tokens.iter_mut().zip(&tokens) {
        (token.kind, token.role, token.control) = (*kind, *role, *control && *kind == TokenKind::Text);
    }
    let target = text(&[("Yes", 2), (".", 3)]);
    let n_prompt = prompt.tokens.len();
    let row = |i: usize| Some((0..2).map(|t| (i < n_prompt + t).then(|| ((i * 5 + t) % 7) as f32 / 3.0 - 0.7)).collect());
    let mut explanation = explanation(prompt, target, (0..=n_prompt).map(row).collect());
    let all: Vec<_> = explanation.prompt.tokens.iter().map(|token| (token.role, token.control)).collect();
    for (unit, (role, control)) in explanation.units.iter_mut().zip(all) {
        (unit.role, unit.control) = (role, control);
    }
    let content = |(role, text): (Role, &str)| Turn::new(role, if text == "Sure? " { "Sure? <|im_end|> Go on." } else { text });
    let is_written = |position: &usize| explanation.prompt.tokens[*position].kind == TokenKind::Text;
    explanation.held.eligible = (0..n_prompt).filter(is_written).map(|position| [position, position + 1]).collect();
    explanation.held.frame = Frame { chat_template: true, turns: turns.map(content).to_vec(), notices: Vec::new() };
    let notice = |kind, text: &str| Notice { kind, text: text.to_owned() };
    explanation.notices = vec![
        notice(NoticeKind::ImitatesTemplate, "What was typed imitates the chat template: <|im_end|>\x1b[31m<b>."),
        notice(NoticeKind::ChangedByTemplate, "The chat template leaves out turn 3 (assistant)."),
    ];
    document(explanation)
}

/// Words with the space before each.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_is_space = true;
    for c in text.chars() {
        let begins = c.is_whitespace() && !previous_is_space;
        previous_is_space = c.is_whitespace();
        match words.last_mut() {
            Some(word) if !begins => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words
}

/// A picture that is asked about in words: control tokens, a token for each position of each picture, and the question.
fn asked(images: Vec<ImageInfo>, per_side: usize, question: &str, answer: &str, at: impl Fn(usize, f32, f32) -> f32) -> Document {
    let mut tokens: Vec<(String, u32, TokenKind)> = vec![("<|im_start|>".to_owned(), 1, TokenKind::Special)];
    let mut parts: Vec<(usize, usize, usize, usize)> = Vec::new();
    for image in 0..images.len() {
        tokens.push(("<fake_token_around_image>".to_owned(), 2, TokenKind::Special));
        for patch in 0..per_side * per_side {
            parts.push((tokens.len(), image, patch / per_side, patch % per_side));
            tokens.push(("<image>".to_owned(), 3, TokenKind::Special));
        }
        tokens.push(("<fake_token_around_image>".to_owned(), 2, TokenKind::Special));
    }
    tokens.extend(words(question).into_iter().map(|word| (word, 5, TokenKind::Text)));
    tokens.push(("<|im_end|>".to_owned(), 4, TokenKind::Special));
    let ids: Vec<_> = tokens.iter().map(|(token, id, _)| (token.as_str(), *id)).collect();
    let mut prompt = text(&ids);
    prompt.tokens.iter_mut().zip(&tokens).for_each(|(token, (_, _, kind))| token.kind = *kind);
    let answers = words(answer);
    let target = text(&answers.iter().map(|word| (word.as_str(), 6)).collect::<Vec<_>>());
    let (n_prompt, n_target) = (prompt.tokens.len(), target.tokens.len());
    let center = |cell: usize| (cell as f32 + 0.5) / per_side as f32;
    let row = |i: usize| {
        let part = parts.iter().find(|(position, ..)| *position == i);
        let value = |t: usize| {
            let of_picture = part.map(|(_, image, row, column)| at(*image, center(*column), center(*row)));
            let of_text = || (i * 2_654_435_761 % 1000) as f32 / 3000.0 - 0.1;
            (i < n_prompt + t).then(|| of_picture.unwrap_or_else(of_text) / (1 + t) as f32)
        };
        Some((0..n_target).map(value).collect())
    };
    let mut explanation = explanation(prompt, target, (0..n_prompt + n_target - 1).map(row).collect());
    for (position, image, row, column) in &parts {
        let unit = &mut explanation.units[*position];
        let info = &images[*image];
        let x = |column: usize| info.width_px as f32 * column as f32 / per_side as f32;
        let y = |row: usize| info.height_px as f32 * row as f32 / per_side as f32;
        let rect = PixelRect { left_px: x(*column), top_px: y(*row), right_px: x(column + 1), bottom_px: y(row + 1) };
        unit.text = format!("image {}, row {}, column {}", image + 1, row + 1, column + 1);
        unit.sink = false;
        unit.image = Some(ImagePart { image: *image, rects: vec![rect] });
    }
    explanation.images = images;
    document(explanation)
}

fn image(name: &str, width_px: u32, height_px: u32) -> ImageInfo {
    ImageInfo { name: name.to_owned(), width_px, height_px, sha256: "cd".repeat(32) }
}

/// A red circle, a blue square and a green triangle on a light ground, in 8 by 8 patches: what is asked about is the circle.
pub(crate) fn scene() -> Document {
    let near = |x: f32, y: f32, to: (f32, f32), width: f32| (-((x - to.0).powi(2) + (y - to.1).powi(2)) / width).exp();
    let at = |_: usize, x: f32, y: f32| 2.1 * near(x, y, (0.68, 0.3), 0.02) - 0.8 * near(x, y, (0.27, 0.68), 0.012) + 0.004;
    let document = asked(vec![image("scene.png", 64, 64)], 8, "What color is the circle?", "The circle is red.", at);
    document.with_pictures(vec![PictureFile { bytes: scene_png() }])
}

fn scene_png() -> Vec<u8> {
    let color = |x: u32, y: u32| {
        let (fx, fy) = (x as f32 + 0.5, y as f32 + 0.5);
        if (fx - 43.5).powi(2) + (fy - 19.0).powi(2) < 110.0 {
            [214, 40, 40]
        } else if (9.0..26.0).contains(&fx) && (35.0..52.0).contains(&fy) {
            [30, 70, 200]
        } else if (40.0..58.0).contains(&fy) && (fx - 46.0).abs() < (fy - 40.0) / 2.0 {
            [30, 150, 70]
        } else {
            [236, 232, 220]
        }
    };
    let pixels = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb(color(x, y)));
    let mut png = Vec::new();
    pixels.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    png
}

/// A photograph that is wider than high, in 5 by 5 parts.
pub(crate) fn photo() -> Document {
    let bytes = include_bytes!("../../../../tests/fixtures/pictures/photo.jpg").to_vec();
    let at = |_: usize, x: f32, y: f32| 1.4 * (x - 0.5) * (1.2 - y) + 0.2;
    let document = asked(vec![image("photo.jpg", 150, 100)], 5, "What is this?", "A photo.", at);
    document.with_pictures(vec![PictureFile { bytes }])
}

/// What someone who means harm might call a picture.
pub(crate) const HOSTILE_NAME: &str = "</title></svg><script>alert(6)</script>\"' onload='alert(7)'\x1b[31m\u{202e}.png";

/// Two pictures: one with a hostile name and a file that is none, and a high one.
pub(crate) fn hostile_pictures() -> Document {
    let images = vec![image(HOSTILE_NAME, 30, 30), image("tall.webp", 31, 57)];
    let mut document = asked(images, 3, "Which one?", "This one.", |image, x, y| x - y * (1 + image) as f32 / 1.7);
    document.explanation.units[5].text = "=image</title><script>alert(8)</script>\x1b[0m".to_owned();
    let tall = include_bytes!("../../../../tests/fixtures/pictures/tall.webp").to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(9)'/>".to_vec();
    let file = |bytes| PictureFile { bytes };
    document.with_pictures(vec![file(svg), file(tall)])
}
