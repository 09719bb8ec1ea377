use ndarray::Array2;

use super::best_of;
use super::cholesky::dot;
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
    pub(super) fn new(classes: Vec<ClassId>, weights: Array2<f64>, offsets: Vec<f64>) -> Self {
        LinearRule {
            classes,
            weights,
            offsets,
        }
    }

    /// The class of a sample, of which these are the features.
    ///
    /// # Panics
    /// If there are fewer features than the rule was made of.
    pub fn predict(&self, features: &[f64]) -> ClassId {
        let features = &features[..self.weights.ncols()];
        best_of(&self.classes, |place| {
            let weights = self.weights.row(place);
            let weights = weights.to_slice().expect("a row of a whole array");
            dot(weights, features) + self.offsets[place]
        })
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
