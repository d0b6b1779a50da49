//! The one block, of decoders and of towers: attention and an MLP, each after a norm and added to its input.

use crate::ModelError;
use crate::family::BlockNames;
use crate::load::Loader;
use crate::parts::{Attending, Attention, Bias, Cached, Linear, Mlp, Norm, NormForm};
use kernels::{AttentionShape, Buffer, ExecError, Op, Weight};
use weights::Checkpoint;

/// What all blocks of a stack have in common: sizes, and the kinds of their parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockForm {
    pub(crate) d_model: usize,
    pub(crate) heads: AttentionShape,
    pub(crate) d_ff: usize,
    pub(crate) norm: NormForm,
    pub(crate) attention_bias: Bias,
    pub(crate) mlp_bias: Bias,
    /// Whether MLPs have a gate.
    pub(crate) is_gated: bool,
    /// How many consecutive rows of q and k, a head's, are stored interleaved; 1 where none are.
    pub(crate) head_rows: usize,
}

/// The weights of one block.
#[derive(Debug)]
pub(crate) struct Block {
    attention_norm: Norm,
    attention: Attention,
    mlp_norm: Norm,
    mlp: Mlp,
}

/// Makes a buffer of so many words for a purpose: on an executor, or for the sake of counting.
pub(crate) type Allocate<'a> = dyn FnMut(usize, &'static str) -> Result<Buffer, ExecError> + 'a;

/// Memory that the blocks of a stack work in, one after the other.
pub(crate) struct Activations {
    /// What goes from block to block, `[rows, d_model]`.
    pub(crate) x: Buffer,
    /// The normed input of attention, attention's output, and the normed input of the MLP in turn.
    pub(crate) normed: Buffer,
    pub(crate) q: Buffer,
    pub(crate) k: Buffer,
    pub(crate) v: Buffer,
    gate: Option<Buffer>,
    up: Buffer,
}

/// Rows that go through a block together.
#[derive(Clone)]
pub(crate) struct Rows {
    pub(crate) n: usize,
    /// u32 `[n, 8]`: a [`kernels::RowEntry`] each.
    pub(crate) table: Buffer,
    /// `[n, 2, head_dim / 2]`, where positions are rotary.
    pub(crate) angles: Option<Buffer>,
    /// Pairs of a row and a key that it sees.
    pub(crate) pairs: u64,
}

/// What a batch brings to a block.
#[derive(Clone, Copy)]
pub(crate) struct Passing<'a> {
    /// All rows of the batch.
    pub(crate) all: &'a Rows,
    /// Those that go on from this block, where not all do: a stack's last block, of which all rows give keys and values.
    pub(crate) kept: Option<Kept<'a>>,
    pub(crate) cached: Option<Cached<'a>>,
    /// Key factors of all sequences, at least one word.
    pub(crate) factors: &'a Buffer,
}

/// Rows that go on from a block.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) rows: &'a Rows,
    /// u32 `[rows.n]`: which of all they are.
    pub(crate) index: &'a Buffer,
    /// Receives what goes on, `[rows.n, d_model]`.
    pub(crate) x: &'a Buffer,
}

impl BlockForm {
    /// Features of all queries of a row.
    fn q_width(&self) -> usize {
        self.heads.n_heads * self.heads.head_dim
    }

    /// Features of all keys, or values, of a row.
    fn kv_width(&self) -> usize {
        self.heads.n_kv_heads * self.heads.head_dim
    }
}

impl Activations {
    /// For so many rows.
    pub(crate) fn allocate(form: &BlockForm, rows: usize, alloc: &mut Allocate<'_>) -> Result<Activations, ModelError> {
        Ok(Activations {
            x: alloc(rows * form.d_model, "hidden states")?,
            normed: alloc(rows * form.d_model.max(form.q_width()), "normed states")?,
            q: alloc(rows * form.q_width(), "queries")?,
            k: alloc(rows * form.kv_width(), "keys")?,
            v: alloc(rows * form.kv_width(), "values")?,
            gate: if form.is_gated { Some(alloc(rows * form.d_ff, "MLP gates")?) } else { None },
            up: alloc(rows * form.d_ff, "MLP values")?,
        })
    }
}

impl Rows {
    /// Appends the rotation of `x [n, heads, head_dim]` by the rows' positions, where positions are rotary.
    pub(crate) fn rotate(&self, x: &Buffer, heads: usize, head_dim: usize, ops: &mut Vec<Op>) {
        if let Some(angles) = &self.angles {
            ops.push(Op::Rope { x: x.clone(), angles: angles.clone(), rows: self.n, heads, head_dim });
        }
    }
}

