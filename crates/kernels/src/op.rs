//! The operations that a decoder and a vision tower are made of, as data.
//!
//! Shapes are row-major; `[rows, cols]` means `rows * cols` words from the start of the buffer, which may be longer.
//! Every operand is f32 unless it says u32. Sums, norms and softmax are computed in f32 whatever the weights' format.

use crate::{Buffer, Weight};
use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One operation. `out` is overwritten unless it says otherwise; no operand may be the same memory as `out`.
#[derive(Clone, Debug)]
pub enum Op {
    /// `out[r, :] = table[ids[r], :]`.
    Embed {
        /// `[vocab_size, cols]`.
        table: Weight,
        /// u32 `[rows]`, each below `vocab_size`.
        ids: Buffer,
        /// `[rows, cols]`.
        out: Buffer,
        /// How many.
        rows: usize,
    },
    /// `out[r, c] = x[r, c] / sqrt(mean_c(x[r, :]^2) + eps) * gain[c]` (Zhang and Sennrich 2019).
    RmsNorm {
        /// `[rows, cols]`.
        x: Buffer,
        /// `[cols]`.
        gain: Buffer,
        /// `[rows, cols]`.
        out: Buffer,
        /// Rows.
        rows: usize,
        /// Features.
        cols: usize,
        /// Added to the mean square.
        eps: f32,
    },
    /// `out[r, c] = (x[r, c] - m) / sqrt(v + eps) * gain[c] + bias[c]` with `m` the mean of `x[r, :]` and `v` the mean of
    /// `(x[r, :] - m)^2` (Ba et al. 2016).
    LayerNorm {
        /// `[rows, cols]`.
        x: Buffer,
        /// `[cols]`.
        gain: Buffer,
        /// `[cols]`.
        bias: Buffer,
        /// `[rows, cols]`.
        out: Buffer,
        /// Rows.
        rows: usize,
        /// Features.
        cols: usize,
        /// Added to the variance.
        eps: f32,
    },
    /// `out[r, j] = sum_k x[r, k] * weight[outputs.start + j, k]`, added to what `out` holds if `accumulate`.
    MatMul {
        /// `[rows, weight.cols()]`.
        x: Buffer,
        /// `[n, k]`.
        weight: Weight,
        /// Which of the weight's rows, hence which outputs.
        outputs: Range<usize>,
        /// `[rows, outputs.len()]`.
        out: Buffer,
        /// Rows of `x`.
        rows: usize,
        /// Add to `out` in place of overwriting it.
        accumulate: bool,
    },
    /// Rotary position embedding in place, half-split: `(a, b) = (x[i], x[i + h])` becomes
    /// `(a cos - b sin, b cos + a sin)` for `i < h = head_dim / 2` (Su et al. 2021, in the layout of GPT-NeoX).
    Rope {
        /// `[rows, heads, head_dim]`, changed in place.
        x: Buffer,
        /// `[rows, 2, head_dim / 2]`: for each row the cosines, then the sines, of its position.
        angles: Buffer,
        /// Rows.
        rows: usize,
        /// Heads in a row.
        heads: usize,
        /// Features of a head, even.
        head_dim: usize,
    },
    /// Attention of each row over its own sequence up to its position, with key factors. It is causal where a row's entry
    /// names the row's own position, and has no mask where every entry names the last.
    ///
    /// For row `r` with entry `e = table[r]` and head `h`, over the keys `j = 0 ..= e.position`: key and value `j` are row
    /// `j` of the cache if `j < e.cached`, else row `e.first_row + j - e.cached` of the batch; with
    /// `s_j = scale * q[r, h] . k_j`, changed by [`Operator`] with `f_j = factors[e.factors + j]` if
    /// `e.layer_begin <= layer < e.layer_end`; `out[r, h] = sum_j softmax(s)_j v_j`.
    Attention {
        /// `[n_rows, n_heads, head_dim]`.
        q: Buffer,
        /// `[batch rows, n_kv_heads, head_dim]`.
        k: Buffer,
        /// As `k`.
        v: Buffer,
        /// `[cached positions, n_kv_heads, head_dim]`; may be any buffer where no row has cached keys, even `k`.
        cache_k: Buffer,
        /// As `cache_k`.
        cache_v: Buffer,
        /// u32 `[n_rows, 8]`: a [`RowEntry`] for each row of `q`.
        table: Buffer,
        /// Key factors of all sequences, at least one word.
        factors: Buffer,
        /// `[n_rows, n_heads, head_dim]`.
        out: Buffer,
        /// Rows of `q`.
        n_rows: usize,
        /// Rows of `k` and `v`.
        batch_rows: usize,
        /// Which layer this is, for the layer ranges in `table`.
        layer: u32,
        /// Heads and their size.
        shape: AttentionShape,
        /// Pairs of a row and a key that it sees, over all rows: what the operation costs.
        pairs: u64,
    },
    /// `gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i]`, in place (Shazeer 2020).
    SwiGlu {
        /// `[words]`, changed in place.
        gate: Buffer,
        /// `[words]`.
        up: Buffer,
        /// Length.
        words: usize,
    },
    /// `x[i] = x[i] (1 + tanh(sqrt(2 / pi) (x[i] + 0.044715 x[i]^3))) / 2`, in place (Hendrycks and Gimpel 2016).
    Gelu {
        /// `[words]`, changed in place.
        x: Buffer,
        /// Length.
        words: usize,
    },
    /// `x[i] = x[i] + addend[i % period]`, in place: a bias for every row, or an embedding for every position.
    Add {
        /// `[words]`, changed in place.
        x: Buffer,
        /// `[period]`.
        addend: Buffer,
        /// Length of `x`.
        words: usize,
        /// Length of `addend`, at least 1.
        period: usize,
    },
    /// `to[to_word + i] = from[from_word + i]` for `i < words`.
    Copy {
        /// Where from.
        from: Buffer,
        /// First word read.
        from_word: usize,
        /// Where to; the rest of it stays as it is.
        to: Buffer,
        /// First word written.
        to_word: usize,
        /// How many.
        words: usize,
    },
    /// `out[r, :] = from[index[r], :]`.
    Gather {
        /// `[.., cols]`.
        from: Buffer,
        /// u32 `[rows]`.
        index: Buffer,
        /// `[rows, cols]`.
        out: Buffer,
        /// How many.
        rows: usize,
        /// Features.
        cols: usize,
    },
    /// A running log-sum-exp over pieces of a row: `state[r] = (m, sum_c exp(x_c - m))` with `m` the maximum, over the
    /// columns of this piece, joined with what `state` holds unless `first`.
    LogSumExp {
        /// `[rows, cols]`.
        logits: Buffer,
        /// `[rows, 2]`.
        state: Buffer,
        /// Rows.
        rows: usize,
        /// Columns of this piece.
        cols: usize,
        /// Whether this is a row's first piece.
        first: bool,
    },
    /// `out[i] = logits[row_i, token_i - first_col]` for those `wanted` pairs whose token is one of this piece's columns;
    /// the others stay as they are.
    Pick {
        /// `[rows, cols]`.
        logits: Buffer,
        /// u32 `[n, 2]`: row and token.
        wanted: Buffer,
        /// `[n]`.
        out: Buffer,
        /// Pairs.
        n: usize,
        /// Rows.
        rows: usize,
        /// Columns of this piece.
        cols: usize,
        /// The token of the piece's first column.
        first_col: usize,
    },
    /// The `k` largest of each row's columns in falling order, equal ones by rising column:
    /// `out[out_word + (r * k + i) * 2 ..]` = logit, then token (u32 bits); where `cols < k`, logit -1e30 and token 0.
    /// Destroys `logits`.
    TopK {
        /// `[rows, cols]`, undefined afterwards.
        logits: Buffer,
        /// Receives `rows * k * 2` words.
        out: Buffer,
        /// First word written.
        out_word: usize,
        /// Rows.
        rows: usize,
        /// Columns of this piece.
        cols: usize,
        /// The token of the piece's first column.
        first_col: usize,
        /// How many of each row.
        k: usize,
    },
}

