//! The tokenizer of a model in the layout of Hugging Face: `tokenizer.json` and the files that add to it.

use super::Tokenizer;
use super::decode::Spelling;
use super::merges;
use super::parts::Parts;
use super::special::SpecialFiles;
use crate::chat::{ChatTemplate, SpecialTokens};
use crate::{ModelFiles, WeightsError};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tokenizers::AddedToken;

/// The largest known `tokenizer.json` (a quarter of a million tokens) has 34 MB.
const TOKENIZER_LIMIT_BYTES: u64 = 64 << 20;
/// `tokenizer_config.json` may list all added tokens.
const CONFIG_LIMIT_BYTES: u64 = 16 << 20;
/// A template or a list of ids.
const SMALL_LIMIT_BYTES: u64 = 1 << 20;

/// `tokenizer.json`, as far as it matters here. `truncation` and `padding` are for batches, `version` has only one value.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(default)]
    added_tokens: Vec<RawAdded>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    #[serde(borrow)]
    model: RawModel<'a>,
}

#[derive(Deserialize)]
struct RawAdded {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

#[derive(Deserialize)]
struct RawModel<'a> {
    #[serde(borrow)]
    vocab: BTreeMap<Cow<'a, str>, u32>,
    #[serde(borrow)]
    merges: Vec<RawMerge<'a>>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
}

