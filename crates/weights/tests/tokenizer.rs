//! Tokenizers from `tokenizer.json` and from GGUF metadata give the same ids, and those of the Python package tokenizers.
#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

mod common;

use common::{FIXTURES, fixture, gguf_with_tokenizer, open};
use serde_json::{Value, json};
use weights::{FileNotice, Tokenizer, WeightsError, gguf};

/// A fixture's tokenizer from either kind of file.
fn both(fixture: &Value) -> [(&'static str, Tokenizer); 2] {
    let bytes = gguf_with_tokenizer(fixture).bytes();
    let header = gguf::parse("tiny.gguf", &bytes, bytes.len() as u64).unwrap().unwrap();
    let json = fixture["tokenizer_json"].to_string();
    [
        ("tokenizer.json", Tokenizer::from_json("tokenizer.json", json.as_bytes()).unwrap()),
        ("GGUF", Tokenizer::from_gguf(&header.metadata).unwrap().unwrap()),
    ]
}

fn cases(fixture: &Value) -> Vec<(String, Vec<u32>, String)> {
    let list = |key: &str| fixture[key].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ids = |value: &Value| value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
    let all = list("texts").into_iter().zip(list("ids")).zip(list("decoded"));
    all.map(|((t, i), d)| (text(&t), ids(&i), text(&d))).collect()
}

#[test]
fn both_kinds_of_files_give_the_ids_of_the_python_package() {
    for name in FIXTURES {
        let fixture = fixture(name);
        for (kind, tokenizer) in both(&fixture) {
            for (text, ids, _) in cases(&fixture) {
                assert_eq!(tokenizer.encode(&text, true).unwrap(), ids, "{name} from {kind}: {text:?}");
            }
        }
    }
}

#[test]
fn ids_decode_to_the_text_of_the_python_package() {
    for name in FIXTURES {
        let fixture = fixture(name);
        for (kind, tokenizer) in both(&fixture) {
            for (text, ids, decoded) in cases(&fixture) {
                assert_eq!(tokenizer.decode(&ids), decoded, "{name} from {kind}: {text:?}");
            }
        }
    }
}

#[test]
fn a_stream_yields_whole_characters_that_add_up_to_the_text() {
    for name in FIXTURES {
        let fixture = fixture(name);
        let [(_, tokenizer), _] = both(&fixture);
        let mut waited = 0;
        for (text, ids, _) in cases(&fixture) {
            let mut stream = tokenizer.stream();
            let mut streamed = String::new();
            for &id in &ids {
                let piece = stream.push(id);
                waited += usize::from(piece.is_empty() && !tokenizer.is_special(id));
                streamed.push_str(&piece);
            }
            streamed.push_str(&stream.finish());
            let bytes: Vec<u8> = ids
                .iter()
                .filter(|id| !tokenizer.is_special(**id))
                .flat_map(|id| tokenizer.token_bytes(*id).unwrap())
                .copied()
                .collect();
            assert_eq!(streamed, String::from_utf8_lossy(&bytes), "{name}: {text:?}");
            // Every text is valid, so that a replaced character would be half of one; one text has U+FFFD of its own.
            assert!(text.contains('\u{fffd}') || !streamed.contains('\u{fffd}'), "{name}: {text:?} gives {streamed:?}");
        }
        assert!(waited > 0, "{name}: no text had a character of several tokens");
    }
}

#[test]
fn a_stream_replaces_what_can_never_become_a_character() {
    let [(_, tokenizer), _] = both(&fixture("sentencepiece"));
    let byte = |byte: u8| tokenizer.token_id(&format!("<0x{byte:02X}>")).unwrap();
    let mut stream = tokenizer.stream();
    let pieces: Vec<String> = [0xf0, 0x9f, 0x98, 0x80, 0xff, 0xe2, 0x41, 0xe2, 0x82].map(|b| stream.push(byte(b))).into();
    assert_eq!(pieces, ["", "", "", "😀", "\u{fffd}", "", "\u{fffd}A", "", ""]);
    assert_eq!(stream.finish(), "\u{fffd}");
}

#[test]
fn ranges_cover_the_text_in_order_and_hold_what_the_token_says() {
    for name in FIXTURES {
        let fixture = fixture(name);
        for (kind, tokenizer) in both(&fixture) {
            for (text, ids, _) in cases(&fixture) {
                let tokens = tokenizer.encode_with_ranges(&text, true).unwrap();
                assert_eq!(tokens.iter().map(|t| t.id).collect::<Vec<_>>(), ids);
                // NFC changes the text under the tokens; the ranges are those of the text as it was given.
                let normalized = name == "qwen2" && text.contains('\u{301}');
                let mut covered = 0;
                for token in &tokens {
                    assert!(text.get(token.range.clone()).is_some(), "{name} from {kind}: {text:?} has no {:?}", token.range);
                    assert!(token.range.start <= covered, "{name} from {kind}: {text:?} lacks {covered}..{:?}", token.range);
                    covered = covered.max(token.range.end);
                    let said = tokenizer.token_text(token.id).unwrap();
                    let here = &text[token.range.clone()];
                    if !token.range.is_empty() && !normalized && !said.contains('\u{fffd}') && !tokenizer.is_special(token.id) {
                        // A sentencepiece model puts a space before a text; it shares the range of what comes first.
                        let (said, here) = (said.replace('▁', " "), here.replace('▁', " "));
                        let added = name == "sentencepiece" && (said == format!(" {here}") || said == " ");
                        assert!(said == here || added, "{name} from {kind}: {text:?} has {said:?} for {here:?}");
                    }
                }
                assert!(covered == text.len() || tokens.is_empty(), "{name} from {kind}: {text:?} is covered up to {covered}");
            }
        }
    }
}

#[test]
fn special_tokens_are_known() {
    for name in FIXTURES {
        let fixture = fixture(name);
        for (kind, tokenizer) in both(&fixture) {
            let expected: Vec<u32> = vec![0, 1, 2];
            assert_eq!(tokenizer.special_ids().collect::<Vec<_>>(), expected, "{name} from {kind}");
            let ends: &[u32] = if name == "sentencepiece" { &[2] } else { &[0, 2] };
            assert_eq!(tokenizer.end_ids().iter().copied().collect::<Vec<_>>(), ends, "{name} from {kind}");
            assert_eq!(tokenizer.vocab_size(), fixture["gguf"]["tokens"].as_array().unwrap().len());
            assert_eq!(tokenizer.token_bytes(tokenizer.vocab_size() as u32), None);
        }
        let [_, (_, from_gguf)] = both(&fixture);
        let bos = fixture["gguf"]["bos_token_id"].as_u64().map(|id| id as u32);
        assert_eq!((from_gguf.bos_id(), from_gguf.eos_id()), (bos, Some(2)), "{name}");
    }
}

/// The rest of a model folder decides what begins and ends a text.
#[test]
fn the_other_files_of_a_folder_name_the_special_tokens() {
    let fixture = fixture("smollm");
    let weights = common::safetensors(&json!({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), 8);
    let checkpoint = open(vec![
        ("model.safetensors", weights),
        ("config.json", json!({"eos_token_id": 0, "bos_token_id": 5}).to_string().into()),
        ("generation_config.json", json!({"eos_token_id": [2, 7, 999_999]}).to_string().into()),
        ("tokenizer.json", fixture["tokenizer_json"].to_string().into()),
        (
            "tokenizer_config.json",
            json!({"bos_token": {"content": "<|im_start|>"}, "eos_token": "<|im_end|>", "chat_template": "{{ bos_token }}{{ eos_token }}"})
                .to_string()
                .into(),
        ),
    ])
    .unwrap();
    let tokenizer = checkpoint.tokenizer().unwrap();
    assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (Some(1), Some(2)));
    assert_eq!(tokenizer.end_ids().iter().copied().collect::<Vec<_>>(), [0, 2, 7]);
    assert_eq!(checkpoint.chat_template().unwrap().render(&[], false).unwrap(), "<|im_start|><|im_end|>");
}

/// Of a model that sees pictures the processor's template comes first; of another, it is none of its business.
#[test]
fn a_template_is_looked_for_where_transformers_does() {
    let weights = || common::safetensors(&json!({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), 8);
    let rendered = |others: &[&str]| {
        let content = |name: &str| match name {
            "tokenizer_config.json" => json!({"chat_template": "tokenizer"}).to_string(),
            "chat_template.jinja" => "jinja".to_owned(),
            "chat_template.json" => json!({"chat_template": "processor"}).to_string(),
            _ => "{}".to_owned(),
        };
        let own = [("model.safetensors", weights()), ("config.json", b"{}".to_vec())];
        let checkpoint = open(own.into_iter().chain(others.iter().map(|name| (*name, content(name).into()))).collect()).unwrap();
        checkpoint.chat_template().map(|template| template.render(&[], false).unwrap())
    };
    let sees = "preprocessor_config.json";
    for (files, expected) in [
        (&[sees, "chat_template.json", "chat_template.jinja", "tokenizer_config.json"][..], Some("processor")),
        (&[sees, "chat_template.jinja", "tokenizer_config.json"], Some("jinja")),
        (&[sees, "tokenizer_config.json"], Some("tokenizer")),
        (&["chat_template.json", "chat_template.jinja", "tokenizer_config.json"], Some("jinja")),
        (&["chat_template.json", "tokenizer_config.json"], Some("tokenizer")),
        (&["chat_template.json"], None),
    ] {
        assert_eq!(rendered(files).as_deref(), expected, "{files:?}");
    }
}

/// Whatever is wrong with a template is told to whoever uses it, with its file, and stops nobody else.
#[test]
fn a_template_that_cannot_be_used_does_not_keep_a_model_from_opening() {
    let weights = common::safetensors(&json!({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), 8);
    let sees = ("preprocessor_config.json", "{}".to_owned());
    let configured = |template: Value| ("tokenizer_config.json", json!({"chat_template": template}).to_string());
    for (files, said) in [
        (vec![("chat_template.jinja", "{% if".to_owned())], "chat_template.jinja: chat template: syntax error"),
        (vec![sees.clone(), ("chat_template.json", "{}".to_owned())], "chat_template.json: chat template: found neither"),
        (vec![sees, ("chat_template.json", "{".to_owned())], "chat_template.json: chat template: EOF"),
        (vec![configured(json!("{% unheard-of %}"))], "tokenizer_config.json: chat template: syntax error"),
        (vec![configured(json!({"a": 1}))], "tokenizer_config.json: chat template: found neither"),
        (
            vec![configured(json!([{"name": "rag", "template": ""}, {"name": "tool_use", "template": ""}]))],
            "tokenizer_config.json: chat template: found templates named rag, tool_use, expected",
        ),
    ] {
        let own = [("model.safetensors", weights.clone()), ("config.json", b"{}".to_vec())];
        let checkpoint =
            open(own.into_iter().chain(files.into_iter().map(|(name, text)| (name, text.into()))).collect()).unwrap();
        let error = checkpoint.chat_template().unwrap().render(&[], true).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error:?} does not begin with {said:?}");
        let [notice @ FileNotice::TemplateRefused { .. }] = checkpoint.notices() else { panic!("{:?}", checkpoint.notices()) };
        assert!(notice.to_string().contains("the chat template cannot be used"), "{notice}");
    }
    let gguf = gguf_with_tokenizer(&fixture("smollm")).entry("tokenizer.chat_template", &json!("{{ }")).bytes();
    let checkpoint = open(vec![("tiny.gguf", gguf)]).unwrap();
    assert!(matches!(checkpoint.notices(), [FileNotice::TemplateRefused { .. }]), "{:?}", checkpoint.notices());
    assert!(!checkpoint.tokenizer().unwrap().encode("the cat", true).unwrap().is_empty());
}

/// An end of text between a prompt and its answer would have the model answer something else.
#[test]
fn an_end_of_text_is_not_put_after_a_text() {
    let mut file = fixture("smollm");
    let plain =
        Tokenizer::from_json("t", file["tokenizer_json"].to_string().as_bytes()).unwrap().encode("the cat", true).unwrap();
    file["tokenizer_json"]["post_processor"] = json!({"type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|im_end|>", "type_id": 0}}],
        "special_tokens": {"<|im_end|>": {"id": "<|im_end|>", "ids": [2], "tokens": ["<|im_end|>"]}}});
    file["gguf"]["add_eos_token"] = json!(true);
    file["gguf"]["eos_token_id"] = json!(2);
    let folder = vec![
        ("model.safetensors", common::safetensors(&json!({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), 8)),
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", file["tokenizer_json"].to_string().into()),
    ];
    for checkpoint in [open(folder).unwrap(), open(vec![("tiny.gguf", gguf_with_tokenizer(&file).bytes())]).unwrap()] {
        assert_eq!(checkpoint.tokenizer().unwrap().encode("the cat", true).unwrap(), plain);
        let [notice @ FileNotice::EndTokenLeftOut { .. }] = checkpoint.notices() else { panic!("{:?}", checkpoint.notices()) };
        assert!(notice.to_string().contains("texts are to end with <|im_end|>; it is left out"), "{notice}");
    }
}

