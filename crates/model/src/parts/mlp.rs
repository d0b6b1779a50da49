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
    /// Appends what goes into `down` for so many rows of `input`, and says where it lies, `[rows, d_ff]`. `gates` and `values` are
    /// memory for as much each, gates where there are any.
    pub(crate) fn hidden<'a>(
        &self,
        input: &Buffer,
        (gates, values): (Option<&'a Buffer>, &'a Buffer),
        rows: usize,
        ops: &mut Vec<Op>,
    ) -> &'a Buffer {
        let words = rows * self.up.weight.rows();
        match self.gate.as_ref().zip(gates) {
            Some((gate, gates)) => {
                gate.apply(input, gates, rows, false, ops);
                self.up.apply(input, values, rows, false, ops);
                ops.push(Op::SwiGlu { gate: gates.clone(), up: values.clone(), words });
                gates
            }
            None => {
                self.up.apply(input, values, rows, false, ops);
                ops.push(Op::Gelu { x: values.clone(), words });
                values
            }
        }
    }

    /// Its linear maps.
    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.gate.iter().chain([&self.up, &self.down])
    }
}
