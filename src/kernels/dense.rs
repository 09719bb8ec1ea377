//! Dense products of the backward pass, by ndarray's GEMM.

use ndarray::ArrayView2;
use ndarray::ArrayViewMut2;
use ndarray::linalg::general_mat_mul;

/// `out = before·out + a·bᵀ`, where `a` is rows × inner and `b` is columns × inner, both row-major.
///
/// # Panics
/// If the slices do not have the sizes that follow from `columns`, `inner` and each other: a
/// mistake of the caller inside this crate.
pub(crate) fn add_product_transposed(
    out: &mut [f32],
    before: f32,
    a: &[f32],
    b: &[f32],
    (columns, inner): (usize, usize),
) {
    let rows = out.len() / columns;
    let shapes = "slices have the sizes of the layers";
    let a = ArrayView2::from_shape((rows, inner), a).expect(shapes);
    let b = ArrayView2::from_shape((columns, inner), b).expect(shapes);
    let mut out = ArrayViewMut2::from_shape((rows, columns), out).expect(shapes);
    general_mat_mul(1.0, &a, &b.t(), before, &mut out);
}