/// Qwen and others leave ids free between their vocabulary and the tokens added to it.
#[test]
fn added_tokens_keep_their_ids_across_a_gap() {
    let mut file = fixture("smollm")["tokenizer_json"].clone();
    file["added_tokens"][3]["id"] = json!(700);
    let tokenizer = Tokenizer::from_json("tokenizer.json", file.to_string().as_bytes()).unwrap();
    assert_eq!(tokenizer.encode("[tool]", true).unwrap(), [700]);
    assert_eq!((tokenizer.vocab_size(), tokenizer.token_text(500).as_deref()), (701, Some("")));
}

#[test]
fn empty_tokens_of_a_gguf_file_stand_for_nothing_that_is_encoded() {
    let mut file = fixture("smollm");
    let tokens = file["gguf"]["tokens"].as_array_mut().unwrap();
    tokens.extend([json!(""), json!("")]);
    let size = tokens.len();
    file["gguf"]["token_type"].as_array_mut().unwrap().extend([json!(1), json!(1)]);
    let bytes = gguf_with_tokenizer(&file).bytes();
    let header = gguf::parse("tiny.gguf", &bytes, bytes.len() as u64).unwrap().unwrap();
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap().unwrap();
    assert_eq!(tokenizer.vocab_size(), size);
    assert!(tokenizer.encode("a [EMPTY_421] b", true).unwrap().iter().all(|&id| (id as usize) < size - 2));
}

