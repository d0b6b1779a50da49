//! Products of a few rows: each weight is read once, as it is stored, and multiplied with all of them.

use super::math::dot;
use super::product::{Shared, Stored};
use super::threads::Work;
use std::ops::Range;
use tensor::dot_stored;

/// Most rows that go this way.
pub(super) const FEW_ROWS: usize = 4;

/// For each block of 32 of each row of `x`, the sum of its elements, `[rows, cols / 32]`: what a block's minimum is multiplied by.
pub(super) fn block_sums(x: &[f32]) -> Vec<f32> {
    x.as_chunks::<32>().0.iter().map(|block| block.iter().sum()).collect()
}

/// Some outputs of a product of `rows` rows.
pub(super) struct FewRows<'a> {
    /// `[rows, weight.cols]`.
    pub(super) x: &'a [f32],
    /// [`block_sums`] of `x`.
    pub(super) sums: &'a [f32],
    pub(super) rows: usize,
    pub(super) weight: Stored<'a>,
    /// The weight's row of output 0.
    pub(super) first: usize,
    /// Outputs of a row.
    pub(super) n: usize,
    /// The outputs to compute.
    pub(super) outputs: Range<usize>,
    pub(super) out: &'a Shared,
    pub(super) accumulate: bool,
    /// Room for a row of the weight, for formats that are decoded first.
    pub(super) decoded: &'a mut [f32],
}

impl Work for FewRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let FewRows { x, sums, rows, weight, first, n, outputs, out, accumulate, decoded } = self;
        let x_blocks = x.as_chunks::<32>().0;
        let blocks = weight.cols / 32;
        for j in outputs {
            let row = weight.row(first + j);
            if rows == FEW_ROWS
                && let Some(products) = dot_stored::<FEW_ROWS>(weight.format, row, x_blocks, sums)
            {
                for (r, product) in products.into_iter().enumerate() {
                    out.set(r * n + j, product, accumulate);
                }
                continue;
            }
            let mut is_decoded = false;
            for r in 0..rows {
                let (x_row, sums_row) =
                    (x_blocks.get(r * blocks..).unwrap_or_default(), sums.get(r * blocks..).unwrap_or_default());
                let product = match dot_stored::<1>(weight.format, row, x_row, sums_row) {
                    Some([product]) => product,
                    None => {
                        if !is_decoded {
                            weight.decode_rows(first + j, decoded);
                            is_decoded = true;
                        }
                        dot(&x[r * weight.cols..][..weight.cols], decoded)
                    }
                };
                out.set(r * n + j, product, accumulate);
            }
        }
    }
}
