//! A picture of an explanation: the prompt's pictures, the tinted prompt, the answer and the legend.

mod pictures;

pub(crate) use pictures::FADED;

use crate::clean::{clean, escaped, one_line};
use crate::layout::{Run, lines};
use crate::pieces::{self, Piece};
use crate::scale::{Rgb, WHITE, text_on};
use crate::{Document, Scale, Side, amount, words};
use std::fmt::Write;
use std::ops::Range;

/// Characters in a line.
const COLUMNS: usize = 72;
/// Pixels of a cell; each stretch of text is stretched or squeezed to its cells, whatever font the viewer has.
const CELL: f32 = 9.0;
const LINE: f32 = 26.0;
const MARGIN: f32 = 32.0;
const WIDTH: f32 = COLUMNS as f32 * CELL + 2.0 * MARGIN;

/// A document as a standalone SVG.
pub fn svg(document: &Document) -> String {
    let explanation = &document.explanation;
    let scale = Scale::of(document);
    let mut picture = Picture { body: String::new(), y: MARGIN };
    picture.sentence("heading", &one_line(&words::heading(document)));
    if let Some(partial) = words::partial(&document.explanation) {
        picture.sentence("note", &partial);
    }
    for notice in words::notices(explanation) {
        picture.sentence("note", &notice);
    }
    picture.pictures(document, &scale);
    picture.title("Prompt");
    picture.text(&pieces::of_prompt(explanation), &document.scores, &scale, 0..0);
    picture.title("Answer");
    let span = if document.span.is_some() { document.span_tokens() } else { 0..0 };
    picture.text(&pieces::of_target(explanation), &document.scores, &scale, span);
    for note in [words::target_cut(document), words::looked_at(document)].into_iter().flatten() {
        picture.sentence("note", &note);
    }
    picture.y += LINE / 2.0;
    picture.swatch(&scale, words::sides(document));
    for line in std::iter::once(words::meaning(document, &scale).to_owned()).chain(legend(&scale)) {
        picture.sentence("note", &line);
    }
    picture.sentence("note", &format!("{}; {}", one_line(&words::program(document)), words::held(explanation)));
    let height = picture.y + MARGIN - LINE / 2.0;
    let title = words::title(document);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n{STYLE}\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}</svg>\n",
        escaped(&title),
        escaped(&description(document, &scale)),
        picture.body
    )
}

const STYLE: &str = "<style>text{font:15px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}\
    .heading,.note,.title{font:14px system-ui,'Helvetica Neue',Arial,sans-serif;fill:#555}.heading{fill:#222}\
    .title{font-weight:600;fill:#222}</style>";

/// The legend, with what marks noise in pictures.
fn legend(scale: &Scale) -> Vec<String> {
    let mut lines: Vec<String> =
        words::legend(scale).into_iter().map(|line| line.replacen("· marks", "A dotted line marks", 1)).collect();
    if scale.signed {
        lines.push("A dashed line marks what speaks against the answer.".to_owned());
    }
    lines
}

/// The strongest units in words, for those who do not see the picture.
fn description(document: &Document, scale: &Scale) -> String {
    let explanation = &document.explanation;
    let scored = explanation.leaves().into_iter().filter_map(|i| {
        let unit = explanation.units.get(i).filter(|unit| !unit.sink)?;
        Some((unit, document.scores.get(i).copied().flatten()?))
    });
    let mut scored: Vec<_> = scored.collect();
    scored.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    let name = scale.measure.name();
    let strongest: Vec<String> = scored
        .iter()
        .take(5)
        .map(|(unit, score)| format!("“{}” {} {name}", one_line(pieces::name(explanation, unit).trim()), amount::signed(*score)))
        .collect();
    format!("Prompt: {} The strongest parts: {}.", one_line(&pieces::prompt_text(explanation)), strongest.join(", "))
}

#[derive(Debug)]
struct Picture {
    body: String,
    /// Top of the next line.
    y: f32,
}

impl Picture {
    fn title(&mut self, title: &str) {
        self.y += LINE / 2.0;
        self.sentence("title", title);
    }

