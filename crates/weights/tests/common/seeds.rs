//! A few small good files for each reader, from which mutation and fuzzing start.

use super::{CHATML, Gguf, floats, safetensors};
use serde_json::{Value, json};

/// Seeds of the reader of that name, each with the name of its file.
pub(crate) fn seeds(reader: &str) -> Vec<(&'static str, Vec<u8>)> {
    match reader {
        "gguf" => vec![("small.gguf", small_gguf().bytes()), ("tokenizer.gguf", byte_level_gguf().bytes())],
        "safetensors" => vec![("two.safetensors", two_tensors()), ("integers.safetensors", with_integers())],
        "index" => vec![("index.json", index().to_string().into())],
        "tokenizer_json" => vec![("byte_level.json", byte_level_json()), ("sentencepiece.json", sentencepiece_json())],
        "gguf_tokenizer" => vec![("gpt2.gguf", byte_level_gguf().bytes()), ("llama.gguf", sentencepiece_gguf().bytes())],
        "chat_template" => vec![("chatml.jinja", CHATML.into()), ("llama.jinja", LLAMA.into())],
        "config" => {
            vec![("config.json", config().to_string().into()), ("tokenizer_config.json", tokenizer_config().to_string().into())]
        }
        other => panic!("no seeds for {other}"),
    }
}

fn small_gguf() -> Gguf {
    Gguf::new()
        .entry("general.architecture", &json!("llama"))
        .entry("general.alignment", &json!(32))
        .entry("llama.block_count", &json!(1))
        .entry("llama.rope.freq_base", &json!(10000.5))
        .entry("general.languages", &json!(["en", "de"]))
        .entry("flags", &json!([true, false]))
        .entry("numbers", &json!([1, -2, 3]))
        .entry("tokenizer.chat_template", &json!(CHATML))
        .tensor("token_embd.weight", &[4, 3], 0, &floats((0..12_u8).map(f32::from)))
        .tensor("blk.0.attn_q.weight", &[32, 2], 3, &[3; 40])
        .tensor("output_norm.weight", &[5], 1, &[1; 10])
}

fn two_tensors() -> Vec<u8> {
    let header = json!({
        "__metadata__": {"format": "pt"},
        "model.norm.weight": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
        "lm_head.weight": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [16, 28]},
    });
    safetensors(&header, 28)
}

fn with_integers() -> Vec<u8> {
    let header = json!({
        "ids": {"dtype": "I64", "shape": [1, 2], "data_offsets": [0, 16]},
        "w": {"dtype": "F16", "shape": [], "data_offsets": [16, 18]},
    });
    safetensors(&header, 18)
}

fn index() -> Value {
    json!({
        "metadata": {"total_size": 28},
        "weight_map": {"model.norm.weight": "a.safetensors", "lm_head.weight": "b.safetensors"},
    })
}

const BYTE_LEVEL: [&str; 16] =
    ["<|im_start|>", "<|im_end|>", "a", "c", "e", "h", "s", "t", "Ġ", "Ċ", "1", "2", "th", "the", "Ġc", "Ã"];
const SENTENCEPIECE: [&str; 14] = ["<unk>", "<s>", "</s>", "<0x0A>", "<0xC3>", "▁", "a", "c", "t", "h", "▁c", "at", "▁cat", "😀"];

fn byte_level_json() -> Vec<u8> {
    let vocab: serde_json::Map<String, Value> = BYTE_LEVEL.iter().zip(0..).map(|(t, id)| ((*t).to_owned(), json!(id))).collect();
    let added = |id: u32, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added(0, BYTE_LEVEL[0]), added(1, BYTE_LEVEL[1]), added(16, "[tool]")],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": r"\p{N}{1,3}|\s+(?!\S)|\s+|\S+"}, "behavior": "Isolated", "invert": false},
            {"type": "Digits", "individual_digits": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<|im_start|>": {"id": "<|im_start|>", "ids": [0], "tokens": ["<|im_start|>"]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": true, "vocab": vocab,
            "merges": [["t", "h"], ["th", "e"], ["Ġ", "c"]]},
    });
    tokenizer.to_string().into()
}