impl Block {
    /// Brings the weights of a layer to the executor.
    pub(crate) async fn load(
        loader: &mut Loader<'_>,
        names: &BlockNames,
        layer: usize,
        form: &BlockForm,
    ) -> Result<Block, ModelError> {
        let name = |template: &str| BlockNames::of_layer(template, layer);
        let (d, d_ff, norm, head_rows) = (form.d_model, form.d_ff, form.norm, form.head_rows);
        let (q_width, kv_width, of_attention, of_mlp) = (form.q_width(), form.kv_width(), form.attention_bias, form.mlp_bias);
        let attention_norm = Norm::load(loader, &name(names.attention_norm), d, norm).await?;
        let attention = Attention {
            q: Linear::load(loader, &name(names.q), [q_width, d], head_rows, of_attention).await?,
            k: Linear::load(loader, &name(names.k), [kv_width, d], head_rows, of_attention).await?,
            v: Linear::load(loader, &name(names.v), [kv_width, d], 1, of_attention).await?,
            o: Linear::load(loader, &name(names.o), [d, q_width], 1, of_attention).await?,
            heads: form.heads,
        };
        let mlp_norm = Norm::load(loader, &name(names.mlp_norm), d, norm).await?;
        let gate = match names.gate {
            Some(gate) => Some(Linear::load(loader, &name(gate), [d_ff, d], 1, of_mlp).await?),
            None => None,
        };
        let up = Linear::load(loader, &name(names.up), [d_ff, d], 1, of_mlp).await?;
        let down = Linear::load(loader, &name(names.down), [d, d_ff], 1, of_mlp).await?;
        Ok(Block { attention_norm, attention, mlp_norm, mlp: Mlp { gate, up, down } })
    }

    /// The tensors that a layer consists of.
    pub(crate) fn tensors(names: &BlockNames, layer: usize, form: &BlockForm, checkpoint: &Checkpoint) -> Vec<String> {
        let name = |template: &str| BlockNames::of_layer(template, layer);
        let norms =
            [names.attention_norm, names.mlp_norm].into_iter().flat_map(|norm| Norm::tensors(&name(norm), form.norm.kind));
        let of_attention = [names.q, names.k, names.v, names.o].map(|linear| (linear, form.attention_bias));
        let of_mlp = names.gate.into_iter().chain([names.up, names.down]).map(|linear| (linear, form.mlp_bias));
        let linears = of_attention.into_iter().chain(of_mlp);
        norms.chain(linears.flat_map(|(linear, bias)| Linear::tensors(&name(linear), bias, checkpoint))).collect()
    }

    /// Appends its operations for rows that stand in `at.x`. What goes on stands there too, or where `passing.kept` says.
    pub(crate) fn apply(&self, layer: usize, at: &Activations, passing: Passing<'_>, ops: &mut Vec<Op>) {
        let Passing { all, kept, cached, factors } = passing;
        self.attention_norm.apply(&at.x, &at.normed, all.n, ops);
        self.attention.keys_and_values(at, all, cached, ops);
        let (x, rows) = kept.map_or((&at.x, all), |kept| (kept.x, kept.rows));
        if rows.n == 0 {
            return;
        }
        if let Some(Kept { index, .. }) = kept {
            let cols = at.x.words() / all.n.max(1);
            ops.push(Op::Gather { from: at.x.clone(), index: index.clone(), out: x.clone(), rows: rows.n, cols });
            self.attention_norm.apply(x, &at.normed, rows.n, ops);
        }
        self.attention.attend(Attending { layer, batch_rows: all.n, cached, factors }, at, x, rows, ops);
        self.mlp_norm.apply(x, &at.normed, rows.n, ops);
        self.mlp.apply(&at.normed, x, (at.gate.as_ref(), &at.up), rows.n, ops);
    }

    /// Its matrices.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &Weight> {
        self.linears().map(|linear| &linear.weight)
    }

    /// All that it holds beside matrices.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        let norms = [&self.attention_norm, &self.mlp_norm].into_iter().flat_map(Norm::buffers);
        norms.chain(self.linears().filter_map(|linear| linear.bias.as_ref()))
    }

    fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.attention.linears().into_iter().chain(self.mlp.linears())
    }
}