    /// A sentence in the proportional font, wrapped early enough for any.
    fn sentence(&mut self, class: &str, text: &str) {
        let piece = Piece { text: clean(text).into_owned(), ..Piece::default() };
        for line in lines(&[piece], COLUMNS + 8) {
            let text: String = line.iter().map(|run| escaped(&run.text)).collect();
            let baseline = self.y + 16.0;
            self.put(&format!("<text class=\"{class}\" x=\"{MARGIN}\" y=\"{baseline}\">{text}</text>"));
            self.y += LINE - 4.0;
        }
    }

    /// A text in the colours of its units; target tokens of `span` underlined.
    fn text(&mut self, pieces: &[Piece], scores: &[Option<f32>], scale: &Scale, span: Range<usize>) {
        for line in lines(pieces, COLUMNS) {
            let mut x = MARGIN;
            for run in &line {
                if let Some(piece) = pieces.get(run.piece) {
                    let score = piece.unit.filter(|_| !piece.sink).and_then(|unit| scores.get(unit).copied().flatten());
                    self.run(run, x, piece, score, scale);
                    if piece.control {
                        self.line_under(run, x, 23.0, "stroke=\"#888\" stroke-width=\"1\"");
                    }
                    if span.contains(&piece.tokens.start) {
                        self.line_under(run, x, 23.0, "stroke=\"#222\" stroke-width=\"2\"");
                    }
                }
                x += run.cells as f32 * CELL;
            }
            self.y += LINE;
        }
    }

    fn run(&mut self, run: &Run, x: f32, piece: &Piece, score: Option<f32>, scale: &Scale) {
        let width = run.cells as f32 * CELL;
        let background = score.map_or(WHITE, |score| scale.rgb(score));
        if background != WHITE {
            self.rect(x, 22.0, width, background);
        }
        match score {
            Some(score) if scale.is_noise(score) => {
                self.line_under(run, x, 20.5, "stroke=\"#888\" stroke-dasharray=\"1 3\"");
            }
            Some(score) if scale.side(score) == Side::Against => {
                self.line_under(run, x, 20.5, "stroke=\"#a04600\" stroke-dasharray=\"5 3\"");
            }
            _ => {}
        }
        if run.cells == 0 || run.text.trim().is_empty() {
            return;
        }
        let ink = if piece.sink { [118; 3] } else { text_on(background) };
        let (baseline, ink, text) = (self.y + 16.0, hex(ink), escaped(&run.text));
        self.put(&format!(
            "<text x=\"{x}\" y=\"{baseline}\" fill=\"{ink}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\">{text}</text>"
        ));
    }

    fn line_under(&mut self, run: &Run, x: f32, below: f32, stroke: &str) {
        let (y, end) = (self.y + below, x + run.cells as f32 * CELL);
        self.put(&format!("<line x1=\"{x}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" {stroke}/>"));
    }

    fn rect(&mut self, x: f32, height: f32, width: f32, fill: Rgb) {
        let (y, fill) = (self.y, hex(fill));
        self.put(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"));
    }

    /// The scale from one end to the other.
    fn swatch(&mut self, scale: &Scale, [against, supports]: [&str; 2]) {
        const STEPS: i32 = 12;
        let first = if scale.signed { -STEPS } else { 0 };
        let from = if scale.signed { format!("−{} {against}", amount::short(scale.limit)) } else { "0".to_owned() };
        let plus = if scale.signed { "+" } else { "" };
        let supports = if scale.signed { supports } else { "" };
        let to = format!("{plus}{} {} {supports}", amount::short(scale.limit), scale.measure.name());
        let (start, width) = (WIDTH / 2.0 - 135.0, 220.0 / (STEPS - first + 1) as f32);
        let (left, right, baseline) = (start - 10.0, start + 230.0, self.y + 14.0);
        self.put(&format!("<text class=\"note\" x=\"{left}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>", escaped(&from)));
        for (i, step) in (first..=STEPS).enumerate() {
            let color = scale.rgb(step as f32 / STEPS as f32 * scale.limit);
            self.rect(start + i as f32 * width, 18.0, width + 0.5, color);
        }
        self.put(&format!("<text class=\"note\" x=\"{right}\" y=\"{baseline}\">{}</text>", escaped(to.trim())));
        self.y += LINE;
    }

    fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

fn hex(color: Rgb) -> String {
    color.iter().fold("#".to_owned(), |mut hex, channel| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{channel:02x}");
        hex
    })
}
