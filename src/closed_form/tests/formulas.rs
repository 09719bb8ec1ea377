//! What learners compute, beside independent arithmetic in 64 bits and numbers by hand.

use ndarray::{Array1, Array2};
use proptest::prelude::*;

use super::*;

/// Solves for all columns of the right side by elimination with pivots.
fn solved(mut matrix: Array2<f64>, mut side: Array2<f64>) -> Array2<f64> {
    let rows = matrix.nrows();
    for column in 0..rows {
        let larger = |a: &usize, b: &usize| {
            matrix[[*a, column]]
                .abs()
                .total_cmp(&matrix[[*b, column]].abs())
        };
        let pivot = (column..rows).max_by(larger).expect("not empty");
        for other in 0..rows {
            matrix.swap([column, other], [pivot, other]);
        }
        for other in 0..side.ncols() {
            side.swap([column, other], [pivot, other]);
        }
        let (top, right) = (matrix.row(column).to_owned(), side.row(column).to_owned());
        for row in (0..rows).filter(|row| *row != column) {
            let factor = matrix[[row, column]] / top[column];
            matrix.row_mut(row).scaled_add(-factor, &top);
            side.row_mut(row).scaled_add(-factor, &right);
        }
    }
    for row in 0..rows {
        let pivot = matrix[[row, row]];
        side.row_mut(row).mapv_inplace(|value| value / pivot);
    }
    side
}

/// Samples × features, and samples × classes: 1 for the class of a sample.
fn tables(samples: &Samples, classes: usize) -> (Array2<f64>, Array2<f64>) {
    let features = samples[0].0.len();
    let flat = samples.iter().flat_map(|sample| &sample.0);
    let x = Array2::from_shape_vec(
        (samples.len(), features),
        flat.map(|&x| f64::from(x)).collect(),
    );
    let mut y = Array2::zeros((samples.len(), classes));
    for (row, sample) in samples.iter().enumerate() {
        y[[row, sample.1.index()]] = 1.0;
    }
    (x.expect("rows alike"), y)
}

fn assert_close(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let both_never = *found == f64::NEG_INFINITY && found == expected;
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(
            both_never || error <= within,
            "{found} instead of {expected}"
        );
    }
}

#[test]
fn class_means_that_were_computed_by_hand() {
    let samples = [
        ([1.0, 2.0], 0),
        ([3.0, 0.0], 0),
        ([0.0, 6.0], 2),
        ([2.0, 0.0], 0),
    ];
    let samples = samples.map(|(row, class)| (row.to_vec(), ClassId(class)));
    let means = taught(ClassMeans::new(3, 2).expect("small"), &samples.to_vec());
    // Means (2, 2/3) and (0, 6).
    let scores = means.scores(&[1.0, 1.0]);
    let expected = [-(1.0 + 1.0 / 9.0), f64::NEG_INFINITY, -(1.0 + 25.0)];
    assert_close(&scores, &expected, 1e-14);
    assert_eq!(means.predict(&[1.0, 1.0]), Some(ClassId(0)));
    assert_eq!(means.predict(&[0.0, 4.0]), Some(ClassId(2)));
}

/// Class by class, so that none is ever seen again, beside the normal equations of all samples at once.
#[test]
fn ridge_is_the_joint_ridge() {
    for (samples, within) in [
        (counts(90, 12, 3, 1), 1e-12),
        (uneven(counts(90, 12, 3, 1)), 1e-5),
    ] {
        let mut in_order = samples.clone();
        in_order.sort_by_key(|sample| sample.1);
        let ridge = taught(Ridge::new(4, 12, 2.5).expect("small"), &in_order);
        let (x, y) = tables(&samples, 4);
        let system = x.t().dot(&x) + Array2::<f64>::eye(12) * 2.5;
        let weights = solved(system, x.t().dot(&y));
        for (asked, _) in &samples[..10] {
            let asked_wide: Array1<f64> = asked.iter().map(|&x| f64::from(x)).collect();
            let mut expected = asked_wide.dot(&weights).to_vec();
            expected[3] = f64::NEG_INFINITY;
            assert_close(&ridge.scores(asked), &expected, within);
        }
    }
}

/// The inverse and the weights brought up to date with each sample, as ACIL does.
#[test]
fn ridge_is_the_recursive_learner() {
    let samples = uneven(counts(60, 8, 3, 2));
    let (x, y) = tables(&samples, 3);
    let mut inverse = Array2::<f64>::eye(8) / 0.7;
    let mut weights = Array2::<f64>::zeros((8, 3));
    for (row, target) in x.rows().into_iter().zip(y.rows()) {
        let along = inverse.dot(&row);
        let (column, line) = (along.view().insert_axis(ndarray::Axis(1)), along.view());
        let line = line.insert_axis(ndarray::Axis(0));
        inverse = &inverse - &(column.dot(&line) / (1.0 + row.dot(&along)));
        let missing = &target - &row.dot(&weights);
        let gain = inverse.dot(&row);
        weights = weights
            + gain
                .insert_axis(ndarray::Axis(1))
                .dot(&missing.insert_axis(ndarray::Axis(0)));
    }
    let ridge = taught(Ridge::new(3, 8, 0.7).expect("small"), &samples);
    for (asked, wide) in samples.iter().map(|sample| &sample.0).zip(x.rows()) {
        assert_close(&ridge.scores(asked), &wide.dot(&weights).to_vec(), 1e-5);
    }
}

