//! Each format says what the document says, and nothing in a document does anything but be shown.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

mod csv;
mod html;
mod pictures;
mod sample;
mod scale;
mod schema;
mod svg;
mod terminal;

use report::{Format, TerminalStyle};

#[test]
fn formats_are_found_by_their_names_and_write_something() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        for document in
            [sample::full(), sample::partial(), sample::hostile(), sample::chat(), sample::scene(), sample::hostile_pictures()]
        {
            assert!(format.write(&document, TerminalStyle::default()).unwrap().len() > 100, "{format}");
        }
    }
    assert!("pdf".parse::<Format>().unwrap_err().to_string().contains("terminal, json, html, svg and csv"));
}

#[test]
fn explanations_of_nothing_can_be_written() {
    let empty = sample::document(sample::explanation(sample::text(&[]), sample::text(&[]), Vec::new()));
    for format in Format::ALL {
        format.write(&empty, TerminalStyle::default()).unwrap();
    }
}

#[test]
fn documents_whose_parts_contradict_each_other_can_be_written() {
    let mut document = sample::full();
    document.scores.truncate(3);
    document.explanation.relevance.truncate(2);
    document.explanation.contrasts[0].relevance.clear();
    document.explanation.units[4].positions = vec![10_000];
    document.explanation.units[5].parent = Some(77);
    document.explanation.prompt.tokens[3].end_byte = 1_000;
    document.explanation.faithfulness.as_mut().unwrap().orders[0].measures.deletion.clear();
    document.span = Some(report::Span { text: String::new(), start_token: 5, end_token: 2 });
    for format in Format::ALL {
        format.write(&document, TerminalStyle::default()).unwrap();
    }
    let mut pictures = sample::hostile_pictures();
    pictures.explanation.images.truncate(1);
    pictures.explanation.units[9].image.as_mut().unwrap().rects.clear();
    pictures.explanation.units[10].image.as_mut().unwrap().rects[0].left_px = f32::NAN;
    pictures.explanation.images[0].width_px = 0;
    pictures.scores.truncate(12);
    for format in [Format::Html, Format::Svg, Format::Csv, Format::Terminal] {
        format.write(&pictures, TerminalStyle::default()).unwrap();
    }
    let style = TerminalStyle { color: report::ColorDepth::TrueColor, width: 1, sinks: true };
    assert!(!report::terminal(&pictures, style).is_empty());
    assert!(!report::terminal(&document, style).is_empty());
}
