//! The MLP of a block.

use super::linear::Linear;
use kernels::{Buffer, Op};

/// Two or three linear maps with an activation between them.
#[derive(Debug)]
pub(crate) struct Mlp {
    /// `[d_ff, d_model]`. With it the values are multiplied by their gates ([`Op::SwiGlu`]), without it they go through
    /// [`Op::Gelu`].
    pub(crate) gate: Option<Linear>,
    /// `[d_ff, d_model]`.
    pub(crate) up: Linear,
    /// `[d_model, d_ff]`.
    pub(crate) down: Linear,
}

impl Mlp {
    /// Appends `x += mlp(normed)` for so many rows; `gate` and `up` are memory for `[rows, d_ff]` each, `gate` where there is one.
    pub(crate) fn apply(&self, normed: &Buffer, x: &Buffer, hidden: (Option<&Buffer>, &Buffer), rows: usize, ops: &mut Vec<Op>) {
        let (gates, values) = hidden;
        let words = rows * self.up.weight.rows();
        let hidden = match self.gate.as_ref().zip(gates) {
            Some((gate, gates)) => {
                gate.apply(normed, gates, rows, false, ops);
                self.up.apply(normed, values, rows, false, ops);
                ops.push(Op::SwiGlu { gate: gates.clone(), up: values.clone(), words });
                gates
            }
            None => {
                self.up.apply(normed, values, rows, false, ops);
                ops.push(Op::Gelu { x: values.clone(), words });
                values
            }
        };
        self.down.apply(hidden, x, rows, true, ops);
    }

    /// Its linear maps.
    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.gate.iter().chain([&self.up, &self.down])
    }
}
