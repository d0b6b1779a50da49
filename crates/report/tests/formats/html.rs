//! The page.

use crate::sample;
use base64::Engine;
use report::{Document, html};
use sha2::{Digest, Sha256};

/// What stands between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in the page"));
    rest.split_once(after).unwrap().0
}

fn json_of(page: &str) -> &str {
    between(page, "<script type=\"application/json\" id=\"explanation\">", "</script>")
}

#[test]
fn it_can_be_turned_back_into_its_document() {
    for document in [sample::full(), sample::partial(), sample::with_span(), sample::hostile()] {
        let page = html(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document>(json_of(&page)).unwrap(), document);
    }
}

#[test]
fn it_can_be_read_without_scripts() {
    let page = html(&sample::full()).unwrap();
    for part in [
        "<h1>Why did the model say “Rome.”?</h1>",
        "class=\"unit\" data-unit=\"10\" data-relevance=\"1.518124\" data-tint=\"20\"> Italy</span>",
        "role=\"option\" data-tokens=\"0-1\" aria-selected=\"false\"> Rome</span>",
        "supports the answer",
        "<td>+1.518</td>",
        "lowers the probability of an answer token",
        "noise floor of <span id=\"floor\">0.020 nats",
        "<dt>SHA-256</dt><dd>abab",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn its_policy_allows_its_own_script_and_style_and_nothing_else() {
    let page = html(&sample::full()).unwrap();
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    let style = hash(between(&page, "<style>", "</style>"));
    let script = hash(between(&page, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
    );
    for reference in ["src=\"", "href=\"", "url(", "@import", " style=\"", " onclick="] {
        assert!(!page.contains(reference), "{reference} would need the network or break the policy");
    }
}

#[test]
fn nothing_in_a_document_is_markup() {
    let page = html(&sample::hostile()).unwrap();
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("</style").count(), 1);
    for forbidden in ["<img", "<b>", "<!--", "\x1b"] {
        assert!(!page.contains(forbidden), "{forbidden} is in {page}");
    }
    assert!(page.contains("{{json}}&amp;amp;&#39;&quot;"), "what looks like a template is text");
    assert!(!json_of(&page).contains('<'));
}

#[test]
fn what_stands_apart_can_be_shown() {
    let page = html(&sample::chat()).unwrap();
    assert!(page.contains("class=\"unit sink template\""));
    assert!(page.contains("Show the chat template"));
    assert!(html(&sample::capitals()).unwrap().contains("Colour the first position too"));
}

#[test]
fn whose_words_are_whose_is_told() {
    let page = html(&sample::conversation()).unwrap();
    let roles: Vec<&str> = page.split("<span class=\"role\">").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(page.matches("class=\"unit control\"").count() + page.matches("class=\"unit against control\"").count(), 1);
    for part in [
        "<p class=\"notice\">What was typed imitates the chat template: &lt;|im_end|&gt;\u{fffd}[31m&lt;b&gt;.</p>",
        "<dd>chat template, system message, 2 earlier turns; 11 of 31 prompt tokens eligible (system, user, assistant)</dd>",
        "<small>control token, typed, user</small>",
        "<dt>Program</dt><dd>AtMan ",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!html(&sample::capitals()).unwrap().contains("class=\"role\">"));
}

#[test]
fn a_text_of_control_tokens_alone_is_not_hidden() {
    let mut document = sample::capitals();
    document.explanation.prompt.tokens.iter_mut().for_each(|token| token.kind = atman::TokenKind::Special);
    assert!(!html(&document).unwrap().contains(" template\""));
}

#[test]
fn what_is_missing_is_said() {
    assert!(html(&sample::partial()).unwrap().contains("<p class=\"partial\">Partial: 5 of 13 units"));
}

#[test]
fn contrasts_can_be_chosen() {
    let page = html(&sample::full()).unwrap();
    assert_eq!(page.matches("<option value=").count(), 3);
    assert!(page.contains("rather than “Milan”"));
    assert!(!html(&sample::capitals()).unwrap().contains("<select"));
}

#[test]
fn it_opens_with_the_contrast_that_is_looked_at() {
    let document = sample::full().with_contrast(1);
    let page = html(&document).unwrap();
    assert!(page.contains("<h1>Why “Rome.” rather than “Paris, of course”?</h1>"));
    assert!(page.contains("<option value=\"1\" selected"));
    let italy = document.scores[10].unwrap();
    assert!(page.contains(&format!("data-unit=\"10\" data-relevance=\"{italy}\"")), "{italy}");
    assert!(page.contains("speaks for the alternative"));
    // The table's own column is that of the answer still.
    assert!(page.contains("<td>+1.518</td>"));
}

#[test]
fn a_cut_answer_is_marked() {
    let cut = "The answer is cut after 2 tokens: the model had not ended it.";
    let document = sample::capitals().with_target_cut(true);
    let terminal = |color| report::terminal(&document, report::TerminalStyle { color, ..Default::default() });
    let texts = [
        html(&document).unwrap(),
        report::svg(&document),
        terminal(report::ColorDepth::None),
        terminal(report::ColorDepth::TrueColor),
    ];
    for text in texts {
        assert!(text.contains(cut), "{text}");
    }
    assert!(!html(&sample::capitals()).unwrap().contains("is cut"));
}

#[test]
fn what_rounds_to_zero_is_no_opposition() {
    let mut document = sample::capitals();
    document.scores[3] = Some(-0.000_4);
    document.explanation.noise_floor = Some(1e-6);
    let page = html(&document).unwrap();
    assert!(page.contains("class=\"unit\" data-unit=\"3\" data-relevance=\"-0.0004\" data-tint=\"0\""), "{page}");
}

#[test]
fn what_faithfulness_says_can_be_had_alone() {
    let document = sample::hostile();
    let faithfulness = sample::full().explanation.faithfulness.unwrap();
    let section = report::faithfulness_html(&faithfulness);
    let page = html(&Document {
        explanation: atman::Explanation { faithfulness: Some(faithfulness), ..document.explanation },
        ..document
    });
    let page = page.unwrap();
    assert!(page.contains(&section) && page.contains(report::TRUST_CSS), "the page shows the same");
    assert!(section.starts_with("<section") && !section.contains("<script") && !section.contains("style="));
}

/// Eleven units are taken away two at first, then one by one: that is where the points stand. Around a mean lies a band.
#[test]
fn curves_stand_over_what_was_really_taken_away_and_have_gaps_where_nothing_is_known() {
    let mut faithfulness = sample::full().explanation.faithfulness.unwrap();
    let points = |faithfulness: &atman::Faithfulness| -> Vec<Vec<f32>> {
        let section = report::faithfulness_html(faithfulness);
        let curves = section.split("<polyline class=\"curve explanation\" points=\"").skip(1);
        let x = |point: &str| point.split_once(',').unwrap().0.parse::<f32>().unwrap();
        curves.map(|rest| rest.split_once('"').unwrap().0.split(' ').map(x).collect()).collect()
    };
    let whole = points(&faithfulness);
    assert_eq!(whole.len(), 2, "one in each chart");
    let [first, second, third, ..] = whole[0][..] else { panic!("{whole:?}") };
    assert!((second - first - 2.0 * (third - second)).abs() < 0.2, "{whole:?}");
    assert_eq!(report::faithfulness_html(&faithfulness).matches("<polygon class=\"spread\"").count(), 2);
    faithfulness.orders[0].measures.deletion[4] = None;
    let with_gap: Vec<usize> = points(&faithfulness).iter().map(Vec::len).collect();
    assert_eq!(with_gap, [4, 6, 11]);
}

/// For looking at them: `tests/formats` writes every sample in every format to the folder for tests' files.
#[test]
fn samples_are_written_to_files() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("samples");
    std::fs::create_dir_all(&folder).unwrap();
    let samples = [
        ("capitals", sample::capitals()),
        ("full", sample::full()),
        ("partial", sample::partial()),
        ("span", sample::with_span()),
        ("hostile", sample::hostile()),
        ("chat", sample::chat()),
        ("conversation", sample::conversation()),
        ("scene", sample::scene()),
        ("scene-no-file", sample::scene().with_pictures(Vec::new())),
        ("photo", sample::photo()),
        ("pictures", sample::hostile_pictures()),
    ];
    for (name, document) in samples {
        for format in report::Format::ALL {
            let style = report::TerminalStyle { color: report::ColorDepth::TrueColor, width: 90, sinks: false };
            std::fs::write(folder.join(format!("{name}.{format}")), format.write(&document, style).unwrap()).unwrap();
        }
        std::fs::write(folder.join(format!("{name}.txt")), report::terminal(&document, report::TerminalStyle::default()))
            .unwrap();
    }
    assert!(folder.join("chat.html").exists());
}
