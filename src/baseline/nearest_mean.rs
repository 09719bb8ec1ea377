use ndarray::{Array2, Axis};

use super::best_of;
use super::cholesky::dot;
use crate::ids::ClassId;

/// A sample is of the class whose mean is nearest, by the sum of squares of differences.
///
/// Made by [`ClassStatistics::nearest_mean`](super::ClassStatistics::nearest_mean).
#[derive(Debug, Clone, PartialEq)]
pub struct NearestMean {
    classes: Vec<ClassId>,
    /// Classes × features.
    means: Array2<f64>,
    /// Half of each mean's square.
    offsets: Vec<f64>,
}

impl NearestMean {
    pub(super) fn new(classes: Vec<ClassId>, means: Array2<f64>) -> Self {
        let squares = means.axis_iter(Axis(0)).map(|mean| mean.dot(&mean) / 2.0);
        NearestMean {
            classes,
            offsets: squares.collect(),
            means,
        }
    }

    /// The class of a sample, of which these are the features.
    ///
    /// # Panics
    /// If there are fewer features than the rule was made of.
    pub fn predict(&self, features: &[f64]) -> ClassId {
        let features = &features[..self.means.ncols()];
        best_of(&self.classes, |place| {
            let mean = self.means.row(place);
            let mean = mean.to_slice().expect("a row of a whole array");
            // |x − μ|² = |x|² − 2 (x·μ − |μ|²/2), and |x|² is the same for all.
            dot(mean, features) - self.offsets[place]
        })
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.means.ncols()
    }

    /// Numbers that have to be kept, to go on learning too: a mean and a count of samples for each class.
    pub fn numbers(&self) -> usize {
        self.means.len() + self.classes.len()
    }
}
