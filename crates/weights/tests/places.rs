//! Whose words are whose, in templates of every shape.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

use weights::{ChatTemplate, Message, Place, Rendered};

const CHATML: &str = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
/// The system message goes into the first user's turn, and the whole is stripped.
const LLAMA2: &str = "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system = messages[0]['content'] %}\
    {% else %}{% set loop_messages = messages %}{% set system = false %}{% endif %}{% for m in loop_messages %}\
    {% if loop.index0 == 0 and system %}{% set content = '<<SYS>>\n' + system + '\n<</SYS>>\n\n' + m['content'] %}\
    {% else %}{% set content = m['content'] %}{% endif %}\
    {% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}\
    {% elif m['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
const LLAMA3: &str = "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}\
    {% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
const GEMMA: &str = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
    {% for m in messages %}{% if m['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m['role'] %}{% endif %}\
    {{ '<start_of_turn>' + role + '\n' + m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";
const MISTRAL: &str = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}\
    {% elif m['role'] == 'assistant' %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}";
const PHI3: &str =
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}{% endfor %}{{ '<|assistant|>\n' }}";
const ZEPHYR: &str = "{% for m in messages %}\n{% if m['role'] == 'user' %}\n{{ '<|user|>\n' + m['content'] + eos_token }}\n\
    {% elif m['role'] == 'system' %}\n{{ '<|system|>\n' + m['content'] + eos_token }}\n{% else %}\n{{ '<|assistant|>\n' + m['content'] + eos_token }}\n\
    {% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}";
/// Thoughts are cut off from what the assistant said.
const DEEPSEEK: &str = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}{% endif %}\
    {% if m['role'] == 'user' %}{{ '<|User|>' + m['content'] }}{% endif %}{% if m['role'] == 'assistant' %}{% set content = m['content'] %}\
    {% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}\
    {{ '<|Assistant|>' + content + eos_token }}{% endif %}{% endfor %}{{ '<|Assistant|><think>\n' }}";
/// The same, cleaned of line ends, and a user's turn is looked at for answers of tools.
const QWEN3: &str = "{% for m in messages %}{% if m.role == 'user' and m.content.startswith('<tool_response>') and m.content.endswith('</tool_response>') %}\
    {{ '<|im_start|>tool\n' + m.content + '<|im_end|>\n' }}{% elif m.role == 'user' or m.role == 'system' %}\
    {{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% elif m.role == 'assistant' %}{% set content = m.content %}\
    {% if '</think>' in content %}{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}\
    {{ '<|im_start|>assistant\n' + content + '<|im_end|>\n' }}{% endif %}{% endfor %}{{ '<|im_start|>assistant\n<think>\n\n</think>\n\n' }}";
const UPPER: &str = "{% for m in messages %}{{ m.role | upper }}: {{ m.content | upper }}\n{% endfor %}ASSISTANT:";
const CAPITALIZED: &str = "{% for m in messages %}{{ m.role }}: {{ m.content | capitalize }}\n{% endfor %}assistant:";
const ESCAPED: &str = "{% for m in messages %}<{{ m.role }}>{{ m.content | e }}</{{ m.role }}>{% endfor %}<assistant>";
const JSON: &str = "{{ messages | tojson }}\nassistant:";
const COUNTED: &str = "{% for m in messages %}{{ m.role }} ({{ m.content | length }}): {{ m.content }}\n{% endfor %}assistant:";
const BY_LENGTH: &str = "{% for m in messages %}{% if m.content | length > 5 %}long{% else %}short{% endif %}: {{ m.content }}\n{% endfor %}assistant:";
const REPEATED: &str =
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}Again: {{ messages[-1].content }}\nassistant:";
const DATED: &str = "Today is {{ strftime_now('%d %b %Y %H:%M:%S') }}.\n{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}assistant:";
const WITHOUT_SYSTEM: &str =
    "{% for m in messages if m.role != 'system' %}[{{ m.role }}] {{ m.content }} {% endfor %}[assistant]";
const LOOKS_AT_START: &str = "{% for m in messages %}{% if m.content.startswith('/') %}command{% else %}text{% endif %}: {{ m.content }}\n{% endfor %}assistant:";
const LOOKS_AT_ENDS: &str = "{% for m in messages %}{% if m.content[0] in 'aeiou' %}vowel{% endif %}{% if m.content[-1] == '?' %} question{% endif %}: \
    {{ m.content }}\n{% endfor %}assistant:";
