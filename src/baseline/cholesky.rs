//! Symmetric positive definite systems.
//!
//! In: the lower triangle of a matrix, row after row, and right sides. Out: their solutions. The loops are plain
//! and add in one order, so that every processor gives the same bits.

/// Numbers summed up side by side.
const LANES: usize = 8;

/// Where a row of a lower triangle begins.
pub(crate) fn row_start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// Numbers of a lower triangle with so many rows, the diagonal included.
pub(crate) fn triangle(rows: usize) -> usize {
    row_start(rows)
}

/// The sum of products, in an order that depends on the length alone.
pub(crate) fn dot(one: &[f64], other: &[f64]) -> f64 {
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest = one_rest.iter().zip(other_rest).map(|(a, b)| a * b);
    sums.into_iter().chain(rest).sum()
}

/// `L` of a matrix `L·Lᵀ`.
#[derive(Debug)]
pub(crate) struct Cholesky {
    rows: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Takes a matrix apart, given as its lower triangle; none if it is not positive definite.
    pub fn of(mut lower: Vec<f64>, rows: usize) -> Option<Self> {
        for i in 0..rows {
            let (above, row) = lower.split_at_mut(row_start(i));
            let row = &mut row[..=i];
            for j in 0..i {
                let other = &above[row_start(j)..=row_start(j) + j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let square = row[i] - dot(&row[..i], &row[..i]);
            if !(square.is_finite() && square > 0.0) {
                return None;
            }
            row[i] = square.sqrt();
        }
        Some(Cholesky { rows, lower })
    }

    /// Solves for one right side, in place.
    pub fn solve(&self, side: &mut [f64]) {
        let row = |i: usize| &self.lower[row_start(i)..=row_start(i) + i];
        for i in 0..self.rows {
            side[i] = (side[i] - dot(&row(i)[..i], &side[..i])) / row(i)[i];
        }
        for i in (0..self.rows).rev() {
            let solved = side[i] / row(i)[i];
            side[i] = solved;
            for (slot, factor) in side[..i].iter_mut().zip(row(i)) {
                *slot -= factor * solved;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_system_that_was_solved_by_hand() {
        // [4 2; 2 3] · [1; 2] = [8; 8], and L = [2 0; 1 √2].
        let found = Cholesky::of(vec![4.0, 2.0, 3.0], 2).expect("positive definite");
        assert_eq!(found.lower, [2.0, 1.0, 2f64.sqrt()]);
        let mut side = [8.0, 8.0];
        found.solve(&mut side);
        assert!((side[0] - 1.0).abs() < 1e-14 && (side[1] - 2.0).abs() < 1e-14);
    }

    #[test]
    fn what_is_not_positive_definite_is_told() {
        for lower in [
            vec![1.0, 2.0, 1.0],
            vec![0.0, 0.0, 1.0],
            vec![f64::NAN, 0.0, 1.0],
        ] {
            assert!(Cholesky::of(lower, 2).is_none());
        }
    }

    proptest! {
        /// A·Aᵀ + I times what was found is the right side.
        #[test]
        fn solutions_solve(
            (rows, values, side) in (1usize..24).prop_flat_map(|rows| {
                let numbers = |count| prop::collection::vec(-3.0f64..3.0, count);
                (Just(rows), numbers(rows * rows), numbers(rows))
            })
        ) {
            let row = |i: usize| &values[i * rows..(i + 1) * rows];
            let cell = |i: usize, j: usize| dot(row(i), row(j)) + f64::from(u8::from(i == j));
            let lower = (0..rows).flat_map(|i| (0..=i).map(move |j| (i, j)));
            let lower: Vec<f64> = lower.map(|(i, j)| cell(i, j)).collect();
            let mut solved = side.clone();
            Cholesky::of(lower, rows).expect("positive definite").solve(&mut solved);
            for (i, expected) in side.iter().enumerate() {
                let found: f64 = (0..rows).map(|j| cell(i, j) * solved[j]).sum();
                prop_assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            }
        }
    }
}
