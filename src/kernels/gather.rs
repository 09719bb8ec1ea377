//! Event-driven products: a binary or sparse vector times a matrix is a sum of matrix rows.

use multiversion::multiversion;

use crate::spikes::SpikeCounts;

/// Columns summed at a time, so that the sums stay in vector registers.
const WIDE: usize = 32;
const NARROW: usize = 8;

/// Lists the set bits of `words` in rising order.
#[inline(always)]
pub(crate) fn list_active(words: &[u64], active: &mut Vec<u16>) {
    active.clear();
    for (index, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            active.push((index * 64) as u16 + rest.trailing_zeros() as u16);
            rest &= rest - 1;
        }
    }
}

/// `sums[j] += Σ_r weight[r, j]` over the listed rows, in the list's order.
#[inline(always)]
pub(crate) fn add_rows(sums: &mut [f32], weight: &[f32], rows: &[u16]) {
    add_scaled_rows(sums, weight, rows, |_, value| value);
}

/// `sums[j] += Σ_r counts[r]·weight[r, j]` over the listed rows, in the list's order.
#[inline(always)]
pub(crate) fn add_counted_rows(sums: &mut [f32], weight: &[f32], rows: &[u16], counts: &[u16]) {
    if counts.iter().all(|&count| count == 1) {
        add_rows(sums, weight, rows);
    } else {
        add_scaled_rows(sums, weight, rows, |at, value| {
            f32::from(counts[at]) * value
        });
    }
}

#[inline(always)]
fn add_scaled_rows(
    sums: &mut [f32],
    weight: &[f32],
    rows: &[u16],
    scaled: impl Fn(usize, f32) -> f32,
) {
    let mut column = 0;
    while column + WIDE <= sums.len() {
        add_columns::<WIDE>(sums, column, weight, rows, &scaled);
        column += WIDE;
    }
    while column + NARROW <= sums.len() {
        add_columns::<NARROW>(sums, column, weight, rows, &scaled);
        column += NARROW;
    }
    while column < sums.len() {
        add_columns::<1>(sums, column, weight, rows, &scaled);
        column += 1;
    }
}

#[inline(always)]
fn add_columns<const WIDTH: usize>(
    sums: &mut [f32],
    column: usize,
    weight: &[f32],
    rows: &[u16],
    scaled: &impl Fn(usize, f32) -> f32,
) {
    let columns = sums.len();
    let mut partial = [0.0; WIDTH];
    partial.copy_from_slice(&sums[column..column + WIDTH]);
    for (at, &row) in rows.iter().enumerate() {
        let values = &weight[usize::from(row) * columns + column..][..WIDTH];
        for (sum, &value) in partial.iter_mut().zip(values) {
            *sum += scaled(at, value);
        }
    }
    sums[column..column + WIDTH].copy_from_slice(&partial);
}

/// The input current of a whole sample: `current[t, j] = Σ_i counts[t, i]·weight[i, j]`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
pub(crate) fn input_current(counts: &SpikeCounts, weight: &[f32], current: &mut [f32]) {
    let units = current.len() / counts.steps();
    for (step, sums) in current.chunks_exact_mut(units).enumerate() {
        let (rows, row_counts) = counts.row_slices(step);
        sums.fill(0.0);
        add_counted_rows(sums, weight, rows, row_counts);
    }
}

/// Weight gradient of one step of one sample: `gradient[i, :] += x[i]·delta` for the listed rows.
///
/// `counts` is `None` for binary inputs.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
pub(crate) fn scatter_rows(
    gradient: &mut [f32],
    rows: &[u16],
    counts: Option<&[u16]>,
    delta: &[f32],
) {
    let columns = delta.len();
    for (at, &row) in rows.iter().enumerate() {
        let target = &mut gradient[usize::from(row) * columns..][..columns];
        let count = counts.map_or(1, |counts| counts[at]);
        if count == 1 {
            for (sum, &value) in target.iter_mut().zip(delta) {
                *sum += value;
            }
        } else {
            let count = f32::from(count);
            for (sum, &value) in target.iter_mut().zip(delta) {
                *sum += count * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_of_rows_are_products(
            columns in 1usize..80,
            entries in prop::collection::vec((0u16..20, 1u16..5), 0..15),
        ) {
            let weight: Vec<f32> = (0..20 * columns).map(|i| (i as f32 * 0.37).sin()).collect();
            let (rows, counts): (Vec<u16>, Vec<u16>) = entries.into_iter().unzip();
            let mut sums = vec![0.5f32; columns];
            add_counted_rows(&mut sums, &weight, &rows, &counts);
            for (j, &sum) in sums.iter().enumerate() {
                let exact: f64 = 0.5 + rows.iter().zip(&counts).map(|(&row, &count)| {
                    f64::from(weight[usize::from(row) * columns + j]) * f64::from(count)
                }).sum::<f64>();
                prop_assert!((f64::from(sum) - exact).abs() < 1e-4);
            }
            let mut gradient = vec![0.0f32; 20 * columns];
            scatter_rows(&mut gradient, &rows, Some(&counts), &sums);
            let total: f64 = gradient.iter().map(|&v| f64::from(v)).sum();
            let expected: f64 = counts.iter().map(|&c| f64::from(c)).sum::<f64>()
                * sums.iter().map(|&v| f64::from(v)).sum::<f64>();
            prop_assert!((total - expected).abs() < 1e-2 * (1.0 + expected.abs()));
        }
    }
}
