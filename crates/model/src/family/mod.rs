//! Architecture families: what their files say and how they name their tensors, over the one block.

mod gpt2;
mod idefics3;
mod llama;
mod mistral;
mod olmo2;
mod qwen2;
mod qwen3;
mod smollm3;
mod stablelm;

use crate::config::Reader;
use crate::{ModelConfig, ModelError, NormKind, Positions};
use serde_json::Value;
use weights::{Checkpoint, Config};

/// What sets one family of architectures apart: what its files say, how they name its parts, and how they store them.
#[derive(Debug)]
pub struct Family {
    /// For people.
    pub name: &'static str,
    /// `architectures` in config.json.
    pub architectures: &'static [&'static str],
    /// `model_type` there, which says it where no architecture is given.
    pub model_types: &'static [&'static str],
    /// The formula of its norms.
    pub norm: NormKind,
    /// How files of the Hugging Face kind have it.
    pub hugging_face: HuggingFaceForm,
    /// How GGUF files have it, if they do.
    pub gguf: Option<GgufForm>,
    /// The tensors of its vision tower, if it has one. config.json has the decoder's values within `text_config` then.
    pub vision: Option<VisionNames>,
}

/// A family in config.json and safetensors files.
#[derive(Debug)]
pub struct HuggingFaceForm {
    /// Tensor names.
    pub names: Names,
    /// Other names, by which some files have the same; the embedding tells them apart.
    pub other_names: Option<Names>,
    /// Whether the matrices of blocks are stored as `[inputs, outputs]`.
    pub is_transposed: bool,
    /// What transformers takes where config.json is silent.
    pub defaults: Defaults,
    /// Keys that have other names than in most families: the common one, and the family's.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Keys that the family reads itself, of those that would otherwise have to say that they change nothing.
    pub own_keys: &'static [&'static str],
    /// Whether biases are part of the family rather than of what config.json says by `attention_bias` and `mlp_bias`.
    pub always_biased: bool,
    /// Changes what the keys that all have gave, by what the family is and by keys of its own.
    pub(crate) adjust: Adjust,
}

/// See [`HuggingFaceForm`].
pub(crate) type Adjust = fn(&Reader<'_>, &Value, &mut ModelConfig) -> Result<(), ModelError>;

/// What transformers takes where config.json is silent.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// `rms_norm_eps`.
    pub norm_eps: f64,
    /// `rope_theta`.
    pub rope_theta: f64,
    /// `max_position_embeddings`.
    pub max_positions: usize,
    /// `num_key_value_heads`; as many as there are heads without this.
    pub n_kv_heads: Option<usize>,
    /// `head_dim`; `hidden_size / num_attention_heads` without this.
    pub head_dim: Option<usize>,
    /// `intermediate_size` in multiples of `hidden_size`; needed in config.json without this.
    pub d_ff_of: Option<usize>,
}

/// A family in GGUF files.
#[derive(Debug)]
pub struct GgufForm {
    /// `general.architecture`.
    pub architecture: &'static str,
    /// Whether the rows of q and k are stored for interleaved rotation, so that they are put back in half-split order.
    pub interleaves_qk: bool,
    /// Tensor names.
    pub names: Names,
    /// Keys that say what is computed and not that it changes nothing.
    pub own_keys: &'static [&'static str],
    /// Changes what the metadata gave by what the family is.
    pub(crate) adjust: fn(&mut ModelConfig),
}

/// The tensors of a decoder, without the ending `.weight`; where a linear map or a norm has a bias it ends in `.bias`.
#[derive(Debug)]
pub struct Names {
    /// `[vocab_size, d_model]`.
    pub embedding: &'static str,
    /// `[max_positions, d_model]`, where positions are learned; the whole name.
    pub positions: Option<&'static str>,
    /// `[d_model]`.
    pub final_norm: &'static str,
    /// `[vocab_size, d_model]`; where it is missing the embedding serves.
    pub lm_head: &'static str,
    /// `[head_dim / 2]` divisors of the rotary frequencies, where files carry them; the whole name.
    pub rope_divisors: Option<&'static str>,
    /// Those of its blocks.
    pub block: BlockNames,
    /// How the names of all tensors begin that are computed with outside the blocks, known here or not.
    pub computed: &'static [&'static str],
}