fn sentencepiece_json() -> Vec<u8> {
    let vocab: serde_json::Map<String, Value> =
        SENTENCEPIECE.iter().zip(0..).map(|(t, id)| ((*t).to_owned(), json!(id))).collect();
    let tokenizer = json!({
        "added_tokens": [{"id": 1, "content": "<s>", "single_word": true, "lstrip": true, "rstrip": true, "normalized": true, "special": true}],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false},
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": vocab,
            "merges": ["▁ c", "a t", "▁c at"]},
    });
    tokenizer.to_string().into()
}

fn byte_level_gguf() -> Gguf {
    let types: Vec<u32> = (0..BYTE_LEVEL.len()).map(|i| if i < 2 { 3 } else { 1 }).collect();
    Gguf::new()
        .entry("tokenizer.ggml.model", &json!("gpt2"))
        .entry("tokenizer.ggml.pre", &json!("llama-bpe"))
        .entry("tokenizer.ggml.tokens", &json!(BYTE_LEVEL))
        .entry("tokenizer.ggml.token_type", &json!(types))
        .entry("tokenizer.ggml.merges", &json!(["t h", "th e", "Ġ c"]))
        .entry("tokenizer.ggml.bos_token_id", &json!(0))
        .entry("tokenizer.ggml.eos_token_id", &json!(1))
        .entry("tokenizer.ggml.add_bos_token", &json!(true))
        .tensor("t", &[2], 0, &floats([1.0, 2.0]))
}

fn sentencepiece_gguf() -> Gguf {
    let types = [2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1, 4];
    let scores: Vec<f64> = (0..SENTENCEPIECE.len()).map(|i| -0.5 - i as f64).collect();
    Gguf::new()
        .entry("tokenizer.ggml.model", &json!("llama"))
        .entry("tokenizer.ggml.tokens", &json!(SENTENCEPIECE))
        .entry("tokenizer.ggml.token_type", &json!(types))
        .entry("tokenizer.ggml.scores", &json!(scores))
        .entry("tokenizer.ggml.unknown_token_id", &json!(0))
        .entry("tokenizer.ggml.bos_token_id", &json!(1))
        .entry("tokenizer.ggml.add_space_prefix", &json!(true))
}

/// What templates in use are made of: macros, namespaces, filters, tests, slices, dates.
const LLAMA: &str = "{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = \"\" %}
{%- endif %}
{%- set ns = namespace(last=-1, parts=[]) %}
{%- macro head(role) %}{{ '<|' + role ~ '|>\\n' }}{% endmacro %}
{{- strftime_now('%d %b %Y') if not system_message else system_message.upper() }}
{%- for message in messages if message.role is defined and message.role not in ['tool'] %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
    {%- set ns.last = loop.index0 %}
    {%- set ns.parts = ns.parts + [{'role': message.role, 'n': message.content | length}] %}
    {{- head(message['role']) + message['content'].split('x')[-1].strip() + eos_token }}
{%- endfor %}
{{- ns.parts | tojson }}{{ ns.last }}
{%- if add_generation_prompt %}{{ head('assistant') }}{% endif %}
";

fn config() -> Value {
    json!({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4, "rope_theta": 10000.0, "rope_scaling": null,
        "bos_token_id": 0, "eos_token_id": [1, 7], "tie_word_embeddings": true})
}

fn tokenizer_config() -> Value {
    json!({"bos_token": {"__type": "AddedToken", "content": "a"}, "eos_token": "b", "add_bos_token": true,
        "chat_template": [{"name": "default", "template": "{{ bos_token }}"}, {"name": "tool_use", "template": "{{ x }}"}]})
}