/// Means first, then the covariance around them, then its inverse.
#[test]
fn streaming_lda_is_its_batch_formula() {
    for (samples, within) in [
        (counts(80, 9, 3, 4), 1e-4),
        (uneven(counts(80, 9, 3, 4)), 1e-4),
    ] {
        let shrinkage = 0.02;
        let lda = StreamingLda::new(3, 9, shrinkage).expect("small");
        let lda = taught(lda, &samples);
        let (x, y) = tables(&samples, 3);
        let mut means = y.t().dot(&x);
        for (mut mean, class) in means.rows_mut().into_iter().zip(y.columns()) {
            mean /= class.sum();
        }
        let around = &x - &y.dot(&means);
        let covariance = around.t().dot(&around) / 80.0;
        let variance = covariance.diag().sum() / 9.0;
        let shrunk =
            covariance * (1.0 - shrinkage) + Array2::<f64>::eye(9) * (shrinkage * variance);
        let weights = solved(shrunk, means.t().to_owned());
        for (asked, _) in &samples {
            let wide: Array1<f64> = asked.iter().map(|&x| f64::from(x)).collect();
            let expected = (0..3).map(|class| {
                let weights = weights.column(class);
                wide.dot(&weights) - means.row(class).dot(&weights) / 2.0
            });
            assert_close(&lda.scores(asked), &expected.collect::<Vec<f64>>(), within);
        }
    }
}

/// A shift of all features moves no border of the linear discriminant, also where features are far from 0.
#[test]
fn streaming_lda_does_not_lose_what_varies_beside_large_means() {
    let samples = counts(80, 6, 2, 9);
    let shift = |row: &[f32]| row.iter().map(|x| x + 4096.0).collect::<Vec<f32>>();
    let shifted = samples.iter().map(|(row, class)| (shift(row), *class));
    let lda = || StreamingLda::new(2, 6, 0.01).expect("small");
    let (plain, far) = (taught(lda(), &samples), taught(lda(), &shifted.collect()));
    for (asked, _) in &samples {
        let difference = |scores: Vec<f64>| [scores[0] - scores[1]];
        let expected = difference(plain.scores(asked));
        let found = difference(far.scores(&shift(asked)));
        assert_close(&found, &expected, 1e-2);
    }
}

/// Features that are whole numbers are summed up without rounding, so nothing depends on the order, to the bit.
#[test]
fn counts_in_any_order_give_the_same_bits() {
    let samples = counts(70, 10, 4, 5);
    let mut in_order = samples.clone();
    in_order.sort_by_key(|sample| std::cmp::Reverse(sample.1));
    let both = [&samples, &in_order];
    let means = both.map(|samples| taught(ClassMeans::new(4, 10).expect("small"), samples));
    let ridges = both.map(|samples| taught(Ridge::new(4, 10, 1.0).expect("small"), samples));
    assert_eq!(means[0].tensors(), means[1].tensors());
    assert_eq!(ridges[0].tensors(), ridges[1].tensors());
    for (asked, _) in &samples {
        assert_eq!(ridges[0].scores(asked), ridges[1].scores(asked));
    }
}

/// An expansion in front is the same as expanding by hand.
#[test]
fn expanded_ridge_is_ridge_on_expanded_features() {
    let samples = counts(30, 6, 3, 10);
    let expansion = RandomExpansion::new(6, 20, MasterSeed(2)).expect("above 0");
    let inside = taught(Ridge::expanded(3, expansion, 1.0).expect("small"), &samples);
    let by_hand = samples
        .iter()
        .map(|(row, class)| (expansion.of(row), *class));
    let outside = taught(Ridge::new(3, 20, 1.0).expect("small"), &by_hand.collect());
    for (asked, _) in &samples {
        assert_eq!(inside.scores(asked), outside.scores(&expansion.of(asked)));
    }
}

proptest! {
    /// One sample after the other in any order: scores agree within what 32 bits can hold.
    #[test]
    fn the_order_of_samples_does_not_count(
        seed in 0u64..1000,
        (samples, features) in (3usize..50, 2usize..9),
        turn in 0usize..50,
        by_class in any::<bool>(),
    ) {
        let samples = uneven(counts(samples, features, 3, seed));
        let mut others = samples.clone();
        others.rotate_left(turn % samples.len());
        if by_class {
            others.sort_by_key(|sample| sample.1);
        }
        for (mut one, mut other) in every(3, features).into_iter().zip(every(3, features)) {
            for ((features, class), (others, other_class)) in samples.iter().zip(&others) {
                one.learn(features, *class).expect("it fits");
                other.learn(others, *other_class).expect("it fits");
            }
            one.refit().expect("it can be solved");
            other.refit().expect("it can be solved");
            for (asked, _) in &samples {
                assert_close(&one.scores(asked), &other.scores(asked), 1e-3);
            }
        }
    }
}