/// Each change to a good file, and what the error must say.
#[test]
fn contradictory_gguf_tokenizers_are_refused() {
    let good = fixture("smollm");
    for (key, value, said) in [
        ("model", json!("bert"), "\"gpt2\" or \"llama\""),
        ("pre", json!("unheard-of"), "one of smollm"),
        ("token_type", json!([1, 2, 3]), "one for each of the"),
        ("merges", json!(["a b c"]), "one space between"),
        ("merges", json!(["a zzzz"]), "no token \"zzzz\""),
        ("merges", json!([1, 2]), "an array of texts"),
        ("tokens", json!(["a", "a"]), "one for each"),
        ("bos_token_id", json!(4_000_000), "an id below"),
        ("eos_token_id", json!("x"), "an integer"),
        ("add_bos_token", json!(1), "true or false"),
    ] {
        let mut bad = good.clone();
        bad["gguf"][key] = value.clone();
        let error = open(vec![("tiny.gguf", gguf_with_tokenizer(&bad).bytes())]).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.starts_with("tiny.gguf: ") && error.contains(said), "{key} = {value}: {error:?}");
    }
    let mut bad = fixture("sentencepiece");
    bad["gguf"]["scores"] = json!([0.5]);
    let error = open(vec![("tiny.gguf", gguf_with_tokenizer(&bad).bytes())]).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("tokenizer.ggml.scores: found 1 scores"), "{error}");
}

