//! The one block, of decoders and of towers: attention and an MLP, each with a norm before or after it, added to its input.

use crate::family::{BlockNames, Inputs};
use crate::load::Loader;
use crate::parts::{Attending, Attention, Bias, Linear, Mlp, Norm, NormForm, Rotation, Stored};
use crate::{ModelError, NormPlaces, QkNorm};
use kernels::{AttentionShape, Buffer, ExecError, Op, Weight};
use std::ops::Range;
use weights::Checkpoint;

/// What all blocks of a stack have in common: sizes, and the kinds of their parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockForm {
    pub(crate) d_model: usize,
    pub(crate) heads: AttentionShape,
    pub(crate) d_ff: usize,
    pub(crate) norm: NormForm,
    pub(crate) norm_places: NormPlaces,
    pub(crate) qk_norm: QkNorm,
    /// Of queries, keys and values.
    pub(crate) attention_bias: Bias,
    pub(crate) output_bias: Bias,
    pub(crate) mlp_bias: Bias,
    /// Whether MLPs have a gate.
    pub(crate) is_gated: bool,
    /// Whether files have the matrices of blocks as `[inputs, outputs]`.
    pub(crate) is_transposed: bool,
    /// Which features of heads rotate, and how they are stored.
    pub(crate) rotation: Rotation,
}

/// The weights of one block.
#[derive(Debug)]
pub(crate) struct Block {
    attention_norm: Norm,
    attention: Attention,
    mlp_norm: Norm,
    mlp: Mlp,
    norm_places: NormPlaces,
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
    /// What attention or the MLP gives ahead of a norm, `[rows, d_model]`, where norms stand after them.
    branch: Option<Buffer>,
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

    /// Features of a norm of queries, and of one of keys.
    fn qk_norm_cols(&self) -> [usize; 2] {
        match self.qk_norm {
            QkNorm::Whole => [self.q_width(), self.kv_width()],
            QkNorm::PerHead | QkNorm::None => [self.heads.head_dim; 2],
        }
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
            branch: match form.norm_places {
                NormPlaces::Before => None,
                NormPlaces::After => Some(alloc(rows * form.d_model, "states ahead of a norm")?),
            },
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
        let (d, d_ff, norm) = (form.d_model, form.d_ff, form.norm);
        let order = form.rotation.order(form.heads.head_dim);
        let order = order.as_deref();
        let (q_width, kv_width, of_inputs, of_mlp) = (form.q_width(), form.kv_width(), form.attention_bias, form.mlp_bias);
        let attention_norm = Norm::load(loader, &name(names.attention_norm), d, norm).await?;
        let norms = match names.qk_norms {
            None => None,
            Some((q, k)) => {
                let [q_cols, k_cols] = form.qk_norm_cols();
                let q = Norm::load(loader, &name(q), q_cols, norm).await?;
                Some((q, Norm::load(loader, &name(k), k_cols, norm).await?))
            }
        };
        let stored = |template: &str, outputs: Range<usize>, of_outputs, inputs, order| Stored {
            name: name(template),
            outputs,
            of_outputs,
            inputs,
            order,
            is_transposed: form.is_transposed,
        };
        let [q, k, v] = match names.inputs {
            Inputs::Apart([q, k, v]) => [(q, 0..q_width, q_width), (k, 0..kv_width, kv_width), (v, 0..kv_width, kv_width)],
            Inputs::Joined(all) => {
                let (keys, values, end) = (q_width, q_width + kv_width, q_width + 2 * kv_width);
                [(all, 0..keys, end), (all, keys..values, end), (all, values..end, end)]
            }
        };
        let input = |(template, outputs, of_outputs), order| stored(template, outputs, of_outputs, d, order);
        let alone = |template, [outputs, inputs]: [usize; 2]| stored(template, 0..outputs, outputs, inputs, None);
        let attention = Attention {
            q: Linear::load(loader, &input(q, order), of_inputs).await?,
            k: Linear::load(loader, &input(k, order), of_inputs).await?,
            v: Linear::load(loader, &input(v, None), of_inputs).await?,
            o: Linear::load(loader, &alone(names.o, [d, q_width]), form.output_bias).await?,
            norms,
            heads: form.heads,
        };
        let mlp_norm = Norm::load(loader, &name(names.mlp_norm), d, norm).await?;
        let gate = match names.gate {
            Some(gate) => Some(Linear::load(loader, &alone(gate, [d_ff, d]), of_mlp).await?),
            None => None,
        };
        let up = Linear::load(loader, &alone(names.up, [d_ff, d]), of_mlp).await?;
        let down = Linear::load(loader, &alone(names.down, [d, d_ff]), of_mlp).await?;
        Ok(Block { attention_norm, attention, mlp_norm, mlp: Mlp { gate, up, down }, norm_places: form.norm_places })
    }

