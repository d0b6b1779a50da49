//! Matrix products by the `gemm` crate, behind an interface that cannot reach outside its operands.

/// A matrix within a slice: element `(r, c)` is `data[r * row_stride + c * col_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

/// `out [a.rows, b.cols] (+)= a . b`, on this thread. Rows of `out` are `row_stride` apart, columns `col_stride`.
#[expect(unsafe_code, reason = "the interface of `gemm` is pointers and strides")]
pub(super) fn product(out: &mut [f32], row_stride: usize, col_stride: usize, accumulate: bool, a: Matrix<'_>, b: Matrix<'_>) {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    assert_eq!(a.cols, b.rows);
    assert!(reach(m, n, row_stride, col_stride) <= out.len());
    assert!(reach(m, k, a.row_stride, a.col_stride) <= a.data.len());
    assert!(reach(k, n, b.row_stride, b.col_stride) <= b.data.len());
    // SAFETY: the assertions bound every element that these shapes and strides reach, and `out` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            col_stride as isize,
            row_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// One past the last index that a matrix of at least one element reaches.
fn reach(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    (rows - 1) * row_stride + (cols - 1) * col_stride + 1
}
