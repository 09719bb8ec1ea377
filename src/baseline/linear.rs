use ndarray::{Array2, Axis};

use super::best_of;
use super::cholesky::{Cholesky, dot};
use crate::ids::ClassId;

/// Linear discriminant analysis: classes are taken for normal, with a mean each and one covariance, and a sample is
/// of the class that is likeliest for it, the shares of classes counted in.
///
/// Made by [`ClassStatistics::linear_rule`](super::ClassStatistics::linear_rule).
#[derive(Debug, Clone, PartialEq)]
pub struct LinearRule {
    classes: Vec<ClassId>,
    /// Classes × features.
    weights: Array2<f64>,
    offsets: Vec<f64>,
}

impl LinearRule {
    /// The rule whose weights solve `parts · weights = side` for the side of each class (classes × features, in the
    /// order of `classes`). A class's offset is made of its place, its side and its weights.
    pub(crate) fn solving(
        parts: &Cholesky,
        classes: Vec<ClassId>,
        sides: Array2<f64>,
        offset: impl Fn(usize, &[f64], &[f64]) -> f64,
    ) -> Self {
        let mut weights = sides.clone();
        let mut offsets = Vec::with_capacity(classes.len());
        let rows = weights.axis_iter_mut(Axis(0)).zip(sides.axis_iter(Axis(0)));
        for (place, (row, side)) in rows.enumerate() {
            let row = row.into_slice().expect("a row of a whole array");
            parts.solve(row);
            let side = side.to_slice().expect("a row of a whole array");
            offsets.push(offset(place, side, row));
        }
        LinearRule {
            classes,
            weights,
            offsets,
        }
    }

    /// The classes that there are, and what a sample of these features scores for each.
    ///
    /// # Panics
    /// If there are fewer features than the rule was made of.
    pub(crate) fn scores(&self, features: &[f64]) -> impl Iterator<Item = (ClassId, f64)> {
        (0..self.classes.len()).map(|place| (self.classes[place], self.score(place, features)))
    }

    fn score(&self, place: usize, features: &[f64]) -> f64 {
        let weights = self.weights.row(place);
        let weights = weights.to_slice().expect("a row of a whole array");
        dot(weights, &features[..self.weights.ncols()]) + self.offsets[place]
    }

    /// The class of a sample, of which these are the features.
    ///
    /// # Panics
    /// If there are fewer features than the rule was made of.
    pub fn predict(&self, features: &[f64]) -> ClassId {
        best_of(&self.classes, |place| self.score(place, features))
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.weights.ncols()
    }

    /// Numbers of the rule itself: what has to be kept to tell classes apart, and learn no more.
    pub fn numbers(&self) -> usize {
        self.weights.len() + self.offsets.len()
    }
}
