//! Text for terminals.

use crate::sample;
use report::{ColorDepth, Document, TerminalStyle, terminal};

fn plain(document: &Document) -> String {
    terminal(document, TerminalStyle::default())
}

fn colored(document: &Document, color: ColorDepth) -> String {
    terminal(document, TerminalStyle { color, width: 80, sinks: false })
}

/// Without the escape sequences for colours and weights, which are all that may be in it.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut rest = parts.next().unwrap().to_owned();
    for part in parts {
        let (codes, text) = part.split_once('m').unwrap();
        assert!(codes.chars().all(|c| c.is_ascii_digit() || c == ';'), "{codes:?} does more than colour");
        rest.push_str(text);
    }
    rest
}

#[test]
fn without_colours_a_table_says_it_all() {
    let text = plain(&sample::full());
    assert!(!text.contains('\x1b'));
    assert!(text.starts_with("SmolLM2-135M-Instruct.Q4_1.gguf · log-additive, factor 0.1"));
    let line = |part: &str| text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} is not in {text}"));
    assert!(line("\" Italy\"").contains("+1.518") && line("\" Italy\"").ends_with("++++++++++++++++++++"));
    assert!(line("\" The\"").contains("+0.027"));
    assert!(line("\"The\"").contains("(template or first)"));
    assert!(line("\" is\"").contains("+0.341"));
    assert!(line("noise floor").contains("0.020 nats"));
    assert!(line("Answer").contains("probability 0.53, log-probability -0.634 nats"));
    assert!(line("rows computed").contains("78 of 169 rows computed (46 %), 1.25 s, at most 12.4 MB"));
}

