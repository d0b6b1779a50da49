//! Whether an operation's operands fit together, checked by both executors before anything runs.

use crate::{Buffer, Op};

/// Which operand of which operation does not fit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShapeError {
    /// A buffer is shorter than the operation needs.
    #[error("{op}: {operand} holds {found} words, but its shape needs {needed}")]
    TooShort {
        /// The operation.
        op: &'static str,
        /// The operand.
        operand: &'static str,
        /// Words it has.
        found: usize,
        /// Words its shape takes.
        needed: usize,
    },
    /// A dimension is out of its range.
    #[error("{op}: {what}")]
    Dimension {
        /// The operation.
        op: &'static str,
        /// What is wrong, with the numbers.
        what: String,
    },
    /// An output is also an input.
    #[error("{op}: {operand} is the same memory as the output")]
    Aliased {
        /// The operation.
        op: &'static str,
        /// The input.
        operand: &'static str,
    },
}

impl Op {
    /// Checks that every operand is long enough for the shapes and that no input is the output's memory.
    pub fn check(&self) -> Result<(), ShapeError> {
        let op = self.name();
        let needs = |operand: &'static str, buffer: &Buffer, dims: &[usize]| {
            let needed = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim)).unwrap_or(usize::MAX);
            if buffer.words() < needed {
                return Err(ShapeError::TooShort { op, operand, found: buffer.words(), needed });
            }
            Ok(())
        };
        let apart = |out: &Buffer, inputs: &[(&'static str, &Buffer)]| match inputs.iter().find(|(_, input)| input.is(out)) {
            Some((operand, _)) => Err(ShapeError::Aliased { op, operand }),
            None => Ok(()),
        };
        let require = |holds: bool, what: &dyn Fn() -> String| {
            if holds { Ok(()) } else { Err(ShapeError::Dimension { op, what: what() }) }
        };
        match self {
            Op::Embed { table, ids, out, rows } => {
                needs("ids", ids, &[*rows])?;
                needs("out", out, &[*rows, table.cols()])?;
                apart(out, &[("ids", ids)])
            }
            Op::RmsNorm { x, gain, out, rows, cols, .. } => {
                needs("x", x, &[*rows, *cols])?;
                needs("gain", gain, &[*cols])?;
                needs("out", out, &[*rows, *cols])?;
                apart(out, &[("x", x), ("gain", gain)])
            }
            Op::LayerNorm { x, gain, bias, out, rows, cols, .. } => {
                needs("x", x, &[*rows, *cols])?;
                needs("gain", gain, &[*cols])?;
                needs("bias", bias, &[*cols])?;
                needs("out", out, &[*rows, *cols])?;
                apart(out, &[("x", x), ("gain", gain), ("bias", bias)])
            }
            Op::MatMul { x, weight, outputs, out, rows, .. } => {
                require(outputs.start <= outputs.end && outputs.end <= weight.rows(), &|| {
                    format!("outputs {outputs:?} of {}, which has {}", weight.spec().name, weight.rows())
                })?;
                needs("x", x, &[*rows, weight.cols()])?;
                needs("out", out, &[*rows, outputs.len()])?;
                apart(out, &[("x", x)])
            }
            Op::Rope { x, angles, rows, heads, head_dim } => {
                require(head_dim.is_multiple_of(2), &|| format!("head_dim {head_dim} is odd"))?;
                needs("x", x, &[*rows, *heads, *head_dim])?;
                needs("angles", angles, &[*rows, *head_dim])?;
                apart(x, &[("angles", angles)])
            }
            Op::Attention { q, k, v, cache_k, cache_v, table, factors, out, n_rows, batch_rows, shape, .. } => {
                require(shape.n_kv_heads > 0 && shape.n_heads.is_multiple_of(shape.n_kv_heads), &|| {
                    format!("{} query heads are no multiple of {} key-value heads", shape.n_heads, shape.n_kv_heads)
                })?;
                needs("q", q, &[*n_rows, shape.n_heads, shape.head_dim])?;
                needs("k", k, &[*batch_rows, shape.n_kv_heads, shape.head_dim])?;
                needs("v", v, &[*batch_rows, shape.n_kv_heads, shape.head_dim])?;
                needs("table", table, &[*n_rows, 8])?;
                needs("factors", factors, &[1])?;
                needs("out", out, &[*n_rows, shape.n_heads, shape.head_dim])?;
                let inputs = [("q", q), ("k", k), ("v", v), ("cache_k", cache_k), ("cache_v", cache_v)];
                apart(out, &inputs)?;
                apart(out, &[("table", table), ("factors", factors)])
            }
            Op::SwiGlu { gate, up, words } => {
                needs("gate", gate, &[*words])?;
                needs("up", up, &[*words])?;
                apart(gate, &[("up", up)])
            }
            Op::Gelu { x, words } => needs("x", x, &[*words]),
            Op::Add { x, addend, words, period } => {
                require(*period > 0, &|| "period is 0".to_owned())?;
                needs("x", x, &[*words])?;
                needs("addend", addend, &[*period])?;
                apart(x, &[("addend", addend)])
            }
            Op::Copy { from, from_word, to, to_word, words } => {
                needs("from", from, &[from_word.saturating_add(*words)])?;
                needs("to", to, &[to_word.saturating_add(*words)])?;
                apart(to, &[("from", from)])
            }
            Op::Gather { from, index, out, rows, cols } => {
                needs("index", index, &[*rows])?;
                needs("out", out, &[*rows, *cols])?;
                apart(out, &[("from", from), ("index", index)])
            }
            Op::LogSumExp { logits, state, rows, cols, .. } => {
                needs("logits", logits, &[*rows, *cols])?;
                needs("state", state, &[*rows, 2])?;
                apart(state, &[("logits", logits)])
            }
            Op::Pick { logits, wanted, out, n, rows, cols, .. } => {
                needs("logits", logits, &[*rows, *cols])?;
                needs("wanted", wanted, &[*n, 2])?;
                needs("out", out, &[*n])?;
                apart(out, &[("logits", logits), ("wanted", wanted)])
            }
            Op::TopK { logits, out, out_word, rows, cols, k, .. } => {
                needs("logits", logits, &[*rows, *cols])?;
                needs("out", out, &[out_word.saturating_add(rows * k * 2)])?;
                apart(out, &[("logits", logits)])
            }
        }
    }
}