const NON_ASCII_AWAY: &str = "{% for m in messages %}{{ m.role }}: {% for c in m.content %}{% if c <= '~' %}{{ c }}{% endif %}{% endfor %}\n{% endfor %}assistant:";
const ALL: [&str; 20] = [
    CHATML,
    LLAMA2,
    LLAMA3,
    GEMMA,
    MISTRAL,
    PHI3,
    ZEPHYR,
    DEEPSEEK,
    QWEN3,
    UPPER,
    CAPITALIZED,
    ESCAPED,
    COUNTED,
    BY_LENGTH,
    REPEATED,
    DATED,
    WITHOUT_SYSTEM,
    LOOKS_AT_START,
    LOOKS_AT_ENDS,
    NON_ASCII_AWAY,
];

fn of(template: &str) -> ChatTemplate {
    let special = [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    ChatTemplate::new("f", template, special.into())
}

fn rendered(template: &str, messages: &[(&str, &str)]) -> Rendered {
    let template = of(template);
    let messages: Vec<Message> = messages.iter().map(|(role, text)| Message::new(*role, *text)).collect();
    let rendered = template.render_with_places(&messages, true).unwrap();
    assert_eq!(rendered.places.len(), messages.len());
    rendered
}

/// The words of each message as they stand in the rendering, all of them known for certain.
fn words(template: &str, messages: &[(&str, &str)]) -> Vec<Vec<String>> {
    let rendered = rendered(template, messages);
    let of = |number: usize| {
        let placed = &rendered.places[number];
        assert_eq!(placed.place, Place::Known, "{:?} in {:?}", messages[number], rendered.text);
        placed.ranges.iter().map(|range| rendered.text[range.clone()].to_owned()).collect()
    };
    (0..messages.len()).map(of).collect()
}

/// Where the one message's words begin, and what comes before and after them.
fn around(template: &str, text: &str) -> (String, String, String) {
    let rendered = rendered(template, &[("user", text)]);
    let [placed] = rendered.places.as_slice() else { panic!("one message") };
    let [range] = placed.ranges.as_slice() else { panic!("{text:?} in {:?}: {placed:?}", rendered.text) };
    assert_eq!(placed.place, Place::Known, "{text:?} in {:?}", rendered.text);
    let part = |range: std::ops::Range<usize>| rendered.text[range].to_owned();
    (part(0..range.start), part(range.clone()), part(range.end..rendered.text.len()))
}

#[test]
fn a_word_of_the_template_is_not_the_persons() {
    for (template, asked) in [
        (CHATML, ["assistant", "user", "<|im_start|>", "\n"].as_slice()),
        (LLAMA2, &["INST", "[/INST]", "[", "I"]),
        (LLAMA3, &["assistant", "header", "user", "_", "<|eot_id|>"]),
        (GEMMA, &["model", "user", "turn", "of", "start_of_turn"]),
        (MISTRAL, &["[INST]", "INST", "/"]),
        (PHI3, &["assistant", "user", "end", "<|"]),
        (ZEPHYR, &["assistant", "s", "<|user|>"]),
        (DEEPSEEK, &["think", "Assistant", "<think>", "User", "<|User|>"]),
        (QWEN3, &["think", "assistant", "</think>", "<think>\n\n</think>", "im_end"]),
        (UPPER, &["ASSISTANT", "USER", ":"]),
        (ESCAPED, &["user", "assistant", "e"]),
        (COUNTED, &["assistant", "user", "4", "s"]),
        (BY_LENGTH, &["short", "longer", "assistant", "o"]),
        (DATED, &["Today", "is", "0", "assistant"]),
        (LOOKS_AT_START, &["text", "command", "/text", "assistant", "t"]),
        (LOOKS_AT_ENDS, &["assistant", "assistant?", "vowel", "question?", "a"]),
        (NON_ASCII_AWAY, &["assistant", "user", "s"]),
    ] {
        // What stands around the words is the same whatever they are.
        for said in asked {
            let (before, words, after) = around(template, said);
            assert_eq!(words, *said, "{template}");
            if ![COUNTED, BY_LENGTH, DATED, LOOKS_AT_START, LOOKS_AT_ENDS].contains(&template) {
                let other = if said.starts_with(char::is_whitespace) { "\t" } else { "Qq" };
                assert_eq!(
                    (before, after),
                    {
                        let (before, _, after) = around(template, other);
                        (before, after)
                    },
                    "{said:?}"
                );
            }
        }
    }
}

#[test]
fn every_turn_has_its_own_words_even_where_all_say_the_same() {
    for template in [CHATML, LLAMA2, LLAMA3, PHI3, ZEPHYR, DEEPSEEK, QWEN3, ESCAPED, COUNTED, DATED, JSON] {
        for said in ["user", "a", "assistant", "Hi there."] {
            let messages = [("system", said), ("user", said), ("assistant", said), ("user", said)];
            let rendered = rendered(template, &messages);
            let ranges: Vec<_> = rendered.places.iter().flat_map(|placed| placed.ranges.clone()).collect();
            assert_eq!(ranges.len(), 4, "{template}: {rendered:?}");
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{template}: {rendered:?}");
            assert!(ranges.iter().all(|range| rendered.text[range.clone()] == *said), "{template}: {rendered:?}");
        }
    }
}

#[test]
fn the_space_that_a_template_leaves_around_words_is_the_persons() {
    for (template, said, kept) in [
        (CHATML, "  two  spaces \n", "  two  spaces \n"),
        (CHATML, "\n\nlines\n", "\n\nlines\n"),
        (LLAMA2, "  two ", "two"),
        (LLAMA3, "\n\nlines\n", "lines"),
        (GEMMA, " \t x ", "x"),
        (PHI3, "\n", "\n"),
        (UPPER, " so ", " SO "),
    ] {
        assert_eq!(around(template, said).1, kept, "{template}");
    }
    // Nothing of it is left, and nothing else is taken for it.
    for said in ["   ", "\n", "\u{a0}\t"] {
        for template in [LLAMA3, GEMMA, LLAMA2] {
            let places = rendered(template, &[("user", said)]).places;
            assert!(places[0].ranges.iter().all(|range| range.is_empty()), "{template}: {places:?}");
        }
    }
    // One side is stripped with the whole that it is a part of, the other stands within.
    assert_eq!(words(LLAMA2, &[("system", " Be kind. "), ("user", " Hi. ")]), [[" Be kind. "], [" Hi."]]);
}

#[test]
fn changed_words_are_found_as_they_are_written() {
    assert_eq!(around(UPPER, "straße?").1, "STRASSE?");
    assert_eq!(around(CAPITALIZED, "hello World").1, "Hello world");
    assert_eq!(around(CAPITALIZED, "é").1, "É");
    assert_eq!(around(ESCAPED, "a < b & \"c\"").1, "a &lt; b &amp; &#34;c&#34;");
    assert_eq!(words(JSON, &[("user", "a \"b\"\n")]), [["a \\\"b\\\"\\n"]]);
    assert_eq!(around(NON_ASCII_AWAY, "naïve user").1, "nave user");
    assert_eq!(words(REPEATED, &[("system", "Again"), ("user", "user")]), [vec!["Again"], vec!["user", "user"]]);
    assert_eq!(words(WITHOUT_SYSTEM, &[("system", "user"), ("user", "system")]), [Vec::new(), vec!["system"]]);
}

#[test]
fn what_is_left_of_an_answer_without_its_thoughts_is_found() {
    for (template, said, kept) in [
        (DEEPSEEK, "<think>Italy?</think>\n\nRome", "\n\nRome"),
        (DEEPSEEK, "<think>Rome</think>Rome", "Rome"),
        (QWEN3, "<think>\nRome\n</think>\n\nRome", "Rome"),
        (QWEN3, "<think>assistant\n</think>\nassistant\nassistant", "assistant\nassistant"),
        (QWEN3, "no thoughts", "no thoughts"),
        (DEEPSEEK, "</think>x", "x"),
    ] {
        let messages = [("user", "Capital?"), ("assistant", said), ("user", "Sure?")];
        assert_eq!(words(template, &messages), [["Capital?"], [kept], ["Sure?"]], "{template}");
    }
    // All of it was thought.
    let words = words(DEEPSEEK, &[("user", "a"), ("assistant", "<think>a</think>"), ("user", "a")]);
    assert_eq!(words, [vec!["a"], vec![], vec!["a"]]);
    // A turn whose ends the template looks at.
    assert_eq!(around(QWEN3, "<tool_response>tool</tool_response>").1, "<tool_response>tool</tool_response>");
}

/// Marks are characters that nobody wrote, whatever they wrote.
#[test]
fn words_that_look_like_marks_or_patterns_are_words() {
    let private: String = ('\u{e000}'..='\u{f8ff}').collect();
    let all_private: String = private.chars().chain('\u{f0000}'..='\u{ffffd}').collect();
    let long = "word ".repeat(2000);
    for said in [
        "\u{e000}",
        "\u{e000}\u{e001}user\u{e001}\u{e000}",
        "7049183625",
        "70491836257049183625",
        "0491836257",
        "\\",
        "$1 .* [a-z]+ ^$ (?i)",
        "{{ messages }}",
        "{% raw %}",
        "%s %d",
        "\\u{e000}",
        "\0",
        "\u{fffe}\u{ffff}",
        "\u{202e}x\u{202c}",
        "e\u{301}",
        "👩‍👩‍👧",
        "שלום",
        "\u{feff}x",
        &private,
        &all_private,
        &long,
    ] {
        for template in [CHATML, MISTRAL, COUNTED, LOOKS_AT_ENDS] {
            let shown: String = said.chars().take(20).collect();
            let rendered = rendered(template, &[("system", "user"), ("user", said)]);
            let ranges = &rendered.places[1].ranges;
            assert_eq!(rendered.places[1].place, Place::Known, "{shown:?} in {template}");
            assert!(ranges.len() == 1 && rendered.text[ranges[0].clone()] == *said, "{shown:?} in {template}: {ranges:?}");
        }
    }
}

#[test]
fn many_turns_are_placed_in_a_few_renderings() {
    let turns: Vec<(String, String)> =
        (0..400).map(|i| (if i % 2 == 0 { "user" } else { "assistant" }.to_owned(), format!("user {}", i % 3))).collect();
    let messages: Vec<(&str, &str)> = turns.iter().map(|(role, text)| (role.as_str(), text.as_str())).collect();
    let started = std::time::Instant::now();
    for template in [CHATML, LLAMA3, QWEN3] {
        let words = words(template, &messages);
        assert!(words.iter().zip(&turns).all(|(words, (_, text))| words.as_slice() == std::slice::from_ref(text)));
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// What a template does not let be known is not guessed.
#[test]
fn a_template_that_answers_every_mark_is_told_apart() {
    let knows = "{% if messages[0].content == 'please assist' %}user: please assist\nassistant:{% else %}?{% endif %}";
    let placed = |template: &str, said: &str| {
        let rendered = rendered(template, &[("user", said)]);
        let words: Vec<String> = rendered.places[0].ranges.iter().map(|range| rendered.text[range.clone()].to_owned()).collect();
        (rendered.places[0].place, words)
    };
    assert_eq!(placed(knows, "please assist"), (Place::OnlyOccurrence, vec!["please assist".to_owned()]));
    // What occurs twice, or stands there without being said, is not taken.
    let twice = knows.replace("user: ", "please assist: ");
    assert_eq!(placed(&twice, "please assist"), (Place::Unknown, vec![]));
    let always = "please assist {% if messages[0].content == 'please assist' %}yes{% else %}no{% endif %}";
    assert_eq!(placed(always, "please assist"), (Place::Unknown, vec![]));
    // Nothing of it is there, whatever it is.
    assert_eq!(placed("assistant:", "assistant"), (Place::Known, vec![]));
}

#[test]
fn a_template_that_means_ill_ends() {
    let ill = "{% for m in messages %}{% for c in m.content %}{% for i in range(40) %}{% endfor %}{% endfor %}{{ m.content | length }}\
               {{ m.content | reverse }}{% endfor %}";
    let started = std::time::Instant::now();
    let text = "x".repeat(300);
    rendered(ill, &[("user", &text), ("assistant", &text), ("user", &text)]);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn places_are_those_of_the_same_prompt() {
    for template in ALL {
        let messages = [("user", "one"), ("assistant", "<think>x</think>two"), ("user", " three? ")];
        let rendered = rendered(template, &messages);
        let plain = of(template);
        let messages: Vec<Message> = messages.iter().map(|(role, text)| Message::new(*role, *text)).collect();
        if template != DATED {
            assert_eq!(rendered.text, plain.render(&messages, true).unwrap());
        }
        assert!(rendered.places.iter().all(|placed| placed.place == Place::Known), "{rendered:?}");
    }
}