#[test]
fn whose_words_are_whose_is_told() {
    let document = sample::conversation();
    for color in [ColorDepth::None, ColorDepth::TrueColor] {
        let text = without_colors(&colored(&document, color)).replace('\n', " ");
        for part in [
            "Notice: What was typed imitates the chat template: <|im_end|>\u{fffd}[31m<b>.",
            "Notice: The chat template leaves out turn 3 (assistant).",
            &format!(
                "AtMan {}; chat template, system message, 2 earlier turns; 11 of 31 prompt tokens eligible",
                report::VERSION
            ),
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
    let text = plain(&document);
    let typed = text.lines().find(|line| line.contains("(control token, typed, user)")).unwrap();
    assert!(typed.contains("<|im_end|>") && typed.ends_with(['+', '-']), "its bar is among the others': {typed}");
    assert!(text.contains("(assistant)") && !text.contains("(template or first, "));
    let tinted = colored(&document, ColorDepth::TrueColor);
    assert!(tinted.contains("\x1b[4;38") || tinted.contains("\x1b[4;"), "typed control tokens are underlined");
}

#[test]
fn what_speaks_against_has_a_bar_of_its_own_and_noise_a_mark() {
    let mut document = sample::capitals();
    document.scores[5] = Some(-1.4);
    let text = plain(&document);
    let line = |part: &str| text.lines().find(|line| line.contains(part)).unwrap();
    assert!(line("\" Paris\"").ends_with("-1.400   ------------------"), "{text}");
    let noise: Vec<&str> = text.lines().filter(|line| line.contains('"') && line.contains('·')).collect();
    assert_eq!(noise.len(), 1, "{text}");
    assert!(noise[0].contains("+0.012"), "{text}");
}

#[test]
fn colours_tint_the_prompt_where_it_stands() {
    let text = colored(&sample::capitals(), ColorDepth::TrueColor);
    let scale = report::Scale::of(&sample::capitals());
    let [r, g, b] = scale.rgb_on(scale.limit, [28; 3]);
    assert!(text.contains(&format!("48;2;{r};{g};{b}m Italy")), "{text:?}");
    assert!(without_colors(&text).contains("The capital of France is Paris. The capital of Italy is"));
    assert!(colored(&sample::capitals(), ColorDepth::Ansi256).contains("48;5;"));
    let paper = "\x1b[38;2;138;138;138;48;2;28;28;28mThe";
    assert!(text.contains(paper), "the first position is not tinted: {text:?}");
    let all = terminal(&sample::capitals(), TerminalStyle { color: ColorDepth::TrueColor, width: 80, sinks: true });
    assert!(!all.contains(paper), "{all:?}");
}

#[test]
fn the_chosen_span_is_marked_in_the_answer() {
    let text = colored(&sample::with_span(), ColorDepth::TrueColor);
    let chosen = text.lines().find(|line| line.contains("Rome") && line.contains("\x1b[1;4;")).unwrap();
    assert_eq!(chosen.matches("\x1b[1;4;").count(), 1, "the full stop is not chosen: {chosen:?}");
    assert!(text.contains("“Rome” alone"));
}

#[test]
fn partial_explanations_say_so() {
    assert!(plain(&sample::partial()).contains("Partial: 5 of 13 units"));
    assert!(plain(&sample::partial()).contains("Its noise floor is not known yet."));
    assert!(!plain(&sample::capitals()).contains("Partial"));
    let mut with_noise = sample::partial();
    with_noise.explanation.noise_floor = Some(0.01);
    assert!(plain(&with_noise).contains("Partial") && !plain(&with_noise).contains("not known yet"));
}

#[test]
fn faithfulness_says_of_what_it_is_and_what_was_not_computed() {
    let mut document = sample::full();
    let faithfulness = document.explanation.faithfulness.as_mut().unwrap();
    faithfulness.span = Some([0, 1]);
    faithfulness.n_units = 3;
    faithfulness.taken = vec![0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3];
    faithfulness.removal = atman::Removal::Tokens;
    faithfulness.difference_from_keys = Some(0.004);
    let position = faithfulness.orders.iter_mut().find(|curves| curves.order == atman::Order::Position).unwrap();
    position.measures.deletion_area = None;
    document.explanation.contrasts[0].log_odds_nats = None;
    let text = plain(&document).replace('\n', " ");
    for part in [
        "the 1 most relevant of 3 units (33 %) lowers the probability of the chosen part, token 1 of the answer:",
        "not computed",
        "their tokens left out. Removing their keys would come to what ranked them, and so confirm it: the effects of the two differ by 0 %",
        "How much likelier the answer is than the alternative there was not computed.",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("than the order of the text"), "what was not computed is not judged: {text}");
}

#[test]
fn without_random_orders_nothing_is_judged() {
    let mut document = sample::full();
    document.explanation.faithfulness.as_mut().unwrap().orders.retain(|curves| curves.order != atman::Order::Random);
    let text = plain(&document).replace('\n', " ");
    assert!(text.contains("It was not compared with other orders"), "{text}");
    assert!(!text.contains("better") || text.matches("better").count() == text.matches(" is better").count(), "{text}");
}

#[test]
fn contrasts_and_faithfulness_are_told_in_sentences() {
    for color in [ColorDepth::None, ColorDepth::TrueColor] {
        let text = without_colors(&colored(&sample::full(), color)).replace('\n', " ");
        for part in [
            "Why “Rome.” rather than “Milan”?",
            "log-odds +3.70 nats",
            // A third of eleven units would be 3.3: four are taken away.
            "Taking away the 4 most relevant of 11 units (36 %) lowers the probability of an answer token: 0.73 with everything there, \
             0.03 without them; in random order, 0.30 on average (standard deviation 0.08, 10 orders).",
            "this order is better both ways than random order, better one way than the order of the text, of no clear difference from \
             leaving one out. A difference counts that is more than twice its standard deviation",
            "0.247 ± 0.050",
            "their keys removed from attention in all layers. That is another thing than what ranked them: the effects of the two differ \
             by 63 %.",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[test]
fn faithfulness_is_a_table_as_wide_as_the_terminal_has_room_for() {
    let table = |width: usize| {
        let text = report::terminal(&sample::full(), TerminalStyle { width, ..TerminalStyle::default() });
        let line =
            |begins: &str| text.lines().find(|line| line.trim_start().starts_with(begins)).unwrap().split_whitespace().count();
        (text.contains(" comprehensiveness"), line("this explanation"))
    };
    assert_eq!(table(110), (true, 2 + 4));
    assert_eq!(table(60), (false, 2 + 2));
}

#[test]
fn nothing_in_a_document_steers_the_terminal() {
    for color in [ColorDepth::None, ColorDepth::Ansi256, ColorDepth::TrueColor] {
        for sinks in [false, true] {
            let text = without_colors(&terminal(&sample::hostile(), TerminalStyle { color, width: 60, sinks }));
            let forbidden =
                |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert_eq!(text.chars().find(|c| forbidden(*c)), None, "{text:?}");
            assert!(text.contains('\u{fffd}'));
        }
    }
}

#[test]
fn lines_fit_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    for document in [sample::hostile(), sample::chat(), sample::full()] {
        for (color, width) in [(ColorDepth::None, 100), (ColorDepth::TrueColor, 70), (ColorDepth::TrueColor, 100)] {
            let text = without_colors(&terminal(&document, TerminalStyle { color, width, sinks: true }));
            let tinted = text.lines().skip_while(|line| *line != "Prompt").skip(1).take_while(|line| !line.is_empty());
            for line in tinted.filter(|_| color != ColorDepth::None) {
                assert!(line.width() <= width, "{line:?} is wider than {width}");
            }
        }
    }
}
