//! Keys by which files say that something else is computed than is known here: each an error, unless its value changes nothing.

/// Values with which a key changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Neutral {
    /// Any: what the key says is known, read elsewhere, or not about numbers.
    Any,
    /// Nothing, no, or 0: the thing is not there.
    Off,
    /// 1, for what is multiplied by it or is a part of the whole; 0 where files mean by it that it is not set.
    One,
    /// Yes.
    Yes,
    /// `head_dim ^ -1/2`, by which attention scores are scaled anyway; 0 for not set.
    Scale,
    /// `head_dim`.
    HeadDim,
    /// As many as there are features of a position.
    Features,
    /// At least as many positions as the model has; 0 for not set.
    Window,
}

/// What neutral values depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) d_model: usize,
    pub(super) head_dim: usize,
    pub(super) max_positions: usize,
}

impl Neutral {
    /// Whether a number, or a flag as 0 or 1, changes nothing.
    pub(super) fn holds(self, value: f64, sizes: Sizes) -> bool {
        let near = |expected: f64| (value - expected).abs() <= 1e-6 * expected;
        match self {
            Neutral::Any => true,
            Neutral::Off => value == 0.0,
            Neutral::One => value == 1.0 || value == 0.0,
            Neutral::Yes => value == 1.0,
            Neutral::Scale => value == 0.0 || near((sizes.head_dim as f64).powf(-0.5)),
            Neutral::HeadDim => value == sizes.head_dim as f64,
            Neutral::Features => value == sizes.d_model as f64,
            Neutral::Window => value == 0.0 || value >= sizes.max_positions as f64,
        }
    }

    /// For messages.
    pub(super) fn expected(self, sizes: Sizes) -> String {
        match self {
            Neutral::Any => "any value".to_owned(),
            Neutral::Off => "none: it is not supported".to_owned(),
            Neutral::One => "1: it is not supported".to_owned(),
            Neutral::Yes => "true".to_owned(),
            Neutral::Scale => format!("the square root of 1/{}", sizes.head_dim),
            Neutral::HeadDim => sizes.head_dim.to_string(),
            Neutral::Features => sizes.d_model.to_string(),
            Neutral::Window => format!("none, or at least the {} positions of the model", sizes.max_positions),
        }
    }
}

/// Keys of `config.json` by which other architectures, and variants of these, change what is computed.
pub(super) const HUGGING_FACE: [(&str, Neutral); 37] = [
    ("alibi", Neutral::Off),
    ("attention_chunk_size", Neutral::Off),
    ("attention_in_multiplier", Neutral::One),
    ("attention_multiplier", Neutral::Scale),
    ("attention_out_multiplier", Neutral::One),
    ("attn_logit_softcapping", Neutral::Off),
    ("attn_temperature_tuning", Neutral::Off),
    ("clip_qkv", Neutral::Off),
    ("dim_model_base", Neutral::Features),
    ("embedding_multiplier", Neutral::One),
    ("embedding_scale", Neutral::One),
    ("final_logit_softcapping", Neutral::Off),
    ("is_causal", Neutral::Yes),
    ("key_multiplier", Neutral::One),
    ("kv_lora_rank", Neutral::Off),
    ("lm_head_multiplier", Neutral::One),
    ("logit_scale", Neutral::One),
    ("logits_scaling", Neutral::One),
    ("n_routed_experts", Neutral::Off),
    ("num_experts", Neutral::Off),
    ("num_local_experts", Neutral::Off),
    ("parallel_attn", Neutral::Off),
    ("partial_rotary_factor", Neutral::One),
    ("q_lora_rank", Neutral::Off),
    ("qk_layer_norms", Neutral::Off),
    ("qk_layernorm", Neutral::Off),
    ("qk_norm", Neutral::Off),
    ("query_pre_attn_scalar", Neutral::HeadDim),
    ("residual_multiplier", Neutral::One),
    ("residual_scale", Neutral::One),
    ("rotary_pct", Neutral::One),
    ("scale_depth", Neutral::Off),
    ("scale_emb", Neutral::One),
    ("sliding_window", Neutral::Window),
    ("use_alibi", Neutral::Off),
    ("use_parallel_residual", Neutral::Off),
    ("use_qk_norm", Neutral::Off),
];

/// All keys of an architecture in GGUF files that are understood, without the architecture's name. Any other is one whose meaning
/// nobody here knows. Of those that change numbers elsewhere, the values that leave them as they are.
pub(super) const GGUF: [(&str, Neutral); 52] = [
    ("attention.causal", Neutral::Yes),
    ("attention.clamp_kqv", Neutral::Off),
    ("attention.head_count", Neutral::Any),
    ("attention.head_count_kv", Neutral::Any),
    ("attention.key_length", Neutral::Any),
    // Of another kind of norm, which this architecture has not; its own is required.
    ("attention.layer_norm_epsilon", Neutral::Any),
    ("attention.layer_norm_rms_epsilon", Neutral::Any),
    ("attention.max_alibi_bias", Neutral::Off),
    ("attention.output_scale", Neutral::One),
    ("attention.scale", Neutral::Scale),
    ("attention.sliding_window", Neutral::Window),
    ("attention.temperature_scale", Neutral::Off),
    ("attention.value_length", Neutral::HeadDim),
    ("attn_logit_softcapping", Neutral::Off),
    ("block_count", Neutral::Any),
    ("context_length", Neutral::Any),
    ("embedding_length", Neutral::Any),
    ("embedding_length_out", Neutral::Features),
    ("embedding_scale", Neutral::One),
    ("expert_count", Neutral::Off),
    ("expert_feed_forward_length", Neutral::Off),
    ("expert_group_count", Neutral::Off),
    ("expert_group_used_count", Neutral::Off),
    ("expert_shared_count", Neutral::Off),
    ("expert_shared_feed_forward_length", Neutral::Off),
    // Of no experts none is used, whatever their number.
    ("expert_used_count", Neutral::Any),
    ("expert_weights_norm", Neutral::Off),
    ("expert_weights_scale", Neutral::One),
    ("feed_forward_length", Neutral::Any),
    ("final_logit_softcapping", Neutral::Off),
    ("leading_dense_block_count", Neutral::Off),
    ("logit_scale", Neutral::One),
    ("nextn_predict_layers", Neutral::Off),
    ("pooling_type", Neutral::Any),
    ("residual_scale", Neutral::One),
    ("rope.dimension_count", Neutral::HeadDim),
    ("rope.finetuned", Neutral::Any),
    ("rope.freq_base", Neutral::Any),
    ("rope.scale_linear", Neutral::Any),
    ("rope.scaling.attn_factor", Neutral::One),
    ("rope.scaling.factor", Neutral::Any),
    ("rope.scaling.finetuned", Neutral::Any),
    ("rope.scaling.original_context_length", Neutral::Any),
    ("rope.scaling.type", Neutral::Any),
    ("rope.scaling.yarn_attn_factor", Neutral::One),
    ("rope.scaling.yarn_beta_fast", Neutral::Any),
    ("rope.scaling.yarn_beta_slow", Neutral::Any),
    ("rope.scaling.yarn_ext_factor", Neutral::Off),
    ("rope.scaling.yarn_log_multiplier", Neutral::Off),
    ("tensor_data_layout", Neutral::Any),
    ("use_parallel_residual", Neutral::Off),
    ("vocab_size", Neutral::Any),
];
