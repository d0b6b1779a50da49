//! Operations to dispatches: which kernel, which operands, which part of the work, nothing of the device itself.

use crate::pace::Pace;
use crate::program::{Halves, PARAM_WORDS, Plain, Product, Program};
use crate::weights::Weights;
use crate::{Limits, Tier};
use kernels::{Cost, ExecError, Op, Weight};
use std::ops::Range;

/// Invocations of a workgroup of the elementwise kernels and of the reductions, as in their shaders.
const LANES: usize = 64;
/// Rows and outputs of a tile of `matmul_tile.wgsl`.
const TILE: usize = 64;
/// Rows and outputs of a workgroup of `matmul_direct.wgsl`.
const DIRECT: (usize, usize) = (8 * 4, 8 * 8);
/// Outputs of an invocation of `matvec.wgsl`, and the rows that it takes at most.
const VECTOR_OUTPUTS: usize = 4;
const VECTOR_ROWS: usize = 4;
/// The most features of a head that `attention.wgsl` has room for.
pub(crate) const MAX_HEAD_DIM: usize = 256;

/// One launch of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) program: Program,
    /// The storage buffers in binding order.
    pub(crate) operands: Vec<Operand>,
    pub(crate) params: [u32; PARAM_WORDS],
    pub(crate) workgroups: [u32; 3],
    pub(crate) cost: Cost,
}

/// A buffer of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// By the id of its handle.
    Buffer(usize),
    /// By the id of its weight's handle and its number.
    Shard(usize, usize),
}

/// What planning depends on.
pub(crate) struct Planner<'a> {
    pub(crate) tier: Tier,
    pub(crate) halves: Halves,
    pub(crate) limits: Limits,
    pub(crate) device: &'a str,
    pub(crate) weights: &'a Weights,
    pub(crate) pace: &'a Pace,
}

/// A matrix product's operands.
struct MatMul<'a> {
    x: usize,
    weight: &'a Weight,
    outputs: Range<usize>,
    out: usize,
    rows: usize,
    accumulate: bool,
}

