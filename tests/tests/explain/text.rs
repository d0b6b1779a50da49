//! Texts of every kind as units, and questions that cannot be asked.

use crate::subject::{ITALY, Subject, settings};
use atman::{AtmanError, Granularity, ImageGranularity, Prompt, Source, Text, TokenKind, Turn, units};
use weights::{Checkpoint, ModelFiles};

const AWKWARD: [&str; 10] = [
    "The capital of France is Paris. The capital of Italy is",
    "👩‍👩‍👧‍👦 love 🍕 and 日本語のテキスト。 Really!",
    "cafe\u{301} nai\u{308}ve Z\u{351}\u{36b}algo",
    "שלום עולם. مرحبا بالعالم! mixed text",
    "\tdef f(x):\n\t\treturn x + 1\n\n\n# done\n",
    "   leading and trailing   ",
    "\u{feff}byte order mark\r\nand a line end",
    "x",
    "\u{10ffff}\u{0}\u{1b}[31mred",
    "one\n\ntwo\n\n\n\nthree. four? five!",
];

#[test]
fn units_cover_the_text_once_whatever_it_is() {
    let subject = Subject::new();
    let granularities = ["token", "word", "sentence", "paragraph", "custom:a", "regex:[aeiou]", "auto"];
    for prompt in AWKWARD {
        let question = subject.question(prompt, " Yes.").unwrap();
        for granularity in granularities.map(|name| name.parse::<Granularity>().unwrap()) {
            let (units, _) = units(&question, &granularity, ImageGranularity::Patch).unwrap();
            let of_prompt: Vec<_> = units.iter().filter(|unit| unit.source == Source::Prompt).collect();
            let positions: Vec<usize> = units.iter().flat_map(|unit| unit.positions.clone()).collect();
            assert_eq!(positions, (0..question.n_positions()).collect::<Vec<_>>(), "{granularity}: {prompt:?}");
            let joined: String = of_prompt.iter().map(|unit| unit.text.as_str()).collect();
            assert_eq!(joined, question.prompt.text, "{granularity}: {prompt:?}");
            for unit in of_prompt {
                assert_eq!(prompt.get(unit.start_byte..unit.end_byte), Some(unit.text.as_str()), "{granularity}");
                let characters: String = prompt.chars().skip(unit.start).take(unit.end - unit.start).collect();
                assert_eq!(characters, unit.text, "{granularity}: {prompt:?}");
            }
        }
    }
}

#[test]
fn tokens_that_are_parts_of_one_character_stay_together() {
    let subject = Subject::new();
    let question = subject.question("I ate 🍕 today", " Yes").unwrap();
    let pizza: Vec<usize> =
        (0..question.n_prompt()).filter(|i| question.prompt.text[question.prompt.tokens[*i].bytes()].contains('🍕')).collect();
    assert!(pizza.len() > 1, "the model's vocabulary has no token for it");
    let (units, _) = units(&question, &Granularity::Token, ImageGranularity::Patch).unwrap();
    let unit = units.iter().find(|unit| unit.text.contains('🍕')).unwrap();
    assert_eq!(unit.positions, pizza);
}

#[test]
fn ids_and_text_are_the_same_text() {
    let subject = Subject::new();
    for prompt in AWKWARD {
        let text = subject.text(prompt);
        assert_eq!(Text::from_ids(subject.tokenizer(), &text.ids()), text, "{prompt:?}");
    }
    let golden = crate::common::golden("capitals.log-additive");
    assert_eq!((subject.text(ITALY).ids(), subject.text(" Rome.").ids()), (golden.prompt_ids, golden.target_ids));
    // A part of a character is shown as such.
    let pizza = subject.text("🍕").ids();
    let part = Text::from_ids(subject.tokenizer(), &pizza[..1]);
    assert_eq!(part.text, "\u{fffd}");
}

#[test]
fn auto_comes_nearest_to_thirty_units() {
    let subject = Subject::new();
    let chosen =
        |prompt: &str| units(&subject.question(prompt, " Yes").unwrap(), &Granularity::Auto, ImageGranularity::Patch).unwrap().1;
    assert_eq!(chosen(ITALY), Granularity::Token);
    assert_eq!(chosen(&"Unbelievably incomprehensible circumstances. ".repeat(10)), Granularity::Word);
    assert_eq!(chosen(&"Many people live in the city and few of them know it. ".repeat(30)), Granularity::Sentence);
    assert_eq!(chosen(&"This is short. So is this. And this.\n\n".repeat(30)), Granularity::Paragraph);
}

#[test]
fn the_template_is_told_from_what_a_person_wrote_and_set_apart() {
    let subject = Subject::new();
    let prompt = Prompt::chat(&Turn::question(None, "Who wrote it? Ann did."), 0, &subject.checkpoint).unwrap();
    let text = prompt.encode(subject.tokenizer()).unwrap();
    assert_eq!(text.tokens[0].kind, TokenKind::Special);
    let question = atman::Question::new(text, subject.text("Ann"), Vec::new(), subject.model.config()).unwrap();
    let (units, _) = units(&question, &Granularity::Sentence, ImageGranularity::Patch).unwrap();
    let shown: Vec<(&str, bool)> = units.iter().map(|unit| (unit.text.as_str(), unit.sink)).collect();
    let (begin, end) = prompt.text.split_once("Who wrote it? Ann did.").unwrap();
    assert_eq!(shown, [(begin, true), ("Who wrote it?", false), (" Ann did.", false), (end, true)]);
}

#[test]
fn a_message_needs_a_template() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/families/grouped-f32");
    let checkpoint = pollster::block_on(Checkpoint::open(ModelFiles::from_path(&folder).unwrap())).unwrap();
    let error = Prompt::chat(&Turn::question(None, "Hello"), 0, &checkpoint).unwrap_err();
    assert!(matches!(&error, AtmanError::NoChatTemplate { .. }));
    assert_eq!(error.to_string(), format!("{} has no chat template", checkpoint.name()));
}

#[test]
fn a_question_that_cannot_be_asked_says_why() {
    let subject = Subject::new();
    let error = |prompt: &str, target: &str| subject.question(prompt, target).unwrap_err().to_string();
    assert!(error("", " Rome").contains("the prompt holds no tokens"));
    assert!(error(ITALY, "").contains("have the model write one"));
    let long = "word ".repeat(subject.model.config().max_positions);
    let told = error(&long, " Rome");
    assert!(told.contains("but the model was made for") && told.contains("shorten the prompt by at least"), "{told}");
    let mut text = subject.text(ITALY);
    text.tokens[3].id = 1_000_000;
    let error = atman::Question::new(text, subject.text(" Rome"), Vec::new(), subject.model.config()).unwrap_err().to_string();
    assert!(error.contains("token 1000000 of the prompt is not below 49152"), "{error}");
}

#[test]
fn a_prompt_of_one_token_and_an_answer_of_one_can_be_explained() {
    let mut subject = Subject::new();
    let explanation = subject.explain("Rome", " is", settings(Granularity::Auto), &[]);
    assert_eq!((explanation.units.len(), explanation.relevance.len()), (1, 1));
    assert!(explanation.units[0].sink && explanation.relevance[0].as_ref().unwrap()[0].is_some());
}
