//! Norms of rows.

use super::linear::{bias_of, weight_of};
use crate::ModelError;
use crate::load::Loader;
use kernels::{Buffer, Op};

/// How a norm is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NormForm {
    pub(crate) kind: NormKind,
    /// Added to the mean square, or to the variance.
    pub(crate) eps: f32,
}

/// The formula of a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// [`kernels::Op::RmsNorm`], which has a gain.
    Rms,
    /// [`kernels::Op::LayerNorm`], which has a gain and a bias.
    Layer,
}

/// Where the two norms of a block stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlaces {
    /// `x + attention(norm(x))`, and the MLP alike.
    Before,
    /// `x + norm(attention(x))`, and the MLP alike.
    After,
}

/// A norm's weights.
#[derive(Debug)]
pub(crate) struct Norm {
    eps: f32,
    /// `[cols]`.
    gain: Buffer,
    /// `[cols]`, of a layer norm.
    bias: Option<Buffer>,
}

impl Norm {
    /// Brings a norm of `cols` features to the executor.
    pub(crate) async fn load(loader: &mut Loader<'_>, name: &str, cols: usize, form: NormForm) -> Result<Norm, ModelError> {
        let gain = loader.vector(&weight_of(name), cols).await?;
        let bias = match form.kind {
            NormKind::Rms => None,
            NormKind::Layer => Some(loader.vector(&bias_of(name), cols).await?),
        };
        Ok(Norm { eps: form.eps, gain, bias })
    }

    /// The tensors that a norm of that name consists of.
    pub(crate) fn tensors(name: &str, kind: NormKind) -> Vec<String> {
        match kind {
            NormKind::Rms => vec![weight_of(name)],
            NormKind::Layer => vec![weight_of(name), bias_of(name)],
        }
    }

    /// Features of a row.
    pub(crate) fn cols(&self) -> usize {
        self.gain.words()
    }

    /// Appends `out = norm(x)` for so many rows.
    pub(crate) fn apply(&self, x: &Buffer, out: &Buffer, rows: usize, ops: &mut Vec<Op>) {
        let (x, out, gain, cols, eps) = (x.clone(), out.clone(), self.gain.clone(), self.cols(), self.eps);
        ops.push(match &self.bias {
            None => Op::RmsNorm { x, gain, out, rows, cols, eps },
            Some(bias) => Op::LayerNorm { x, gain, bias: bias.clone(), out, rows, cols, eps },
        });
    }

    /// What it holds.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        [&self.gain].into_iter().chain(&self.bias)
    }
}