#[test]
fn contradictory_tokenizer_json_is_refused() {
    let good = fixture("smollm")["tokenizer_json"].clone();
    let many: Vec<Value> = (0..20).map(|_| json!({"type": "NFC"})).collect();
    let growing: Vec<Value> = (0..5).map(|_| json!({"type": "Prepend", "prepend": "ab"})).collect();
    for (pointer, value, said) in [
        ("/model/type", json!("Unigram"), "model.type: found Unigram, expected BPE"),
        ("/model/vocab", json!({}), "the merges"),
        ("/model/vocab", json!([["a", 1]]), "invalid type"),
        ("/model/merges", json!([["a", "b", "c"]]), "did not match"),
        ("/model/merges", json!([["!", "\""]]), "no token"),
        ("/model/unk_token", json!("<none>"), "the unknown"),
        ("/model/continuing_subword_prefix", json!("##"), "continuing_subword_prefix"),
        ("/model/vocab/!", json!(4_000_000_000_u32), "ids below"),
        ("/model/vocab/!", json!(5), "id 5 for both"),
        ("/added_tokens/0/id", json!(100_000), "ids below"),
        ("/added_tokens/3/content", json!("!"), "added_tokens: found \"!\" with id 420, expected the id that the vocabulary has"),
        ("/normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "found Precompiled"),
        ("/normalizer", json!({"type": "Sequence", "normalizers": many}), "at most 12"),
        ("/normalizer", json!({"type": "Sequence", "normalizers": growing}), "at most 12 and 4"),
        ("/normalizer", json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaa"}), "inserts a long text"),
        ("/pre_tokenizer", json!({"type": "FixedLength", "length": 0}), "found FixedLength"),
        (
            "/pre_tokenizer",
            json!({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": false}),
            "tokenizer:",
        ),
        ("/pre_tokenizer", json!(5), "without a type"),
        ("/decoder", json!({"type": "WordPiece"}), "decoder: found WordPiece"),
        ("/post_processor", json!({"type": "BertProcessing"}), "post_processor: found BertProcessing"),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {}}),
            "among special_tokens",
        ),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {"x": {"ids": [99_999]}}}),
            "id 99999",
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value.clone();
        let result = Tokenizer::from_json("tokenizer.json", bad.to_string().as_bytes());
        let error = result.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.starts_with("tokenizer.json: ") && error.contains(said), "{pointer} = {value}: {error:?}");
    }
    assert!(matches!(Tokenizer::from_json("t", b"{"), Err(WeightsError::Json { .. })));
}

