//! Chat templates render as in transformers: values of `render_jinja_template` of transformers 5.24 with Jinja 3.1.6.

use serde::Deserialize;
use std::path::Path;
use weights::{ChatTemplate, Message, SpecialTokens};

#[derive(Deserialize)]
struct Case {
    template: String,
    messages: String,
    /// `None` where transformers refuses.
    rendered: Option<String>,
    /// What no template here may use; it is an error, and nothing else than in transformers.
    #[serde(default)]
    refused_here: bool,
}

#[test]
fn templates_render_as_in_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates.json");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let one = [Message::new("user", "the cat")];
    let three = [Message::new("system", "Be brief."), Message::new("user", "Hi <b> é\n\"q\""), Message::new("assistant", "Ho")];
    let special: SpecialTokens = [("bos_token", "<s>"), ("eos_token", "</s>"), ("pad_token", "<pad>")]
        .map(|(name, text)| (name.into(), text.into()))
        .into();
    let mut wrong = Vec::new();
    for Case { template, messages, rendered, refused_here } in &cases {
        let messages = if messages == "one" { &one[..] } else { &three };
        let ours = ChatTemplate::new("f", template, special.clone()).render(messages, true);
        match (&ours, rendered) {
            (Ok(ours), Some(theirs)) if ours == theirs && !refused_here => {}
            (Err(_), None) => {}
            (Err(_), Some(_)) if *refused_here => {}
            _ => wrong.push(format!("{template:?}\n  transformers: {rendered:?}\n  ours: {ours:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
