//! A linear map of rows, with or without a bias.

use crate::ModelError;
use crate::load::Loader;
use kernels::{Buffer, Op, Weight};
use std::ops::Range;
use weights::Checkpoint;

/// A matrix `[outputs, inputs]`, and what is added to each row of its products.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weight: Weight,
    /// `[outputs]`.
    pub(crate) bias: Option<Buffer>,
}

/// Whether linear maps have a bias, as a model's files say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// None has.
    None,
    /// All have.
    All,
    /// Those have of which there is one in the file, which says no more about it.
    WhereStored,
}

impl Bias {
    fn is_there(self, is_stored: impl FnOnce() -> bool) -> bool {
        match self {
            Bias::None => false,
            Bias::All => true,
            Bias::WhereStored => is_stored(),
        }
    }
}

/// Where files have a linear map.
#[derive(Clone, Debug)]
pub(crate) struct Stored<'a> {
    /// The tensors' names without their endings.
    pub(crate) name: String,
    /// Which of the tensors' outputs are the map's.
    pub(crate) outputs: Range<usize>,
    /// How many outputs the tensors have.
    pub(crate) of_outputs: usize,
    /// Features of the input.
    pub(crate) inputs: usize,
    /// In which each head's outputs are put, see [`crate::parts::Rotation::order`].
    pub(crate) order: Option<&'a [usize]>,
    /// Whether the matrix is stored as `[inputs, outputs]`.
    pub(crate) is_transposed: bool,
}

impl Linear {
    /// Brings a map and its bias to the executor.
    pub(crate) async fn load(loader: &mut Loader<'_>, stored: &Stored<'_>, bias: Bias) -> Result<Linear, ModelError> {
        let weight = loader.map(stored).await?;
        let has_bias = bias.is_there(|| loader.has(&bias_of(&stored.name)));
        let bias = if has_bias { Some(loader.bias(stored).await?) } else { None };
        Ok(Linear { weight, bias })
    }

    /// The tensors that a map of that name consists of.
    pub(crate) fn tensors(name: &str, bias: Bias, checkpoint: &Checkpoint) -> Vec<String> {
        let has_bias = bias.is_there(|| checkpoint.has(&bias_of(name)));
        let bias = has_bias.then(|| bias_of(name));
        [weight_of(name)].into_iter().chain(bias).collect()
    }

    /// Appends `out = x . weight^T + bias` for so many rows, added to what `out` holds if `accumulate`.
    pub(crate) fn apply(&self, x: &Buffer, out: &Buffer, rows: usize, accumulate: bool, ops: &mut Vec<Op>) {
        let (weight, outputs) = (self.weight.clone(), 0..self.weight.rows());
        ops.push(Op::MatMul { x: x.clone(), weight, outputs, out: out.clone(), rows, accumulate });
        if let Some(bias) = &self.bias {
            let period = self.weight.rows();
            ops.push(Op::Add { x: out.clone(), addend: bias.clone(), words: rows * period, period });
        }
    }
}

/// The tensor of a part's matrix or gain.
pub(crate) fn weight_of(name: &str) -> String {
    format!("{name}.weight")
}

/// The tensor of a part's bias.
pub(crate) fn bias_of(name: &str) -> String {
    format!("{name}.bias")
}