/// Where special tokens may stand, and what transformers 5.24 makes of each.
#[test]
fn special_tokens_are_looked_for_where_transformers_does() {
    let tokenizer = fixture("smollm")["tokenizer_json"].to_string();
    let weights = common::safetensors(&json!({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), 8);
    let token =
        |content: &str| json!({"content": content, "lstrip": false, "normalized": false, "rstrip": false, "special": true});
    let (config, map, added) = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json");
    let text = "<|a|>the cat<|b|> <pad>x";
    let spelled = [30, 94, 67, 94, 32, 86, 262, 275, 86, 30, 94, 68, 94, 32, 223, 30, 82, 67, 70, 32, 90];
    for (files, text, ids, eos, named) in [
        (
            vec![(config, json!({"eos_token": "<|b|>", "added_tokens_decoder": {"421": token("<|a|>"), "422": token("<|b|>")}}))],
            text,
            &[421, 86, 262, 275, 86, 422, 223, 30, 82, 67, 70, 32, 90][..],
            Some(422),
            json!({"eos_token": "<|b|>"}),
        ),
        (
            vec![(config, json!({"eos_token": "<|b|>"})), (added, json!({"<|b|>": 422, "<|a|>": 421}))],
            text,
            &[421, 86, 262, 275, 86, 422, 223, 30, 82, 67, 70, 32, 90],
            Some(422),
            json!({"eos_token": "<|b|>"}),
        ),
        (
            vec![
                (config, json!({})),
                (map, json!({"eos_token": token("<|b|>"), "additional_special_tokens": ["<|a|>"], "pad_token": "<pad>"})),
            ],
            text,
            &[423, 86, 262, 275, 86, 421, 223, 422, 90],
            Some(421),
            json!({"eos_token": "<|b|>", "pad_token": "<pad>"}),
        ),
        (
            vec![(map, json!({"eos_token": "<|im_end|>", "bos_token": "<|im_start|>"}))],
            "<|im_end|>",
            &[2],
            Some(2),
            json!({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}),
        ),
        (
            vec![
                (config, json!({"eos_token": "<|im_end|>", "added_tokens_decoder": {"1": token("<|im_start|>")}})),
                (map, json!({"eos_token": "<|b|>"})),
            ],
            text,
            &spelled,
            Some(2),
            json!({"eos_token": "<|im_end|>"}),
        ),
        (
            vec![(config, json!({"eos_token": "<|im_start|>"})), (map, json!({"eos_token": "<|im_end|>"}))],
            "<|im_end|>",
            &[2],
            Some(2),
            json!({"eos_token": "<|im_end|>"}),
        ),
        (
            vec![(config, json!({"extra_special_tokens": {"image_token": "<|a|>"}, "eot_token": "<|b|>"}))],
            text,
            &[422, 86, 262, 275, 86, 421, 223, 30, 82, 67, 70, 32, 90],
            None,
            json!({"eot_token": "<|b|>", "image_token": "<|a|>"}),
        ),
        // Embeddings that there are not are none for a token that only a name asks for.
        (
            vec![("config.json", json!({"vocab_size": 421})), (config, json!({"pad_token": "<pad>"}))],
            "<pad>x",
            &[30, 82, 67, 70, 32, 90],
            None,
            json!({"pad_token": "<pad>"}),
        ),
    ] {
        let mut all = vec![("model.safetensors", weights.clone()), ("tokenizer.json", tokenizer.clone().into())];
        if files.iter().all(|(name, _)| *name != "config.json") {
            all.push(("config.json", b"{}".to_vec()));
        }
        all.extend(files.iter().map(|(name, content)| (*name, content.to_string().into())));
        let checkpoint = open(all).unwrap();
        let tokenizer = checkpoint.tokenizer().unwrap();
        assert_eq!(tokenizer.encode(text, false).unwrap(), ids, "{files:?}");
        assert_eq!(tokenizer.eos_id(), eos, "{files:?}");
        assert!(eos.is_none_or(|eos| tokenizer.end_ids().contains(&eos) && tokenizer.is_special(eos)), "{files:?}");
        assert_eq!(json!(tokenizer.special_tokens()), named, "{files:?}");
    }
}

#[test]
fn a_gguf_file_that_does_not_say_how_texts_are_split_is_guessed_aloud() {
    let mut file = fixture("smollm");
    file["gguf"].as_object_mut().unwrap().remove("pre");
    let checkpoint = open(vec![("tiny.gguf", gguf_with_tokenizer(&file).bytes())]).unwrap();
    let [notice @ FileNotice::PreTokenizerAssumed { .. }] = checkpoint.notices() else { panic!("{:?}", checkpoint.notices()) };
    assert_eq!(
        notice.to_string(),
        "tiny.gguf: no tokenizer.ggml.pre says how texts are split into tokens; this is a guess: \"gpt-2\", which most \
         byte-level vocabularies are made with"
    );
    // By a token that only one family has in its place.
    let tokens = file["gguf"]["tokens"].as_array_mut().unwrap();
    tokens.extend((tokens.len()..128_000).map(|id| json!(format!("[{id}]"))));
    tokens.push(json!("<|begin_of_text|>"));
    let n_tokens = tokens.len();
    file["gguf"]["token_type"].as_array_mut().unwrap().resize(n_tokens, json!(1));
    let checkpoint = open(vec![("tiny.gguf", gguf_with_tokenizer(&file).bytes())]).unwrap();
    assert!(checkpoint.notices()[0].to_string().ends_with("a guess: \"llama-bpe\", since the vocabulary is Llama 3's"));
}

/// Special tokens of a GGUF file have their names in templates; without types they are known by the keys that name them.
#[test]
fn the_special_tokens_of_a_gguf_file_are_named() {
    let mut file = fixture("smollm");
    file["gguf"]["padding_token_id"] = json!(0);
    for types in [true, false] {
        if !types {
            file["gguf"].as_object_mut().unwrap().remove("token_type");
        }
        let gguf = gguf_with_tokenizer(&file)
            // Written for "none".
            .raw("tokenizer.ggml.mask_token_id", 5, &(-1_i32).to_le_bytes())
            .entry("tokenizer.ggml.cls_token_id", &json!(u32::MAX))
            .entry("tokenizer.chat_template", &json!("{{ bos_token }}{{ pad_token }}{{ unk_token is defined }}"));
        let checkpoint = open(vec![("tiny.gguf", gguf.bytes())]).unwrap();
        let tokenizer = checkpoint.tokenizer().unwrap();
        let bos = tokenizer.special_tokens()["bos_token"].clone();
        let rendered = checkpoint.chat_template().unwrap().render(&[], false).unwrap();
        assert!(rendered.starts_with(&format!("{bos}<|endoftext|>")), "{rendered}");
        assert_eq!(tokenizer.encode("<|endoftext|>", false).unwrap(), [0], "types: {types}");
        assert!(tokenizer.is_special(0) && tokenizer.end_ids().contains(&0));
    }
}