/// Heads of an attention, and their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Query heads, a multiple of `n_kv_heads`: head `h` uses key-value head `h / (n_heads / n_kv_heads)`.
    pub n_heads: usize,
    /// Key-value heads.
    pub n_kv_heads: usize,
    /// Features of a head.
    pub head_dim: usize,
}

impl AttentionShape {
    /// What scores are multiplied by: `1 / sqrt(head_dim)`.
    pub fn scale(self) -> f32 {
        (1.0 / (self.head_dim as f64).sqrt()) as f32
    }
}

/// [`RowEntry::factors`] of a row without key factors.
pub const NO_FACTORS: u32 = u32::MAX;

/// What attention needs to know of one row; eight u32 in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RowEntry {
    /// Keys below this position come from the cache.
    pub cached: u32,
    /// The row of `k` and `v` that holds position `cached`.
    pub first_row: u32,
    /// The last position whose key the row sees, beginning with 0: in a decoder its own.
    pub position: u32,
    /// One past the last position of its sequence, for [`Operator::ShiftedFull`].
    pub n_positions: u32,
    /// Where its sequence's factors begin, one for each position; [`NO_FACTORS`] for none.
    pub factors: u32,
    /// [`Operator::code`].
    pub operator: u32,
    /// First layer in which the factors act.
    pub layer_begin: u32,
    /// One past the last.
    pub layer_end: u32,
}

