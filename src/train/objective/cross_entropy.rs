use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Block, BlockLoss, Objective};
use crate::ids::ClassId;
use crate::network::Errors;
use crate::registry::Member;
use crate::train::TrainError;

/// −log of the share that softmax(logits) gives to a sample's class.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {}

impl Member for CrossEntropy {
    const KIND: &'static str = "cross-entropy";
    const ABOUT: &'static str = "of the softmax of the logits";
}

impl Objective for CrossEntropy {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let classes: Vec<ClassId> = block.targets.iter().map(|target| target.class).collect();
        let (loss_sum, errors) =
            cross_entropy(block.activity.logits().view(), &classes, block.batch_size);
        Ok(BlockLoss {
            loss_sum,
            errors: Errors::of_logits(errors),
        })
    }
}

/// Cross-entropy of softmax(logits), summed over samples, and its gradient divided by `batch`.
///
/// `logits` is samples × classes, and every class must be below the number of columns. The gradient
/// is that of the mean over a batch of `batch` samples, of which these are some.
///
/// # Panics
/// If a class is past the columns or the lengths differ.
pub fn cross_entropy(
    logits: ArrayView2<'_, f64>,
    classes: &[ClassId],
    batch: usize,
) -> (f64, Array2<f64>) {
    assert_eq!(logits.nrows(), classes.len(), "one class for each sample");
    let mut error = Array2::zeros(logits.dim());
    let mut loss = 0.0;
    let rows = logits.rows().into_iter().zip(error.rows_mut()).zip(classes);
    for ((logits, mut error), class) in rows {
        // In f64, and without 1 − p: a sample that is all but certain still has the right gradient.
        let largest = logits.fold(f64::NEG_INFINITY, |largest, &logit| largest.max(logit));
        let exponentials = logits.mapv(|logit| (logit - largest).exp());
        let sum = exponentials.sum();
        loss += sum.ln() - (logits[class.index()] - largest);
        let mut others = 0.0;
        for (index, (error, exponential)) in error.iter_mut().zip(&exponentials).enumerate() {
            let probability = exponential / sum;
            *error = probability / batch as f64;
            others += if index == class.index() {
                0.0
            } else {
                probability
            };
        }
        error[class.index()] = -others / batch as f64;
    }
    (loss, error)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn cross_entropy_has_the_gradient_of_its_finite_differences() {
        let logits = array![[0.3, -1.0, 2.0], [1.0, 1.0, 1.0]];
        let classes = [ClassId(0), ClassId(2)];
        let (_, error) = cross_entropy(logits.view(), &classes, 2);
        for (index, &gradient) in error.indexed_iter() {
            let mut moved = logits.clone();
            let step = 1e-4;
            moved[index] += step;
            let above = cross_entropy(moved.view(), &classes, 2).0;
            moved[index] -= 2.0 * step;
            let below = cross_entropy(moved.view(), &classes, 2).0;
            let numeric = (above - below) / (2.0 * step) / 2.0;
            assert!((numeric - gradient).abs() < 1e-8);
        }
    }

    #[test]
    fn a_hopeless_logit_costs_a_finite_loss() {
        let logits = array![[0.0, 1000.0]];
        let (loss, error) = cross_entropy(logits.view(), &[ClassId(0)], 1);
        assert!((loss - 1000.0).abs() < 1e-3);
        assert_eq!(error, array![[-1.0, 1.0]]);
    }
}
