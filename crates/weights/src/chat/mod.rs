//! How a conversation becomes a prompt: the Jinja template that comes with a model.

mod arguments;
mod date;
mod escape;
mod filters;
mod guard;
mod json;
mod message;
mod methods;
mod places;
mod python;
mod values;
mod wrap;

pub use message::{Message, Part};
pub use places::{Place, PlacedText, Rendered};

use crate::WeightsError;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::collections::BTreeMap;
use values::{check_size, guarded, stored};

/// Work that rendering may take. minijinja counts about one for each instruction and each 64 bytes made, so that this bounds
/// the time (tenths of a second) and the memory (64 MB) of a template that means ill, and leaves a conversation of two hundred
/// long messages ample room.
const FUEL: u64 = 1_000_000;
/// Longest template; the longest known ones have 20 KB.
const MAX_TEMPLATE_BYTES: usize = 256 << 10;
/// Depth of nesting in a template.
const RECURSION_LIMIT: usize = 50;
const NAME: &str = "chat";

/// Texts of special tokens by their names, such as `eos_token`. What a model does not have is not among them.
pub type SpecialTokens = BTreeMap<String, String>;

/// A model's chat template. One that cannot be used stops nobody who does not use it: it says why when it is to render.
///
/// Templates come with model files and are not trusted: they see nothing but the messages, and their work is limited.
pub struct ChatTemplate {
    file: String,
    /// With the template compiled in it; or why there is none.
    environment: Result<Environment<'static>, String>,
    special_tokens: SpecialTokens,
    /// Whether it is of a model that sees pictures.
    sees_pictures: bool,
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChatTemplate({})", self.file)
    }
}

impl ChatTemplate {
    /// Compiles a template, which may use the texts of special tokens by their names.
    pub fn new(file: &str, template: &str, special_tokens: SpecialTokens) -> ChatTemplate {
        ChatTemplate { file: file.to_owned(), environment: compile(template), special_tokens, sees_pictures: false }
    }

    /// A template that is there and cannot be used.
    pub(crate) fn unusable(file: &str, reason: String) -> ChatTemplate {
        let special_tokens = SpecialTokens::new();
        ChatTemplate { file: file.to_owned(), environment: Err(reason), special_tokens, sees_pictures: false }
    }

    /// The file it comes from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Why it cannot be used: it is no Jinja, or asks for what no template gets. `None` when it can.
    pub fn refused(&self) -> Option<&str> {
        self.environment.as_ref().err().map(String::as_str)
    }

    /// The same as a model that sees pictures has it: the content of messages is a list of parts, whether there are pictures
    /// among them or not, as Hugging Face's processors give it.
    pub fn for_pictures(self) -> ChatTemplate {
        ChatTemplate { sees_pictures: true, ..self }
    }

    /// The prompt for a conversation; `add_generation_prompt` ends it where the assistant's answer begins.
    ///
    /// # Errors
    /// When the template refuses the conversation, fails, or takes too much work; and when there are pictures in it, but the
    /// model sees none.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String, WeightsError> {
        let content = |message: &Message| {
            if self.sees_pictures {
                return Ok(message.content.iter().map(Part::value).collect::<Value>());
            }
            message.text().map(Value::from).ok_or_else(|| WeightsError::NoPictures { file: self.file.clone() })
        };
        let value = |message: &Message| {
            Ok(Value::from_pairs([("role", Value::from(message.role.as_str())), ("content", content(message)?)]))
        };
        let messages: Value = messages.iter().map(value).collect::<Result<Vec<Value>, WeightsError>>()?.into();
        let failed = |reason: String| WeightsError::ChatTemplate { file: self.file.clone(), reason };
        let environment = self.environment.as_ref().map_err(|reason| failed(reason.clone()))?;
        // As transformers gives them: special tokens that there are, and no tools and documents, which is not nothing at all.
        let own = [
            ("messages", messages),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(add_generation_prompt)),
        ];
        let special = self.special_tokens.iter().map(|(name, text)| (name.as_str(), Value::from(text.as_str())));
        let context = Value::from_pairs(special.chain(own));
        let render = || environment.get_template(NAME)?.render(&context);
        render().map_err(|error| failed(describe(&error)))
    }
}

