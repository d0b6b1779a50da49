//! Architecture families: the names and flags by which models differ over the one decoder block.

mod llama;

/// What sets one family of architectures apart: how files name its parts, and how they store them.
#[derive(Debug)]
pub struct Family {
    /// For people.
    pub name: &'static str,
    /// `architectures` in config.json.
    pub architectures: &'static [&'static str],
    /// `general.architecture` in GGUF.
    pub gguf_architecture: &'static str,
    /// Whether GGUF stores the rows of q and k for interleaved rotation, so that they are put back in half-split order.
    pub gguf_interleaves_qk: bool,
    /// Tensor names in safetensors files.
    pub hf_names: Names,
    /// Tensor names in GGUF files.
    pub gguf_names: Names,
}

/// The tensors of a decoder. In those of a block, `{}` stands for the layer.
#[derive(Debug)]
pub struct Names {
    /// `[vocab_size, d_model]`.
    pub embedding: &'static str,
    /// `[d_model]`.
    pub final_norm: &'static str,
    /// `[vocab_size, d_model]`; where it is missing the embedding serves.
    pub lm_head: &'static str,
    /// `[head_dim / 2]` divisors of the rotary frequencies, where files carry them.
    pub rope_divisors: Option<&'static str>,
    /// `[d_model]`.
    pub attention_norm: &'static str,
    /// `[n_heads * head_dim, d_model]`.
    pub q: &'static str,
    /// `[n_kv_heads * head_dim, d_model]`.
    pub k: &'static str,
    /// As `k`.
    pub v: &'static str,
    /// `[d_model, n_heads * head_dim]`.
    pub o: &'static str,
    /// `[d_model]`.
    pub mlp_norm: &'static str,
    /// `[d_ff, d_model]`.
    pub gate: &'static str,
    /// As `gate`.
    pub up: &'static str,
    /// `[d_model, d_ff]`.
    pub down: &'static str,
}

impl Family {
    /// Every family there is.
    pub const ALL: [&'static Family; 1] = [&llama::LLAMA];

    /// The names by which files may call a supported architecture, for messages.
    pub fn supported() -> String {
        let names: Vec<_> = Family::ALL.iter().flat_map(|family| family.architectures).copied().collect();
        names.join(", ")
    }
}
