//! A model in each stored format against the same model with its weights decoded to f32.

use crate::files::{Gguf, floats};
use crate::fixture::{Engine, difference_nats};
use crate::gguf_twin::{header, open, type_code};
use half::{bf16, f16};
use model::{Bias, Input, ModelConfig, NormKind, NormPlaces, Positions, QkNorm, RopeScaling};
use tensor::Format;

const SIZE: ModelConfig = ModelConfig {
    d_model: 256,
    n_layers: 2,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 64,
    d_ff: 512,
    vocab_size: 67,
    max_positions: 64,
    norm: NormKind::Rms,
    norm_eps: 1e-5,
    rope_theta: 1000.0,
    positions: Positions::Rotary,
    rotary_dims: 64,
    rope_scaling: RopeScaling::None,
    unrotated_layers: Vec::new(),
    attention_bias: Bias::WhereStored,
    output_bias: Bias::WhereStored,
    qk_norm: QkNorm::None,
    norm_places: NormPlaces::Before,
    mlp_bias: Bias::WhereStored,
    tied_embedding: true,
    vision: None,
};

/// A small generator (SplitMix64, Steele et al. 2014), so that a file is the same in every run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from -1 to 1.
    fn number(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A block of that format with values of a standard deviation near `size` and a mean near 0: random integers, and scales
    /// to suit.
    fn block(&mut self, format: Format, size: f32) -> Vec<u8> {
        let mut block: Vec<u8> = (0..format.block_bytes()).map(|_| self.bits() as u8).collect();
        // (where, how much) of the f16 fields, for integers and inner scales that take all their values evenly.
        let fields: &[(usize, f32)] = match format {
            Format::F32 => return floats([1.7 * size * self.number()]),
            Format::F16 => return f16::from_f32(1.7 * size * self.number()).to_le_bytes().to_vec(),
            Format::Bf16 => return bf16::from_f32(1.7 * size * self.number()).to_le_bytes().to_vec(),
            Format::Q8_0 => &[(0, 1.0 / 74.0)],
            Format::Q4_0 => &[(0, 1.0 / 4.6)],
            Format::Q4_1 => &[(0, 1.0 / 4.6), (2, -7.5 / 4.6)],
            Format::Q5_0 => &[(0, 1.0 / 9.2)],
            Format::Q5_1 => &[(0, 1.0 / 9.2), (2, -15.5 / 9.2)],
            Format::Q4K => &[(0, 1.0 / 240.0), (2, 7.5 / 240.0)],
            Format::Q5K => &[(0, 1.0 / 480.0), (2, 15.5 / 480.0)],
            Format::Q6K => &[(208, 1.0 / 1370.0)],
        };
        let scale = size * (1.0 + 0.5 * self.number());
        for (at, share) in fields {
            block[*at..at + 2].copy_from_slice(&f16::from_f32(scale * share).to_le_bytes());
        }
        block
    }

    /// Stored bytes of `rows * cols` elements, and what they decode to.
    fn matrix(&mut self, format: Format, rows: usize, cols: usize, size: f32) -> (Vec<u8>, Vec<f32>) {
        let blocks = rows * cols / format.block_len();
        let bytes: Vec<u8> = (0..blocks).flat_map(|_| self.block(format, size)).collect();
        let mut values = vec![0.0; rows * cols];
        tensor::decode(format, &bytes, &mut values).unwrap();
        (bytes, values)
    }
}

/// A model in that format, and the same one in f32.
fn pair(format: Format) -> (Gguf, Gguf) {
    let mut random = Random(format as u64);
    let (mut stored, mut decoded) = (header(&SIZE), header(&SIZE));
    let ModelConfig { d_model, d_ff, vocab_size, .. } = SIZE;
    let mut add = |name: String, rows: usize, cols: usize, size: f32| {
        let (bytes, values) = random.matrix(format, rows, cols, size);
        let dims = [cols as u64, rows as u64];
        stored = stored.clone().tensor(&name, &dims, type_code(format), &bytes);
        decoded = decoded.clone().tensor(&name, &dims, type_code(Format::F32), &floats(values));
    };
    let even = |inputs: usize| (inputs as f32).sqrt().recip();
    add("token_embd.weight".to_owned(), vocab_size, d_model, 1.0);
    add("output.weight".to_owned(), vocab_size, d_model, even(d_model));
    for layer in 0..SIZE.n_layers {
        let mut block =
            |name: &str, rows, cols, size: f32| add(format!("blk.{layer}.{name}.weight"), rows, cols, size * even(cols));
        block("attn_q", SIZE.q_width(), d_model, 1.5);
        block("attn_k", SIZE.kv_width(), d_model, 1.5);
        block("attn_v", SIZE.kv_width(), d_model, 1.0);
        block("attn_output", d_model, SIZE.q_width(), 1.0);
        block("ffn_gate", d_ff, d_model, 1.0);
        block("ffn_up", d_ff, d_model, 1.0);
        block("ffn_down", d_model, d_ff, 1.0);
    }
    let mut norms = vec!["output_norm.weight".to_owned()];
    norms.extend((0..SIZE.n_layers).flat_map(|layer| ["attn_norm", "ffn_norm"].map(|norm| format!("blk.{layer}.{norm}.weight"))));
    for norm in norms {
        let gains = floats((0..d_model).map(|_| 1.0 + 0.3 * random.number()));
        stored = stored.tensor(&norm, &[d_model as u64], 0, &gains);
        decoded = decoded.tensor(&norm, &[d_model as u64], 0, &gains);
    }
    (stored, decoded)
}

#[test]
fn every_format_gives_what_its_decoded_weights_give() {
    let ids: Vec<u32> = (0..19).map(|i| i * 29 % SIZE.vocab_size as u32).collect();
    for format in Format::ALL {
        let (stored, decoded) = pair(format);
        let mut stored = Engine::load(&open(&stored).unwrap()).unwrap();
        let mut decoded = Engine::load(&open(&decoded).unwrap()).unwrap();
        assert_eq!((stored.model.formats(), decoded.model.formats()), (vec![format], vec![Format::F32]));
        let (prefilled, expected) = (stored.prefill(&ids), decoded.prefill(&ids));
        let difference = difference_nats(&prefilled, &expected);
        // One row at a time goes another way through the products than many do.
        let mut cache = stored.cache(ids.len());
        let stepped: Vec<_> = ids.iter().flat_map(|id| stored.extend(Input::Tokens(vec![*id]), &mut cache)).collect();
        let of_steps = difference_nats(&stepped, &expected);
        let greatest = expected.iter().map(|row| row.top[0].logit).fold(0.0, f32::max);
        println!("{format}: {difference:e} nats, by steps {of_steps:e}; greatest logit {greatest}");
        assert!((1.0..20.0).contains(&greatest), "{format}: a greatest logit of {greatest} proves nothing");
        assert!(difference < 1e-4, "{format}: {difference} nats");
        assert!(of_steps < 1e-4, "{format}: {of_steps} nats one row at a time");
    }
}