/// What renders a template, with the template in it; or why it cannot be used.
fn compile(template: &str) -> Result<Environment<'static>, String> {
    if template.len() > MAX_TEMPLATE_BYTES {
        return Err(format!("found {} bytes, expected at most {MAX_TEMPLATE_BYTES}", template.len()));
    }
    let mut environment = Environment::new();
    // As transformers' `apply_chat_template` sets up Jinja.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| describe(&error))?);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(methods::call);
    environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_function("strftime_now", date::strftime_now);
    // What turns lists and maps into text is charged for only when it is done; so this looks at their size before.
    environment.set_formatter(|out, state, value| {
        check_size(value)?;
        if value.is_number() && !value.is_integer() {
            return out.write_str(&filters::text_of(value)).map_err(Error::from);
        }
        minijinja::escape_formatter(out, state, value)
    });
    filters::add(&mut environment);
    environment.add_function(guard::GUARD, guarded);
    environment.add_function(guard::STORED, stored);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_LIMIT);
    environment.add_template_owned(NAME, guard::guard(template)?).map_err(|error| describe(&error))?;
    Ok(environment)
}

fn describe(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{error}{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, messages: &[Message]) -> Result<String, WeightsError> {
        let special = [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        ChatTemplate::new("f", template, special.into()).render(messages, true)
    }

    #[test]
    fn a_template_sees_messages_and_tokens() {
        let template = "{{ bos_token }}{% for m in messages %}\n[{{ m['role'] }}] {{ m.content.strip() }}{{ eos_token }}\n{% endfor %}\n\
                        {% if add_generation_prompt %}go{% endif %}";
        let text = render(template, &[Message::new("user", "  Hi <b>  "), Message::new("assistant", "Ho")]).unwrap();
        assert_eq!(text, "<s>[user] Hi <b></s>\n[assistant] Ho</s>\ngo");
    }

    /// SmolVLM's own template, which looks into the content's first part.
    const SMOLVLM: &str = "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}\
        {% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}\
        {% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}\
        {% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}\
        {% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

    #[test]
    fn a_model_that_sees_pictures_gets_parts() {
        let template = ChatTemplate::new("f", SMOLVLM, SpecialTokens::new()).for_pictures();
        let messages = [Message::new("system", "Be brief."), Message::with_images("user", 2, "Which is red?")];
        let expected = "<|im_start|>System: Be brief.<end_of_utterance>\nUser:<image><image>Which is red?<end_of_utterance>\n";
        assert_eq!(template.render(&messages, true).unwrap(), format!("{expected}Assistant:"));
        assert_eq!(template.render(&messages, false).unwrap(), expected);
        let without = template.render(&[Message::new("user", "Why?")], true).unwrap();
        assert_eq!(without, "<|im_start|>User: Why?<end_of_utterance>\nAssistant:");
    }

    #[test]
    fn a_model_that_reads_text_gets_it_as_a_whole_and_no_pictures() {
        let template = "{% for m in messages %}{{ m.content is string }}{{ m.content }}{% endfor %}";
        let parts = vec![Part::Text("a ".to_owned()), Part::Text("b".to_owned())];
        assert_eq!(render(template, &[Message { role: "user".to_owned(), content: parts }]).unwrap(), "Truea b");
        let error = render(template, &[Message::with_images("user", 1, "What is it?")]).unwrap_err();
        assert_eq!(error.to_string(), "f: a message has a picture, but the model reads text only");
    }

    /// The limits are for templates that mean ill: a megabyte of conversation is none.
    #[test]
    fn a_long_conversation_is_rendered() {
        let template = "{% set ns = namespace(seen=[]) %}{% for m in messages %}{% set ns.seen = ns.seen + [{'role': m.role}] %}\
                        {{ '<|' ~ m['role'] ~ '|>' + m['content'] | trim + eos_token }}{% endfor %}{{ ns.seen | length }}";
        let messages: Vec<Message> =
            (0..200).map(|i| Message::new(if i % 2 == 0 { "user" } else { "assistant" }, "word ".repeat(1000))).collect();
        let text = render(template, &messages).unwrap();
        assert!(text.len() > 990_000 && text.ends_with("</s>200"), "{} bytes", text.len());
    }

    #[test]
    fn a_template_can_refuse() {
        let error = render(
            "{% if messages[0].role != 'user' %}{{ raise_exception('users first') }}{% endif %}",
            &[Message::new("x", "")],
        );
        assert!(error.unwrap_err().to_string().contains("users first"));
    }

    #[test]
    fn a_template_knows_the_year() {
        assert_eq!(render("{{ strftime_now('%Y') }}", &[]).unwrap().len(), 4);
    }

    #[test]
    fn json_is_written_as_python_does() {
        assert_eq!(render("{{ {'a': [1, 'x<é', none, true]} | tojson }}", &[]).unwrap(), r#"{"a": [1, "x<é", null, true]}"#);
        assert_eq!(render("{{ [1] | tojson(indent=2) }}", &[]).unwrap(), "[\n  1\n]");
    }

    #[test]
    fn a_template_that_means_ill_ends_with_an_error() {
        for ill in [
            "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'x' * 1000000000 }}",
            "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
            "{{ range(1000000000) | list }}",
            "{{ 'x'.replace('x', 'x' * 100000).replace('x', 'x' * 100000) }}",
            "{% include 'chat' %}",
            "{{ '%0900000000d' | format(1) }}",
            "{{ 'a'.ljust(1000000000) }}",
            "{{ ['x' * 60000] * 60000 | join | tojson }}",
            "{{ (['x' * 60000] * 60000) | join }}",
            "{{ (['x' * 6000] * 6000) | tojson }}",
            "{{ ''.join(['x' * 60000] * 60000) }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | string }}",
            "{% set ns = namespace(s=['x']) %}{% for i in range(60) %}{% set ns.s = {'a': ns.s, 'b': ns.s} %}{% endfor %}{{ ns.s | tojson }}",
            "{% set ns = namespace(s=[]) %}{% for i in range(10000) %}{% for j in range(100) %}{% set ns.s = [ns.s] %}{% endfor %}\
             {% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[]) %}{% for i in range(200) %}{% for j in range(100) %}{% set ns.s = [ns.s] %}{% endfor %}\
             {% endfor %}{{ ns.s | tojson }}",
            "{% set ns = namespace(s='x', t='x') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}\
             {% endfor %}{{ ns.s == ns.t }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = {'a': ns.s, 'b': ns.s} %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = dict(a=ns.s, b=ns.s) %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s=0) %}{% set ns.s = ns %}{{ ns }}",
            "{% set ns = namespace(s=0) %}{% set ns.s = ns %}{{ ns ~ '' }}",
            "{% set ns = namespace(s=0) %}{% for i in range(10000) %}{% set ns.s = namespace(s=ns.s) %}{% endfor %}{{ ns }}",
            "{% macro m(x) %}{{ m([x, x]) }}{% endmacro %}{{ m('x') }}",
            "{{ ([1] * 1000000000) ~ '' }}",
            "{{ [1] * 100000000 }}",
            "{% set x = [[1] * 60000] * 60000 %}{{ x | length }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s * 2 %}{% endfor %}{{ ns.s | length }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s] * 2 %}{% endfor %}{{ ns.s | string }}",
            "{% macro m(x) %}{{ m(x | batch(1) | batch(1) | batch(1)) }}{% endmacro %}{{ m([1]) }}",
            "{{ [1] | batch(900000000, 0) }}",
            "{{ [1] | slice(900000000) }}",
            "{{ 'a' | center(1000000000) }}",
            "{{ ('a\n' * 1000) | indent(1000000) }}",
            "{{ ('a b ' * 10000) | wordwrap(1, wrapstring='x' * 10000) }}",
            "{{ '%900000000d' | format(1) }}",
            "{{ '{:900000000}'.format(1) }}",
            "{{ '{:9000000}{:9000000}'.format(1, 2) }}",
            "{{ '1'.zfill(900000000) }}",
            "{{ '\t'.expandtabs(900000000) }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s] %}{% endfor %}\
             {% for i in range(10000) %}{{ ns.s | tojson(indent=60) }}{% endfor %}",
            "{{ '{:>900000000}'.format('x') }}",
            "{{ '{:.900000000f}'.format(1.5) }}",
            "{{ 'x'.replace('', 'x' * 1000).replace('', 'x' * 1000).replace('', 'x' * 1000) }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | join }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s ~ '' }}",
            "{% set ns = namespace(s=['']) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | sort }}",
        ] {
            let start = std::time::Instant::now();
            let result = render(ill, &[]);
            assert!(matches!(result, Err(WeightsError::ChatTemplate { .. })), "{ill}: {} bytes", result.unwrap().len());
            assert!(start.elapsed().as_secs() < 5, "{ill} took {:?}", start.elapsed());
        }
    }

    /// A parser that follows the nesting of a template must not follow it beyond its stack.
    #[test]
    fn a_long_or_deeply_nested_template_is_compiled_or_refused() {
        for n in [900, 20_000] {
            for (kind, template) in [
                ("lists", format!("{{{{ {} }}}}", "[".repeat(n))),
                ("closed lists", format!("{{{{ {}{} }}}}", "[".repeat(n), "]".repeat(n))),
                ("parentheses", format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n))),
                ("maps", format!("{{{{ {}1{} }}}}", "{1:".repeat(n), "}".repeat(n))),
                ("negations", format!("{{{{ {}x }}}}", "not ".repeat(n))),
                ("minuses", format!("{{{{ {}1 }}}}", "-".repeat(n))),
                ("attributes", format!("{{{{ x{} }}}}", ".x".repeat(n))),
                ("indices", format!("{{{{ x{} }}}}", "[0]".repeat(n))),
                ("calls", format!("{{{{ x{} }}}}", "()".repeat(n))),
                ("filters", format!("{{{{ x{} }}}}", "|list".repeat(n))),
                ("tests", format!("{{{{ x{} }}}}", " is defined".repeat(n))),
                ("sums", format!("{{{{ 1{} }}}}", "+1".repeat(n))),
                ("texts", format!("{{{{ 1{} }}}}", "~1".repeat(n))),
                ("ands", format!("{{{{ 1{} }}}}", " and 1".repeat(n))),
                ("powers", format!("{{{{ 1{} }}}}", "**1".repeat(n))),
                ("comparisons", format!("{{{{ 1{} }}}}", "<1".repeat(n))),
                ("ternaries", format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(n))),
                ("ifs", format!("{}{}", "{% if 1 %}".repeat(n), "{% endif %}".repeat(n))),
                ("elifs", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(n))),
                ("ifs without spaces", format!("{}{}", "{%if(1)%}".repeat(n), "{%endif%}".repeat(n))),
                ("fors", format!("{}{}", "{% for i in x %}".repeat(n), "{% endfor %}".repeat(n))),
                ("macros", format!("{}{}", "{% macro m() %}".repeat(n), "{% endmacro %}".repeat(n))),
                ("targets", format!("{{% for {}a{} in x %}}{{% endfor %}}", "(".repeat(n), ",)".repeat(n))),
            ] {
                println!("{kind}");
                let start = std::time::Instant::now();
                let _ = render(&template, &[]);
                assert!(start.elapsed().as_secs() < 5, "{kind} took {:?}", start.elapsed());
            }
        }
    }

    #[test]
    fn what_is_no_template_is_told_with_the_line_when_it_is_used() {
        let template = ChatTemplate::new("f.jinja", "{% if x %}\n{{ }\n", SpecialTokens::new());
        assert!(template.refused().is_some_and(|reason| reason.contains("line 2")));
        let error = template.render(&[], true).unwrap_err().to_string();
        assert!(error.starts_with("f.jinja: chat template:") && error.contains("line 2"), "{error}");
        let long = ChatTemplate::new("f", &" ".repeat(MAX_TEMPLATE_BYTES + 1), SpecialTokens::new());
        assert_eq!(long.refused(), Some("found 262145 bytes, expected at most 262144"));
        assert_eq!(ChatTemplate::new("f", "{{ x }}", SpecialTokens::new()).refused(), None);
    }
}