/// The tensors of a block, named as [`Names`] are; `{}` stands for the layer.
#[derive(Debug)]
pub struct BlockNames {
    /// `[d_model]`.
    pub attention_norm: &'static str,
    /// The maps to queries, keys and values.
    pub inputs: Inputs,
    /// `[d_model, n_heads * head_dim]`.
    pub o: &'static str,
    /// Of queries and of keys, if they have norms.
    pub qk_norms: Option<(&'static str, &'static str)>,
    /// `[d_model]`.
    pub mlp_norm: &'static str,
    /// `[d_ff, d_model]`, if MLPs have a gate.
    pub gate: Option<&'static str>,
    /// `[d_ff, d_model]`.
    pub up: &'static str,
    /// `[d_model, d_ff]`.
    pub down: &'static str,
}

/// Where files have the maps to queries `[n_heads * head_dim, d_model]`, keys and values `[n_kv_heads * head_dim, d_model]`.
#[derive(Clone, Copy, Debug)]
pub enum Inputs {
    /// A tensor each.
    Apart([&'static str; 3]),
    /// One tensor with the outputs of all three, in this order.
    Joined(&'static str),
}

/// The tensors of a vision tower and its connector in safetensors files, named as [`Names`] are.
#[derive(Debug)]
pub struct VisionNames {
    /// `[d_model, 3, patch_px, patch_px]`.
    pub patch: &'static str,
    /// `[n_positions, d_model]`; the whole name.
    pub positions: &'static str,
    /// Those of its blocks.
    pub block: BlockNames,
    /// `[d_model]`.
    pub final_norm: &'static str,
    /// `[decoder's d_model, scale_factor^2 * d_model]`; the whole name.
    pub projection: &'static str,
    /// How the names of all tensors begin that are computed with outside the blocks, known here or not.
    pub computed: &'static [&'static str],
}

impl Names {
    /// How a position is told from others.
    pub(crate) fn positions_kind(&self) -> Positions {
        if self.positions.is_some() { Positions::Learned } else { Positions::Rotary }
    }
}

impl BlockNames {
    /// The tensor of a norm or a linear map in a layer.
    pub(crate) fn of_layer(template: &str, layer: usize) -> String {
        template.replace("{}", &layer.to_string())
    }

    /// How the names of all tensors of a layer begin.
    pub(crate) fn scope(&self, layer: usize) -> String {
        let before = self.o.split("{}").next().unwrap_or_default();
        format!("{before}{layer}.")
    }
}

impl Family {
    /// Every family there is.
    pub const ALL: [&'static Family; 9] = [
        &llama::LLAMA,
        &gpt2::GPT2,
        &qwen2::QWEN2,
        &qwen3::QWEN3,
        &mistral::MISTRAL,
        &smollm3::SMOLLM3,
        &olmo2::OLMO2,
        &stablelm::STABLELM,
        &idefics3::IDEFICS3,
    ];

    /// How files of that kind have it, if they are GGUF.
    pub(crate) fn gguf_form(&self, config: &Config) -> Option<&GgufForm> {
        self.gguf.as_ref().filter(|_| matches!(config, Config::Gguf(_)))
    }

    /// The names of its tensors in files of that kind.
    pub(crate) fn names(&self, config: &Config) -> &Names {
        self.gguf_form(config).map_or(&self.hugging_face.names, |form| &form.names)
    }

    /// The names of its tensors in these files.
    pub(crate) fn stored_names(&self, checkpoint: &Checkpoint) -> &Names {
        let names = self.names(checkpoint.config());
        let has = |names: &&Names| checkpoint.has(&format!("{}.weight", names.embedding));
        let other = self.hugging_face.other_names.as_ref().filter(|_| self.gguf_form(checkpoint.config()).is_none());
        other.filter(|other| has(other) && !has(&names)).unwrap_or(names)
    }

    /// The names by which files may call a supported architecture, for messages.
    pub fn supported() -> String {
        let names: Vec<_> = Family::ALL.iter().flat_map(|family| family.architectures).copied().collect();
        names.join(", ")
    }
}