/// How the factor `f` of a key acts on its attention score `s`, before the softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Operator {
    /// `s + ln(max(f, 1e-30))`: scales the attention weight by `f` and renormalises.
    #[default]
    LogAdditive,
    /// `s * f`, the equation of the AtMan paper (Deiseroth et al. 2023).
    Multiplicative,
    /// `(s - m) * f` for all keys of the row, with `m` the least score among those it may see.
    Shifted,
    /// The same with `m` over all keys, future ones too. It breaks causality: nothing may come from the cache.
    ShiftedFull,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Operator; 4] = [Operator::LogAdditive, Operator::Multiplicative, Operator::Shifted, Operator::ShiftedFull];

    /// Its number in [`RowEntry::operator`] and in the shaders.
    pub const fn code(self) -> u32 {
        match self {
            Operator::LogAdditive => 0,
            Operator::Multiplicative => 1,
            Operator::Shifted => 2,
            Operator::ShiftedFull => 3,
        }
    }

    /// Its name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Operator::LogAdditive => "log-additive",
            Operator::Multiplicative => "multiplicative",
            Operator::Shifted => "shifted",
            Operator::ShiftedFull => "shifted-full",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no [`Operator`]'s.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no operator is called {0:?}; there are log-additive, multiplicative, shifted and shifted-full")]
pub struct UnknownOperator(String);

impl FromStr for Operator {
    type Err = UnknownOperator;

    fn from_str(name: &str) -> Result<Operator, UnknownOperator> {
        Operator::ALL.into_iter().find(|operator| operator.name() == name).ok_or_else(|| UnknownOperator(name.to_owned()))
    }
}

impl From<Operator> for &'static str {
    fn from(operator: Operator) -> &'static str {
        operator.name()
    }
}

impl TryFrom<String> for Operator {
    type Error = UnknownOperator;

    fn try_from(name: String) -> Result<Operator, UnknownOperator> {
        name.parse()
    }
}

impl Op {
    /// The operation's name, for messages and measurements.
    pub const fn name(&self) -> &'static str {
        match self {
            Op::Embed { .. } => "embed",
            Op::RmsNorm { .. } => "rms_norm",
            Op::LayerNorm { .. } => "layer_norm",
            Op::MatMul { .. } => "matmul",
            Op::Rope { .. } => "rope",
            Op::Attention { .. } => "attention",
            Op::SwiGlu { .. } => "swiglu",
            Op::Gelu { .. } => "gelu",
            Op::Add { .. } => "add",
            Op::Copy { .. } => "copy",
            Op::Gather { .. } => "gather",
            Op::LogSumExp { .. } => "log_sum_exp",
            Op::Pick { .. } => "pick",
            Op::TopK { .. } => "top_k",
        }
    }

    /// The floating-point numbers that it writes: which words of which buffer. `None` where some of them may be left as they
    /// are, or are no floating-point numbers.
    pub fn written(&self) -> Option<(&Buffer, Range<usize>)> {
        let whole = |buffer, words| Some((buffer, 0..words));
        match self {
            Op::Embed { table, out, rows, .. } => whole(out, rows * table.cols()),
            Op::RmsNorm { out, rows, cols, .. } | Op::LayerNorm { out, rows, cols, .. } | Op::Gather { out, rows, cols, .. } => {
                whole(out, rows * cols)
            }
            Op::MatMul { outputs, out, rows, .. } => whole(out, rows * outputs.len()),
            Op::Rope { x, rows, heads, head_dim, .. } => whole(x, rows * heads * head_dim),
            Op::Attention { out, n_rows, shape, .. } => whole(out, n_rows * shape.n_heads * shape.head_dim),
            Op::SwiGlu { gate, words, .. } => whole(gate, *words),
            Op::Gelu { x, words } | Op::Add { x, words, .. } => whole(x, *words),
            Op::Copy { to, to_word, words, .. } => Some((to, *to_word..to_word + words)),
            Op::LogSumExp { state, rows, .. } => whole(state, 2 * rows),
            Op::Pick { .. } | Op::TopK { .. } => None,
        }
    }
}