/// A merge as newer files and as older ones have it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawMerge<'a> {
    Pair(#[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Cow<'a, str>),
    Joined(#[serde(borrow)] Cow<'a, str>),
}

/// Read first, so that a model of another kind is told by its name and not by its vocabulary's shape.
#[derive(Deserialize)]
struct Kind {
    model: KindOfModel,
}

#[derive(Deserialize)]
struct KindOfModel {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The parts that `tokenizer.json` describes.
pub(super) fn parts(file: &str, json: &[u8]) -> Result<Parts, WeightsError> {
    let bad_json = |source| WeightsError::Json { file: file.to_owned(), source };
    let wrong = |key: &str, found: String, expected: &str| WeightsError::Value {
        file: file.to_owned(),
        key: key.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    // Files from before models had a type are all BPE if they have merges, which is checked next.
    let kind = serde_json::from_slice::<Kind>(json).map_err(bad_json)?.model.kind.unwrap_or_else(|| "BPE".to_owned());
    if kind != "BPE" {
        return Err(wrong("model.type", kind, "BPE"));
    }
    let raw: Raw = serde_json::from_slice(json).map_err(bad_json)?;
    let model = raw.model;
    for (key, affix) in
        [("continuing_subword_prefix", &model.continuing_subword_prefix), ("end_of_word_suffix", &model.end_of_word_suffix)]
    {
        if let Some(affix) = affix.as_ref().filter(|affix| !affix.is_empty()) {
            return Err(wrong(&format!("model.{key}"), format!("{affix:?}"), "none"));
        }
    }
    let merges = model.merges.into_iter().map(|merge| match merge {
        RawMerge::Pair(left, right) => Ok((left.into_owned(), right.into_owned())),
        RawMerge::Joined(merge) => merges::split(file, "model.merges", &merge),
    });
    let (prefix, suffix) = match &raw.post_processor {
        Some(processor) => around(file, processor)?,
        None => (Vec::new(), Vec::new()),
    };
    Ok(Parts {
        merges: merges.collect::<Result<_, _>>()?,
        vocab: model.vocab.into_iter().map(|(token, id)| (token.into_owned(), id)).collect(),
        unk_token: model.unk_token,
        fuse_unk: model.fuse_unk.unwrap_or(false),
        byte_fallback: model.byte_fallback.unwrap_or(false),
        ignore_merges: model.ignore_merges.unwrap_or(false),
        spelling: spelling(file, raw.decoder.as_ref())?,
        normalizer: raw.normalizer,
        pre_tokenizer: raw.pre_tokenizer,
        added: raw.added_tokens.into_iter().map(|added| (added.id, added.token)).collect(),
        prefix,
        suffix,
        bos: None,
        eos: None,
        end_ids: Vec::new(),
        special_tokens: SpecialTokens::new(),
        notices: Vec::new(),
    })
}

/// A component and, if it is a sequence, all those in it.
fn flatten<'a>(component: &'a Value, list: &str) -> Vec<&'a Value> {
    let mut all = Vec::new();
    let mut open = vec![component];
    while let Some(component) = open.pop() {
        all.push(component);
        // Last first, so that the first is popped next.
        open.extend(component.get(list).and_then(Value::as_array).into_iter().flatten().rev());
    }
    all
}

fn type_of(component: &Value) -> &str {
    component.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// How the vocabulary spells bytes, by the decoder that goes with it.
fn spelling(file: &str, decoder: Option<&Value>) -> Result<Spelling, WeightsError> {
    let components = decoder.map(|decoder| flatten(decoder, "decoders")).unwrap_or_default();
    let has = |kind: &str| components.iter().any(|component| type_of(component) == kind);
    if has("ByteLevel") {
        return Ok(Spelling::ByteLevel);
    }
    if has("ByteFallback") || has("Metaspace") || has("Replace") {
        let puts_no_space = |component: &&Value| component.get("prepend_scheme").and_then(Value::as_str) == Some("never");
        let strips = components.iter().any(|component| match type_of(component) {
            "Strip" => component.get("start").and_then(Value::as_u64).is_some_and(|start| start > 0),
            "Metaspace" => !puts_no_space(component),
            _ => false,
        });
        return Ok(Spelling::Sentencepiece { strip_leading_space: strips });
    }
    Err(WeightsError::Value {
        file: file.to_owned(),
        key: "decoder".to_owned(),
        found: decoder.map_or("none", type_of).to_owned(),
        expected: "ByteLevel, or ByteFallback, Metaspace or Replace".to_owned(),
    })
}

/// What a post-processor puts before and after a text.
fn around(file: &str, processor: &Value) -> Result<(Vec<u32>, Vec<u32>), WeightsError> {
    let wrong = |found: &str, expected: &str| WeightsError::Value {
        file: file.to_owned(),
        key: "post_processor".to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for component in flatten(processor, "processors") {
        match type_of(component) {
            "Sequence" | "ByteLevel" => {}
            "TemplateProcessing" => {
                let mut seen_text = false;
                for piece in component.get("single").and_then(Value::as_array).into_iter().flatten() {
                    if piece.get("Sequence").is_some() {
                        seen_text = true;
                        continue;
                    }
                    let name = piece.pointer("/SpecialToken/id").and_then(Value::as_str);
                    let token = name.and_then(|name| component.get("special_tokens")?.get(name));
                    let ids = token.and_then(|token| token.get("ids")).and_then(Value::as_array);
                    let ids =
                        ids.ok_or_else(|| wrong(&format!("a template with {piece}"), "pieces with ids among special_tokens"))?;
                    for id in ids {
                        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
                        let id = id.ok_or_else(|| wrong(&format!("{name:?} without a number as id"), "ids"))?;
                        if seen_text { after.push(id) } else { before.push(id) }
                    }
                }
            }
            other => return Err(wrong(other, "TemplateProcessing, ByteLevel or Sequence")),
        }
    }
    Ok((before, after))
}

/// What the folder of a model says about its tokenizer, read but not yet put together.
pub(crate) struct HfTokenizerFiles {
    tokenizer: Option<(String, Vec<u8>)>,
    special: SpecialFiles,
    config_name: String,
    template: Option<Template>,
    /// The template within a file of older processors, which models that see pictures have.
    processor_template: Option<Template>,
    generation_config: Value,
}

/// A chat template: its file, and its text or why that cannot be had.
struct Template {
    file: String,
    text: Result<String, String>,
}

/// A file that holds an object, and its name; an empty one if there is no such file.
async fn object(
    files: &mut ModelFiles,
    name: &'static str,
    limit_bytes: u64,
) -> Result<(String, Map<String, Value>), WeightsError> {
    match files.read(name, limit_bytes).await? {
        Some((file, json)) => match serde_json::from_slice(&json) {
            Ok(object) => Ok((file, object)),
            Err(source) => Err(WeightsError::Json { file, source }),
        },
        None => Ok((String::new(), Map::new())),
    }
}

/// The template in an object's `chat_template`: a text, or the one of several that is named `default`.
fn template_in(chat_template: &Value) -> Result<String, String> {
    if let Some(text) = chat_template.as_str() {
        return Ok(text.to_owned());
    }
    let field = |named: &Value, field: &str| named.get(field).and_then(Value::as_str).map(str::to_owned);
    let all = chat_template.as_array().into_iter().flatten();
    let names: Vec<String> = all.clone().filter_map(|named| field(named, "name")).collect();
    let default = all.filter(|named| field(named, "name").as_deref() == Some("default"));
    let found =
        if names.is_empty() { "neither a text nor a list".to_owned() } else { format!("templates named {}", names.join(", ")) };
    default
        .filter_map(|named| field(named, "template"))
        .next()
        .ok_or_else(|| format!("found {found}, expected a text or one named default"))
}

impl HfTokenizerFiles {
    pub(crate) async fn read(files: &mut ModelFiles) -> Result<HfTokenizerFiles, WeightsError> {
        let tokenizer = files.read("tokenizer.json", TOKENIZER_LIMIT_BYTES).await?;
        let (config_name, config) = object(files, "tokenizer_config.json", CONFIG_LIMIT_BYTES).await?;
        let mut special = SpecialFiles { config, ..SpecialFiles::default() };
        // As in transformers: where the configuration lists all added tokens, the older files are not looked at.
        if !special.lists_all() {
            special.map = object(files, "special_tokens_map.json", SMALL_LIMIT_BYTES).await?.1;
            special.added = object(files, "added_tokens.json", CONFIG_LIMIT_BYTES).await?.1;
        }
        let template = files.read("chat_template.jinja", SMALL_LIMIT_BYTES).await?.map(|(file, text)| {
            let text = String::from_utf8(text).map_err(|error| error.to_string());
            Template { file, text }
        });
        let processor_template = files.read("chat_template.json", SMALL_LIMIT_BYTES).await?.map(|(file, json)| {
            let json = serde_json::from_slice::<Value>(&json).map_err(|error| error.to_string());
            Template { file, text: json.and_then(|json| template_in(json.get("chat_template").unwrap_or(&Value::Null))) }
        });
        let generation_config = match files.read("generation_config.json", SMALL_LIMIT_BYTES).await? {
            Some((file, json)) => serde_json::from_slice(&json).map_err(|source| WeightsError::Json { file, source })?,
            None => Value::Null,
        };
        Ok(HfTokenizerFiles { tokenizer, special, config_name, template, processor_template, generation_config })
    }

    /// The tokenizer, `None` without a `tokenizer.json`. `model_config` is `config.json`, which may declare special tokens.
    pub(crate) fn tokenizer(&self, model_config: &Value) -> Result<Option<Tokenizer>, WeightsError> {
        let Some((file, json)) = &self.tokenizer else { return Ok(None) };
        let mut parts = parts(file, json)?;
        let vocab_size = model_config.get("vocab_size").or_else(|| model_config.pointer("/text_config/vocab_size"));
        self.special.add_to(&mut parts, vocab_size.and_then(Value::as_u64));
        let named = self.special.named();
        let id_of = |name: &str| {
            let text = named.get(name)?;
            let added = parts.added.iter().find(|(_, added)| added.content == *text).map(|(id, _)| *id);
            added.or_else(|| parts.vocab.iter().find(|(token, _)| token == text).map(|(_, id)| *id))
        };
        // A configuration may count on tokens that this vocabulary lacks; those can never come up.
        let last = parts.vocab.iter().map(|(_, id)| *id).chain(parts.added.iter().map(|(id, _)| *id)).max().unwrap_or(0);
        let ids = |config: &Value, key: &str| -> Vec<u32> {
            let value = config.get(key);
            let several = value.and_then(Value::as_array).into_iter().flatten();
            let all = several.chain(value).filter_map(Value::as_u64);
            all.filter_map(|id| u32::try_from(id).ok()).filter(|&id| id <= last).collect()
        };
        let bos = id_of("bos_token").or_else(|| ids(model_config, "bos_token_id").first().copied());
        let end_ids = [ids(model_config, "eos_token_id"), ids(&self.generation_config, "eos_token_id")].concat();
        let eos = id_of("eos_token").or_else(|| end_ids.first().copied());
        (parts.bos, parts.eos, parts.end_ids) = (bos, eos, end_ids);
        parts.special_tokens = named;
        parts.build(file).map(Some)
    }

    /// The chat template: a file of its own, or what the tokenizer's configuration has. Of a model that sees pictures the
    /// processor's comes first, as by the library that writes these files; other models' tokenizers do not look at it.
    pub(crate) fn chat_template(&self, sees_pictures: bool) -> Option<ChatTemplate> {
        let of_processor = self.processor_template.as_ref().filter(|_| sees_pictures);
        let own = of_processor.or(self.template.as_ref()).map(|own| (own.file.as_str(), own.text.clone()));
        let configured = || {
            Some((
                self.config_name.as_str(),
                template_in(self.special.config.get("chat_template").filter(|template| !template.is_null())?),
            ))
        };
        let (file, text) = own.or_else(configured)?;
        let template = match text {
            Ok(text) => ChatTemplate::new(file, &text, self.special.named()),
            Err(reason) => ChatTemplate::unusable(file, reason),
        };
        Some(if sees_pictures { template.for_pictures() } else { template })
    }
}
