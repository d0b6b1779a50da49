//! Models of a shape and nothing else: their weights are zeros that are nowhere.

use crate::counting::Counting;
use atman::{Question, Text, Token, TokenKind};
use model::Model;
use serde_json::{Map, json};
use std::io;
use weights::{ByteSource, Checkpoint, MemorySource, ModelFiles, Reading};

/// What a Llama's size depends on.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) d_model: usize,
    pub(crate) d_ff: usize,
    pub(crate) n_layers: usize,
    pub(crate) n_heads: usize,
    pub(crate) vocab_size: usize,
}

/// Llama 2 7B.
pub(crate) const SEVEN_B: Shape = Shape { d_model: 4096, d_ff: 11008, n_layers: 32, n_heads: 32, vocab_size: 32000 };
/// So small that describing its operations takes no time.
pub(crate) const SMALL: Shape = Shape { d_model: 64, d_ff: 128, n_layers: 2, n_heads: 4, vocab_size: 100 };

/// A file of a header, and zeros that are not held.
struct Zeros {
    header: Vec<u8>,
    len_bytes: u64,
}

impl ByteSource for Zeros {
    fn name(&self) -> &str {
        "model.safetensors"
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        let end = offset + into.len() as u64;
        if end > self.len_bytes {
            return Box::pin(std::future::ready(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        // Past the header whoever reads has nothing but zeros there already.
        if let Some(rest) = self.header.get(offset as usize..) {
            let n = rest.len().min(into.len());
            into[..n].copy_from_slice(&rest[..n]);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Shape {
    fn checkpoint(self) -> Checkpoint {
        let Shape { d_model, d_ff, n_layers, n_heads, vocab_size } = self;
        let config = json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": d_model,
            "intermediate_size": d_ff, "num_hidden_layers": n_layers, "num_attention_heads": n_heads,
            "num_key_value_heads": n_heads, "vocab_size": vocab_size, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "tie_word_embeddings": true,
        });
        let mut tensors = vec![
            ("model.embed_tokens.weight".to_owned(), vec![vocab_size, d_model]),
            ("model.norm.weight".to_owned(), vec![d_model]),
        ];
        for layer in 0..n_layers {
            for (name, shape) in [
                ("input_layernorm", vec![d_model]),
                ("self_attn.q_proj", vec![d_model, d_model]),
                ("self_attn.k_proj", vec![d_model, d_model]),
                ("self_attn.v_proj", vec![d_model, d_model]),
                ("self_attn.o_proj", vec![d_model, d_model]),
                ("post_attention_layernorm", vec![d_model]),
                ("mlp.gate_proj", vec![d_ff, d_model]),
                ("mlp.up_proj", vec![d_ff, d_model]),
                ("mlp.down_proj", vec![d_model, d_ff]),
            ] {
                tensors.push((format!("model.layers.{layer}.{name}.weight"), shape));
            }
        }
        let (mut header, mut at) = (Map::new(), 0);
        for (name, shape) in tensors {
            let end = at + 2 * shape.iter().product::<usize>() as u64;
            header.insert(name, json!({"dtype": "F16", "shape": shape, "data_offsets": [at, end]}));
            at = end;
        }
        let text = serde_json::to_vec(&header).unwrap();
        let header = [&(text.len() as u64).to_le_bytes()[..], &text].concat();
        let weights = Zeros { len_bytes: header.len() as u64 + at, header };
        let files: Vec<(String, Box<dyn ByteSource>)> = vec![
            ("config.json".to_owned(), Box::new(MemorySource::new("config.json", config.to_string()))),
            ("model.safetensors".to_owned(), Box::new(weights)),
        ];
        pollster::block_on(Checkpoint::open(ModelFiles::new(files))).unwrap()
    }

    /// The model on an executor.
    pub(crate) fn load(self, executor: &mut Counting) -> Model {
        pollster::block_on(Model::load(&self.checkpoint(), executor, &mut |_| {})).unwrap()
    }
}

/// A text of so many tokens, each a word.
pub(crate) fn text(n_tokens: usize) -> Text {
    let token = |i: usize| Token {
        id: (i % 90) as u32,
        text: "w ".to_owned(),
        start: 2 * i,
        end: 2 * i + 2,
        start_byte: 2 * i,
        end_byte: 2 * i + 2,
        kind: TokenKind::Text,
        ..Token::default()
    };
    Text { text: "w ".repeat(n_tokens), tokens: (0..n_tokens).map(token).collect() }
}

/// A prompt and an answer of so many tokens.
pub(crate) fn question(n_prompt: usize, n_target: usize, model: &Model) -> Question {
    Question::new(text(n_prompt), text(n_target), Vec::new(), model.config()).unwrap()
}
