//! The picture.

use crate::sample;
use report::svg;

#[test]
fn it_shows_text_tints_legend_and_says_what_it_is() {
    let text = svg(&sample::capitals());
    for part in [
        "<title id=\"title\">Why did the model say “Rome.”?</title>",
        "> Italy</text>",
        "strongest score",
        "supports the answer",
        "+1.518",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let [r, g, b] = report::Scale::of(&sample::capitals()).rgb(1000.0);
    assert!(text.contains(&format!("fill=\"#{r:02x}{g:02x}{b:02x}\"")), "the strongest unit is in full colour");
}

#[test]
fn it_shows_the_contrast_that_is_looked_at_and_says_so() {
    let document = sample::full().with_contrast(0);
    let text = svg(&document);
    let strongest = document.scores[10].unwrap();
    for part in ["Why “Rome.” rather than “Milan”?", "speaks for the alternative", &format!("{strongest:+.3}")] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("+1.518"), "that is what the answer alone rests on");
}

#[test]
fn it_says_what_it_was_made_with() {
    let text = svg(&sample::conversation());
    for part in [
        "What was typed imitates the chat template: &lt;|im_end|&gt;\u{fffd}[31m&lt;b&gt;.",
        &format!("AtMan {}; chat template, system message, 2 earlier turns;", report::VERSION),
        "stroke=\"#888\" stroke-width=\"1\"",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn stretches_of_text_are_as_long_as_their_cells() {
    let text = svg(&sample::hostile());
    // A space and five characters of two cells of 9 pixels.
    let wide = text.lines().find(|line| line.contains("> 日本語の文</text>")).unwrap();
    assert!(wide.contains("textLength=\"99\""), "{wide}");
}

#[test]
fn text_is_never_markup() {
    let text = svg(&sample::hostile());
    for forbidden in ["<script", "<img", "<b>", "\x1b", "\u{202e}", "\x07", "onerror=\""] {
        assert!(!text.contains(forbidden), "{forbidden} is in {text}");
    }
    assert!(text.contains("&lt;/script&gt;&lt;img"));
}