impl Planner<'_> {
    /// The dispatches that carry out an operation that was checked, in order. None of them takes longer than a submit should
    /// as far as it can be cut.
    pub(crate) fn plan(&self, op: &Op) -> Result<Vec<Dispatch>, ExecError> {
        let cost = op.cost();
        match op {
            Op::Embed { table, ids, out, rows } => self.embed(table, ids.id(), out.id(), *rows, cost),
            Op::RmsNorm { x, gain, out, rows, cols, eps } => {
                let operands = [x.id(), gain.id(), out.id()];
                self.rows(Plain::RmsNorm, &operands, *rows, &[word(*cols)?, eps.to_bits()], cost)
            }
            Op::LayerNorm { x, gain, bias, out, rows, cols, eps } => {
                let operands = [x.id(), gain.id(), bias.id(), out.id()];
                self.rows(Plain::LayerNorm, &operands, *rows, &[word(*cols)?, eps.to_bits()], cost)
            }
            Op::MatMul { x, weight, outputs, out, rows, accumulate } => self.matmul(
                &MatMul { x: x.id(), weight, outputs: outputs.clone(), out: out.id(), rows: *rows, accumulate: *accumulate },
                cost,
            ),
            Op::Rope { x, angles, rows, heads, head_dim } => {
                let pairs = head_dim / 2;
                let params = [word(*heads)?, word(pairs)?];
                self.elements(Program::Plain(Plain::Rope), buffers(&[x.id(), angles.id()]), rows * heads * pairs, &params, cost)
            }
            Op::Attention { .. } => self.attention(op, cost),
            Op::SwiGlu { gate, up, words } => {
                self.elements(Program::Plain(Plain::SwiGlu), buffers(&[gate.id(), up.id()]), *words, &[], cost)
            }
            Op::Gelu { x, words } => self.elements(Program::Plain(Plain::Gelu), buffers(&[x.id()]), *words, &[], cost),
            Op::Add { x, addend, words, period } => {
                let operands = buffers(&[x.id(), addend.id()]);
                self.elements(Program::Plain(Plain::Add), operands, *words, &[word(*period)?], cost)
            }
            Op::Copy { from, from_word, to, to_word, words } => {
                let params = [word(*from_word)?, word(*to_word)?];
                self.elements(Program::Plain(Plain::Copy), buffers(&[from.id(), to.id()]), *words, &params, cost)
            }
            Op::Gather { from, index, out, rows, cols } => {
                let operands = buffers(&[from.id(), index.id(), out.id()]);
                self.elements(Program::Plain(Plain::Gather), operands, rows * cols, &[word(*cols)?], cost)
            }
            Op::LogSumExp { logits, state, rows, cols, first } => {
                let params = [word(*cols)?, u32::from(*first)];
                self.rows(Plain::LogSumExp, &[logits.id(), state.id()], *rows, &params, cost)
            }
            Op::Pick { logits, wanted, out, n, rows, cols, first_col } => {
                let operands = buffers(&[logits.id(), wanted.id(), out.id()]);
                let params = [word(*rows)?, word(*cols)?, word(*first_col)?];
                self.elements(Program::Plain(Plain::Pick), operands, *n, &params, cost)
            }
            Op::TopK { logits, out, out_word, rows, cols, first_col, k } => {
                let params = [word(*cols)?, word(*first_col)?, word(*k)?, word(*out_word)?];
                self.rows(Plain::TopK, &[logits.id(), out.id()], *rows, &params, cost)
            }
        }
    }

    /// A kernel with an invocation for each of `n` elements; its parameters begin with the range of elements.
    fn elements(
        &self,
        program: Program,
        operands: Vec<Operand>,
        n: usize,
        rest: &[u32],
        cost: Cost,
    ) -> Result<Vec<Dispatch>, ExecError> {
        self.ranges(program, &operands, n, LANES, rest, cost)
    }

    /// A kernel with a workgroup for each of `n` rows; its parameters begin with the range of rows.
    fn rows(&self, plain: Plain, operands: &[usize], n: usize, rest: &[u32], cost: Cost) -> Result<Vec<Dispatch>, ExecError> {
        self.ranges(Program::Plain(plain), &buffers(operands), n, 1, rest, cost)
    }

    /// Dispatches over ranges of `n` units, `per_workgroup` of them to a workgroup.
    fn ranges(
        &self,
        program: Program,
        operands: &[Operand],
        n: usize,
        per_workgroup: usize,
        rest: &[u32],
        cost: Cost,
    ) -> Result<Vec<Dispatch>, ExecError> {
        cuts(0..n, self.pace.pieces(program, cost), per_workgroup, self.most_workgroups().saturating_mul(per_workgroup))
            .map(|range| {
                let mut values = vec![word(range.start)?, word(range.end)?];
                values.extend(rest);
                Ok(Dispatch {
                    program,
                    operands: operands.to_vec(),
                    params: params(&values),
                    workgroups: self.grid(range.len().div_ceil(per_workgroup))?,
                    cost: share(cost, range.len(), n),
                })
            })
            .collect()
    }

    fn embed(&self, table: &Weight, ids: usize, out: usize, rows: usize, cost: Cost) -> Result<Vec<Dispatch>, ExecError> {
        let sharded = self.weights.get(table.id())?;
        let quads = table.cols().div_ceil(4);
        let stride = word(sharded.row_stride(table.spec()))?;
        let n_shards = sharded.shards.len();
        let mut dispatches = Vec::new();
        for (shard, begin, _) in sharded.covering(0..table.rows()) {
            let operands = vec![Operand::Shard(table.id(), shard), Operand::Buffer(ids), Operand::Buffer(out)];
            let rest = [word(quads)?, word(table.cols())?, stride, word(begin)?, word(sharded.rows_of(shard))?];
            let format = table.format();
            let program = Program::Embed { format, halves: self.halves.within(format) };
            dispatches.extend(self.elements(program, operands, rows * quads, &rest, share(cost, 1, n_shards))?);
        }
        Ok(dispatches)
    }

    fn matmul(&self, op: &MatMul<'_>, cost: Cost) -> Result<Vec<Dispatch>, ExecError> {
        let (kernel, rows_step, outputs_step) = self.product(op.rows);
        let sharded = self.weights.get(op.weight.id())?;
        let cols = op.weight.cols();
        let stride = word(sharded.row_stride(op.weight.spec()))?;
        let format = op.weight.format();
        let halves = self.halves.within(format);
        let program = Program::Product { kernel, format, halves, aligned: cols.is_multiple_of(4) };
        let work = op.rows * op.outputs.len();
        let most = self.limits.workgroups_per_dimension as usize;
        // The matrix-vector product spreads its workgroups over two dimensions and takes few rows at once.
        let (most_rows, most_outputs) = match kernel {
            Product::Vector { .. } => (VECTOR_ROWS, self.most_workgroups().saturating_mul(outputs_step)),
            Product::Tile | Product::Direct => (most.saturating_mul(rows_step), most.saturating_mul(outputs_step)),
        };
        let mut dispatches = Vec::new();
        for (shard, begin, outputs) in sharded.covering(op.outputs.clone()) {
            let pieces = self.pace.pieces(program, share(cost, op.rows * outputs.len(), work));
            // Rows first: whoever reads a weight twice reads it whole.
            let row_pieces = pieces.min(op.rows.div_ceil(rows_step));
            for rows in cuts(0..op.rows, row_pieces, rows_step, most_rows) {
                let output_pieces = pieces.div_ceil(row_pieces);
                for outputs in cuts(outputs.clone(), output_pieces, outputs_step, most_outputs) {
                    let workgroups = match kernel {
                        Product::Vector { .. } => self.grid(outputs.len().div_ceil(outputs_step))?,
                        Product::Tile | Product::Direct => {
                            [word(outputs.len().div_ceil(outputs_step))?, word(rows.len().div_ceil(rows_step))?, 1]
                        }
                    };
                    dispatches.push(Dispatch {
                        program,
                        operands: vec![Operand::Shard(op.weight.id(), shard), Operand::Buffer(op.x), Operand::Buffer(op.out)],
                        params: params(&[
                            word(rows.start)?,
                            word(rows.end)?,
                            word(cols.div_ceil(4))?,
                            word(cols)?,
                            stride,
                            word(outputs.start - begin)?,
                            word(outputs.len())?,
                            word(op.outputs.len())?,
                            word(outputs.start - op.outputs.start)?,
                            u32::from(op.accumulate),
                        ]),
                        workgroups,
                        cost: share(cost, rows.len() * outputs.len(), work),
                    });
                }
            }
        }
        Ok(dispatches)
    }

    /// The kernel for a product of so many rows, and the rows and outputs of one of its workgroups.
    fn product(&self, rows: usize) -> (Product, usize, usize) {
        if rows <= self.tier.vector_rows() {
            let lanes = self.tier.vector_lanes();
            let outputs = VECTOR_OUTPUTS * LANES / lanes as usize;
            return (Product::Vector { rows: if rows == 1 { 1 } else { VECTOR_ROWS as u32 }, lanes }, VECTOR_ROWS, outputs);
        }
        match self.tier {
            Tier::Portable => (Product::Tile, TILE, TILE),
            Tier::Software => (Product::Direct, DIRECT.0, DIRECT.1),
        }
    }

    fn attention(&self, op: &Op, cost: Cost) -> Result<Vec<Dispatch>, ExecError> {
        let Op::Attention { q, k, v, cache_k, cache_v, table, factors, out, n_rows, layer, shape, .. } = op else {
            return Ok(Vec::new());
        };
        if shape.head_dim == 0 || shape.head_dim > MAX_HEAD_DIM {
            let what = "the head of an attention, in features,".to_owned();
            let (needed, limit) = (shape.head_dim as u64, MAX_HEAD_DIM as u64);
            return Err(ExecError::Limit { what, needed, limit, device: self.device.to_owned() });
        }
        let group = shape.n_heads / shape.n_kv_heads;
        let parts = group.div_ceil(4);
        // Heads spread evenly: nine over three workgroups of three, not four, four and one.
        let heads = group.div_ceil(parts.max(1));
        let program = Program::Attention {
            heads: word(heads)?,
            lanes: self.tier.attention_lanes(shape.head_dim.div_ceil(4)),
            cached: !(cache_k.is(k) && cache_v.is(v)),
            aligned: shape.head_dim.is_multiple_of(4),
        };
        let operands = buffers(&[q.id(), k.id(), v.id(), cache_k.id(), cache_v.id(), table.id(), factors.id(), out.id()]);
        let across = word(shape.n_kv_heads * parts)?;
        if across > self.limits.workgroups_per_dimension {
            let what = "an attention's key-value heads".to_owned();
            let (needed, limit) = (u64::from(across), u64::from(self.limits.workgroups_per_dimension));
            return Err(ExecError::Limit { what, needed, limit, device: self.device.to_owned() });
        }
        cuts(0..*n_rows, self.pace.pieces(program, cost), 1, self.limits.workgroups_per_dimension as usize)
            .map(|rows| {
                Ok(Dispatch {
                    program,
                    operands: operands.clone(),
                    params: params(&[
                        word(rows.start)?,
                        word(rows.end)?,
                        *layer,
                        word(shape.n_heads)?,
                        word(shape.n_kv_heads)?,
                        word(shape.head_dim)?,
                        word(shape.head_dim.div_ceil(4))?,
                        word(parts)?,
                        shape.scale().to_bits(),
                    ]),
                    workgroups: [across, word(rows.len())?, 1],
                    cost: share(cost, rows.len(), *n_rows),
                })
            })
            .collect()
    }

    /// Workgroups of one dispatch that spreads them over two dimensions.
    fn most_workgroups(&self) -> usize {
        let most = self.limits.workgroups_per_dimension as usize;
        most.saturating_mul(most)
    }

    /// `n` workgroups, at most [`Planner::most_workgroups`], over two dimensions; the kernel skips those past the end.
    fn grid(&self, n: usize) -> Result<[u32; 3], ExecError> {
        let wide = n.min(self.limits.workgroups_per_dimension as usize).max(1);
        Ok([word(wide)?, word(n.div_ceil(wide))?, 1])
    }
}