    /// The tensors that a layer consists of.
    pub(crate) fn tensors(names: &BlockNames, layer: usize, form: &BlockForm, checkpoint: &Checkpoint) -> Vec<String> {
        let name = |template: &str| BlockNames::of_layer(template, layer);
        let of_heads = names.qk_norms.into_iter().flat_map(|(q, k)| [q, k]);
        let norms = [names.attention_norm, names.mlp_norm].into_iter().chain(of_heads);
        let norms = norms.flat_map(|norm| Norm::tensors(&name(norm), form.norm.kind));
        let inputs: &[&str] = match &names.inputs {
            Inputs::Apart(templates) => templates,
            Inputs::Joined(template) => std::slice::from_ref(template),
        };
        let of_attention = inputs.iter().map(|linear| (*linear, form.attention_bias)).chain([(names.o, form.output_bias)]);
        let of_mlp = names.gate.into_iter().chain([names.up, names.down]).map(|linear| (linear, form.mlp_bias));
        let linears = of_attention.chain(of_mlp);
        norms.chain(linears.flat_map(|(linear, bias)| Linear::tensors(&name(linear), bias, checkpoint))).collect()
    }

    /// Appends its operations for rows that stand in `at.x`. What goes on stands there too, or where `kept` says: in a stack's
    /// last block all rows give keys and values, and only those go on that are asked for.
    pub(crate) fn apply(&self, at: &Activations, to: &Attending<'_>, kept: Option<Kept<'_>>, ops: &mut Vec<Op>) {
        let mut input = self.before(&self.attention_norm, &at.x, at, to.all.n, ops);
        self.attention.keys_and_values(input, at, to, ops);
        let (x, rows) = kept.map_or((&at.x, to.all), |kept| (kept.x, kept.rows));
        if rows.n == 0 {
            return;
        }
        if let Some(Kept { index, .. }) = kept {
            let cols = self.attention_norm.cols();
            ops.push(Op::Gather { from: at.x.clone(), index: index.clone(), out: x.clone(), rows: rows.n, cols });
            input = self.before(&self.attention_norm, x, at, rows.n, ops);
        }
        let attended = self.attention.attend(input, at, rows, to, ops);
        self.after((&self.attention.o, &self.attention_norm), attended, x, at, rows.n, ops);
        let input = self.before(&self.mlp_norm, x, at, rows.n, ops);
        let hidden = self.mlp.hidden(input, (at.gate.as_ref(), &at.up), rows.n, ops);
        self.after((&self.mlp.down, &self.mlp_norm), hidden, x, at, rows.n, ops);
    }

    /// What attention or the MLP begins with.
    fn before<'a>(&self, norm: &Norm, x: &'a Buffer, at: &'a Activations, rows: usize, ops: &mut Vec<Op>) -> &'a Buffer {
        match self.norm_places {
            NormPlaces::After => x,
            NormPlaces::Before => {
                norm.apply(x, &at.normed, rows, ops);
                &at.normed
            }
        }
    }

    /// Adds to `x` what attention or the MLP ends with: its last linear map of `from`, and its norm where that stands there.
    fn after(
        &self,
        (linear, norm): (&Linear, &Norm),
        from: &Buffer,
        x: &Buffer,
        at: &Activations,
        rows: usize,
        ops: &mut Vec<Op>,
    ) {
        let Some(branch) = &at.branch else { return linear.apply(from, x, rows, true, ops) };
        linear.apply(from, branch, rows, false, ops);
        norm.apply(branch, &at.normed, rows, ops);
        let words = rows * norm.cols();
        ops.push(Op::Add { x: x.clone(), addend: at.normed.clone(), words, period: words });
    }

    /// Its matrices.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &Weight> {
        self.linears().map(|linear| &linear.weight)
    }

    /// All that it holds beside matrices.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        let norms = [&self.attention_norm, &self.mlp_norm].into_iter().chain(self.attention.norms()).flat_map(Norm::buffers);
        norms.chain(self.linears().filter_map(|linear| linear.bias.as_ref()))
    }

    fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.attention.linears().into_iter().chain(self.mlp.linears())
    }
}
