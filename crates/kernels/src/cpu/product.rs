//! Products with stored weights: a panel of the weight at a time is decoded into cache, used and forgotten.

use super::math::dot;
use super::threads::{Work, for_each_index, simd};
use std::cell::RefCell;
use std::ops::Range;
use tensor::{Format, decode_blocks};

/// Up to so many rows each weight row is decoded and multiplied at once; beyond, panels go through `gemm`.
const FEW_ROWS: usize = 4;

/// f32 words of a decoded panel: half a typical second-level cache.
const PANEL_WORDS: usize = 128 * 1024;

thread_local! {
    /// Decoded weights, one panel for each thread.
    static PANEL: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A stored weight: rows of `cols` elements in `format`.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) format: Format,
    pub(super) cols: usize,
    pub(super) row_bytes: usize,
}

impl Stored<'_> {
    /// Decodes rows from `first` on, as many as fill `out`.
    #[inline(always)]
    pub(super) fn decode_rows(&self, first: usize, out: &mut [f32]) {
        let rows = out.len() / self.cols.max(1);
        decode_blocks(self.format, &self.bytes[first * self.row_bytes..(first + rows) * self.row_bytes], out);
    }
}

/// `out[r, j] (+)= x[r, :] . weight[first + j, :]` for `j < n`, with `x [rows, cols]` and `out [rows, n]`.
pub(super) fn matmul(x: &[f32], weight: Stored<'_>, first: usize, n: usize, out: &mut [f32], rows: usize, accumulate: bool) {
    if rows == 0 || n == 0 {
        return;
    }
    let out = Shared(out.as_mut_ptr(), out.len());
    if rows <= FEW_ROWS {
        // A few dozen rows a turn: enough to be worth handing to a thread, few enough to share the work evenly.
        let per_turn = 32;
        for_each_index(n.div_ceil(per_turn), |turn| {
            let outputs = turn * per_turn..((turn + 1) * per_turn).min(n);
            with_panel(weight.cols, |decoded| {
                simd(FewRows { x, weight, first, n, outputs, out: &out, rows, accumulate, decoded })
            });
        });
        return;
    }
    let threads = super::threads::count();
    let per_panel = (PANEL_WORDS / weight.cols).clamp(1, n.div_ceil(threads));
    for_each_index(n.div_ceil(per_panel), |panel| {
        let begin = panel * per_panel;
        let len = per_panel.min(n - begin);
        with_panel(len * weight.cols, |decoded| {
            simd(DecodeRows { weight, first: first + begin, decoded });
            panel_product(x, decoded, &out, Tile { rows, cols: weight.cols, n, begin, len }, accumulate);
        });
    });
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

/// Some of the outputs of [`matmul`] for a few rows of `x`; `decoded` has room for one row of the weight.
struct FewRows<'a> {
    x: &'a [f32],
    weight: Stored<'a>,
    first: usize,
    n: usize,
    outputs: Range<usize>,
    out: &'a Shared,
    rows: usize,
    accumulate: bool,
    decoded: &'a mut [f32],
}

impl Work for FewRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let cols = self.weight.cols;
        for j in self.outputs {
            self.weight.decode_rows(self.first + j, self.decoded);
            for r in 0..self.rows {
                let value = dot(&self.x[r * cols..][..cols], self.decoded);
                self.out.set(r * self.n + j, value, self.accumulate);
            }
        }
    }
}

fn with_panel<R>(words: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    PANEL.with_borrow_mut(|panel| {
        if panel.len() < words {
            panel.resize(words, 0.0);
        }
        work(&mut panel[..words])
    })
}

/// Columns `begin .. begin + len` of an output `[rows, n]`, from inputs `[rows, cols]`.
struct Tile {
    rows: usize,
    cols: usize,
    n: usize,
    begin: usize,
    len: usize,
}

#[expect(unsafe_code, reason = "the interface of `gemm` is pointers and strides")]
fn panel_product(x: &[f32], decoded: &[f32], out: &Shared, tile: Tile, accumulate: bool) {
    let Tile { rows, cols, n, begin, len } = tile;
    assert!(x.len() >= rows * cols && decoded.len() >= len * cols && begin + len <= n && out.1 >= rows * n);
    // SAFETY: the assertion above bounds every element that these shapes and strides reach. `out` is the unique
    // borrow taken in `matmul`, and each panel writes columns of its own.
    unsafe {
        gemm::gemm(
            rows,
            len,
            cols,
            out.0.add(begin),
            1,
            n as isize,
            accumulate,
            x.as_ptr(),
            1,
            cols as isize,
            decoded.as_ptr(),
            cols as isize,
            1,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The output, written by several threads at places of their own.
struct Shared(*mut f32, usize);

#[expect(unsafe_code, reason = "columns of one row-major matrix are written by several threads")]
// SAFETY: every index is written by one thread only: turns and panels split the columns.
unsafe impl Sync for Shared {}

impl Shared {
    #[inline(always)]
    #[expect(unsafe_code, reason = "columns of one row-major matrix are written by several threads")]
    fn set(&self, at: usize, value: f32, accumulate: bool) {
        assert!(at < self.1);
        // SAFETY: in bounds by the assertion, and no other thread touches this index (see the `Sync` above).
        unsafe {
            let place = self.0.add(at);
            *place = if accumulate { *place + value } else { value };
        }
    }
}