fn buffers(ids: &[usize]) -> Vec<Operand> {
    ids.iter().map(|id| Operand::Buffer(*id)).collect()
}

/// A number as a shader's parameter.
fn word(n: usize) -> Result<u32, ExecError> {
    u32::try_from(n).map_err(|_| ExecError::Limit {
        what: "a number that a shader is given".to_owned(),
        needed: n as u64,
        limit: u64::from(u32::MAX),
        device: "a shader of 32 bits".to_owned(),
    })
}

fn params(values: &[u32]) -> [u32; PARAM_WORDS] {
    let mut params = [0; PARAM_WORDS];
    for (param, value) in params.iter_mut().zip(values) {
        *param = *value;
    }
    params
}

/// The part of a cost that `part` of `whole` has.
fn share(cost: Cost, part: usize, whole: usize) -> Cost {
    let of = |amount: u64| (u128::from(amount) * part as u128 / whole.max(1) as u128) as u64;
    Cost { flops: of(cost.flops), read_bytes: of(cost.read_bytes), written_bytes: of(cost.written_bytes) }
}

/// A range in `pieces` equal pieces, or more of at most `most`; all but the last are multiples of `step` long.
fn cuts(range: Range<usize>, pieces: usize, step: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let even = range.len().div_ceil(pieces.max(1)).max(1);
    let length = even.checked_next_multiple_of(step).unwrap_or(even).min((most / step * step).max(1));
    let end = range.end;
    range.step_by(length).map(move |begin| begin..end.min(begin + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_a_range_without_overlap_in_whole_steps() {
        for (n, pieces, step, most) in
            [(1, 1, 64, usize::MAX), (1000, 3, 64, usize::MAX), (129, 7, 64, 100), (5, 9, 1, 2), (0, 4, 8, 8)]
        {
            let cut: Vec<_> = cuts(10..10 + n, pieces, step, most).collect();
            let mut at = 10;
            for (i, range) in cut.iter().enumerate() {
                assert_eq!(range.start, at);
                assert!(!range.is_empty() && range.len() <= most.max(1));
                assert!(i + 1 == cut.len() || range.len().is_multiple_of(step), "{range:?} of {n}");
                at = range.end;
            }
            assert_eq!(at, 10 + n, "{cut:?}");
        }
        assert_eq!(cuts(0..1000, 3, 64, usize::MAX).count(), 3);
    }

    #[test]
    fn shares_of_a_cost_add_up_to_at_most_the_whole() {
        let cost = Cost { flops: u64::MAX, read_bytes: 1000, written_bytes: 7 };
        let half = share(cost, 1, 2);
        assert_eq!(half, Cost { flops: u64::MAX / 2, read_bytes: 500, written_bytes: 3 });
        assert_eq!(share(cost, 3, 3), cost);
        assert_eq!(share(cost, 0, 0), Cost::default());
    }
}
