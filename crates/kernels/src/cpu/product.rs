//! Products with stored weights: a panel of the weight at a time is decoded into cache, used and forgotten.

use super::few_rows::{FEW_ROWS, FewRows, block_sums};
use super::gemm::{self, Matrix};
use super::threads::{self, Work, for_each_chunk, for_each_index, simd};
use std::cell::RefCell;
use tensor::{Format, decode_blocks};

/// f32 words of a decoded panel: half a typical second-level cache.
const PANEL_WORDS: usize = 128 * 1024;

/// Weights of a turn where there are few rows.
const TURN_WEIGHTS: usize = 32 * 1024;

/// Columns of `x` that are transposed in one turn.
const TRANSPOSE_COLS: usize = 64;

thread_local! {
    /// A decoded panel and its product, or a decoded row; one for each thread.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A stored weight: rows of `cols` elements in `format`.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) format: Format,
    pub(super) cols: usize,
    pub(super) row_bytes: usize,
}

impl<'a> Stored<'a> {
    /// The stored bytes of one row.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &'a [u8] {
        &self.bytes[row * self.row_bytes..][..self.row_bytes]
    }

    /// Decodes rows from `first` on, as many as fill `out`.
    #[inline(always)]
    pub(super) fn decode_rows(&self, first: usize, out: &mut [f32]) {
        let rows = out.len() / self.cols.max(1);
        decode_blocks(self.format, &self.bytes[first * self.row_bytes..(first + rows) * self.row_bytes], out);
    }
}

/// `out[r, j] (+)= x[r, :] . weight[first + j, :]` for `j < n`, with `x [rows, cols]` and `out [rows, n]`.
pub(super) fn matmul(x: &[f32], weight: Stored<'_>, first: usize, n: usize, out: &mut [f32], rows: usize, accumulate: bool) {
    let x = &x[..rows * weight.cols];
    let out = Shared(out.as_mut_ptr(), out.len());
    match rows {
        0 => {}
        1..=FEW_ROWS => few_rows(x, weight, first, n, &out, rows, accumulate),
        _ => many_rows(x, weight, first, n, &out, rows, accumulate),
    }
}

fn few_rows(x: &[f32], weight: Stored<'_>, first: usize, n: usize, out: &Shared, rows: usize, accumulate: bool) {
    let sums = block_sums(x);
    // Enough outputs a turn to be worth handing to a thread, few enough to share the work evenly.
    let per_turn = (TURN_WEIGHTS / weight.cols.max(1)).clamp(1, n.div_ceil(threads::count()).max(1));
    for_each_index(n.div_ceil(per_turn), |turn| {
        let outputs = turn * per_turn..((turn + 1) * per_turn).min(n);
        with_scratch(weight.cols, |decoded| {
            simd(FewRows { x, sums: &sums, rows, weight, first, n, outputs, out, accumulate, decoded });
        });
    });
}

/// Columns of `x` and of the output are `rows` apart on the way: then `gemm` needs to repack neither operand.
fn many_rows(x: &[f32], weight: Stored<'_>, first: usize, n: usize, out: &Shared, rows: usize, accumulate: bool) {
    let cols = weight.cols;
    let mut x_columns = vec![0.0; rows * cols];
    for_each_chunk(&mut x_columns, TRANSPOSE_COLS * rows, |i, chunk| {
        for (k, column) in chunk.chunks_exact_mut(rows).enumerate() {
            for (r, value) in column.iter_mut().enumerate() {
                *value = x[r * cols + i * TRANSPOSE_COLS + k];
            }
        }
    });
    let per_panel = (PANEL_WORDS / cols).clamp(1, n.div_ceil(threads::count()));
    for_each_index(n.div_ceil(per_panel), |panel| {
        let begin = panel * per_panel;
        let len = per_panel.min(n - begin);
        with_scratch(len * (cols + rows), |scratch| {
            let (decoded, product) = scratch.split_at_mut(len * cols);
            simd(DecodeRows { weight, first: first + begin, decoded });
            let x = Matrix { data: &x_columns, rows, cols, row_stride: 1, col_stride: rows };
            let weight = Matrix { data: decoded, rows: cols, cols: len, row_stride: 1, col_stride: cols };
            gemm::product(product, 1, rows, false, x, weight);
            simd(StoreColumns { product, rows, n, begin, out, accumulate });
        });
    });
}

/// Calls `work` with this thread's scratch memory, contents undefined.
fn with_scratch<R>(words: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < words {
            scratch.resize(words, 0.0);
        }
        work(&mut scratch[..words])
    })
}

/// Decodes as many rows as fill `decoded`.
struct DecodeRows<'a> {
    weight: Stored<'a>,
    first: usize,
    decoded: &'a mut [f32],
}

impl Work for DecodeRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.weight.decode_rows(self.first, self.decoded);
    }
}

/// Writes `product [len, rows]` to columns `begin ..` of the output.
struct StoreColumns<'a> {
    product: &'a [f32],
    rows: usize,
    n: usize,
    begin: usize,
    out: &'a Shared,
    accumulate: bool,
}

impl Work for StoreColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let len = self.product.len() / self.rows;
        // In squares, so that neither side's cache lines are fetched again and again.
        for j0 in (0..len).step_by(16) {
            for r in 0..self.rows {
                let out = self.out.row(r * self.n + self.begin + j0, 16.min(len - j0));
                for (j, out) in out.iter_mut().enumerate() {
                    let value = self.product[(j0 + j) * self.rows + r];
                    *out = if self.accumulate { *out + value } else { value };
                }
            }
        }
    }
}

/// The output, of which each thread writes columns of its own.
pub(super) struct Shared(*mut f32, usize);

#[expect(unsafe_code, reason = "columns of one row-major matrix are written by several threads")]
// SAFETY: every element is written by one thread only: turns and panels split the columns.
unsafe impl Sync for Shared {}

impl Shared {
    /// `len` elements from `at` on, which must be the calling thread's own.
    #[inline(always)]
    #[expect(unsafe_code, clippy::mut_from_ref, reason = "columns of one row-major matrix are written by several threads")]
    fn row(&self, at: usize, len: usize) -> &mut [f32] {
        assert!(at.checked_add(len).is_some_and(|end| end <= self.1));
        // SAFETY: in bounds by the assertion; `matmul` borrows the output mutably for as long as this lives, and turns and
        // panels split its columns, so no other thread has a reference to these elements.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
    }

    /// Writes one element, which must be the calling thread's own.
    #[inline(always)]
    pub(super) fn set(&self, at: usize, value: f32, accumulate: bool) {
        for out in self.row(at, 1) {
            *out = if accumulate { *out + value } else { value };
        }
    }
}
