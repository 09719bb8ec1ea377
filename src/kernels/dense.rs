//! Dense products of the backward pass: δ·Wᵀ for a few rows at a time.

use super::buffers::Buffer;
use super::lanes::Lanes;
use crate::simd::Simd;

/// Vectors of a panel.
const PANEL: usize = 2;
/// Rows that are multiplied with a panel at a time.
const TILE: usize = 6;

/// The transpose of a weight matrix, cut into panels of as many columns as two vectors have, each
/// panel row-major: what a product reads, it reads in order.
#[derive(Debug)]
pub(crate) struct PackedTranspose {
    /// Rows of the transpose: columns of the weight.
    inner: usize,
    /// Columns of the transpose: rows of the weight.
    columns: usize,
    width: usize,
    values: Buffer,
}

impl PackedTranspose {
    /// Transposes a weight of `rows` × `columns`, row-major.
    pub(crate) fn transpose(simd: Simd, weight: &[f32], (rows, columns): (usize, usize)) -> Self {
        let width = PANEL
            * match simd {
                Simd::Portable => 4,
                Simd::Avx2 => 8,
                Simd::Avx512 => 16,
            };
        let mut values = Buffer::zeros(rows.div_ceil(width) * width * columns);
        let panels = values.chunks_exact_mut(width * columns);
        for (panel, weight) in panels.zip(weight.chunks(width * columns)) {
            for (lane, row) in weight.chunks_exact(columns).enumerate() {
                for (target, &value) in panel[lane..].iter_mut().step_by(width).zip(row) {
                    *target = value;
                }
            }
        }
        PackedTranspose {
            inner: columns,
            columns: rows,
            width,
            values,
        }
    }

    /// `out[r] += row(r)·B` for the first `rows` rows, where B is the transposed weight.
    ///
    /// `out` has rows of `stride` numbers, whole vectors; `row` gives at least as many numbers as B
    /// has rows. Each sum begins with what is there and goes through B's rows in order, so that it
    /// does not depend on how many rows there are.
    #[inline(always)]
    pub(super) fn add_product<'a, L: Lanes>(
        &self,
        lanes: L,
        out: &mut [f32],
        stride: usize,
        rows: usize,
        row: impl Fn(usize) -> &'a [f32],
    ) {
        assert_eq!(self.width, PANEL * L::F32_LANES);
        let inner = self.inner;
        let panels = self.values.chunks_exact(self.width * inner);
        for (at, panel) in (0..self.columns).step_by(self.width).zip(panels) {
            let whole = stride - at >= self.width;
            let tiles = rows.div_ceil(TILE);
            for at_tile in 0..tiles {
                // About equally many rows a tile: one of a single row would wait for its own sums.
                let first = rows * at_tile / tiles;
                let now = rows * (at_tile + 1) / tiles - first;
                let out = &mut out[first * stride + at..];
                let row = |r: usize| &row(first + r)[..inner];
                match (now, whole) {
                    (1, true) => tile::<L, 1, PANEL>(lanes, panel, row, out, stride),
                    (2, true) => tile::<L, 2, PANEL>(lanes, panel, row, out, stride),
                    (3, true) => tile::<L, 3, PANEL>(lanes, panel, row, out, stride),
                    (4, true) => tile::<L, 4, PANEL>(lanes, panel, row, out, stride),
                    (5, true) => tile::<L, 5, PANEL>(lanes, panel, row, out, stride),
                    (_, true) => tile::<L, TILE, PANEL>(lanes, panel, row, out, stride),
                    (1, _) => tile::<L, 1, 1>(lanes, panel, row, out, stride),
                    (2, _) => tile::<L, 2, 1>(lanes, panel, row, out, stride),
                    (3, _) => tile::<L, 3, 1>(lanes, panel, row, out, stride),
                    (4, _) => tile::<L, 4, 1>(lanes, panel, row, out, stride),
                    (5, _) => tile::<L, 5, 1>(lanes, panel, row, out, stride),
                    (..) => tile::<L, TILE, 1>(lanes, panel, row, out, stride),
                }
            }
        }
    }
}

/// `R` rows times the first `V` vectors of a panel, with all sums in registers.
#[inline(always)]
fn tile<'a, L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    panel: &[f32],
    row: impl Fn(usize) -> &'a [f32],
    out: &mut [f32],
    stride: usize,
) {
    let mut rows: [&[f32]; R] = [&[]; R];
    for (r, slot) in rows.iter_mut().enumerate() {
        *slot = row(r);
    }
    let mut sums = [[lanes.splat_f32s(0.0); V]; R];
    for (r, sums) in sums.iter_mut().enumerate() {
        let (before, _) = L::as_simd_f32s(&out[r * stride..][..V * L::F32_LANES]);
        sums.copy_from_slice(before);
    }
    let (panel, _) = L::as_simd_f32s(panel);
    for (inner, weights) in panel.chunks_exact(PANEL).enumerate() {
        for r in 0..R {
            let error = lanes.splat_f32s(rows[r][inner]);
            for v in 0..V {
                sums[r][v] = lanes.multiply_add(error, weights[v], sums[r][v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let (after, _) = L::as_mut_simd_f32s(&mut out[r * stride..][..V * L::F32_LANES]);
        after.copy_from_slice(sums);
    }
}
