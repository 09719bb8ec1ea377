use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Block, BlockLoss, Objective};
use crate::ids::ClassId;
use crate::network::Errors;
use crate::registry::{BadSetting, Member};
use crate::train::TrainError;

/// Cross-entropy of softmax(logits) with what is wanted: 1 for a sample's class and 0 for the others, or, with a
/// smoothing of ε, 1 − ε + ε/classes for the class and ε/classes for each other (Szegedy et al. 2016, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEntropy {
    /// ε: how much of what is wanted is spread evenly over all classes.
    #[serde(skip_serializing_if = "is_zero")]
    pub smoothing: f64,
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Member for CrossEntropy {
    const KIND: &'static str = "cross-entropy";
    const ABOUT: &'static str = "of the softmax of the logits; smoothing, below 1, is how much of what is wanted is spread over all classes";

    fn check(&self) -> Result<(), BadSetting> {
        match (0.0..1.0).contains(&self.smoothing) {
            true => Ok(()),
            false => {
                let reason = format!("must be 0 up to, not including, 1, not {}", self.smoothing);
                Err(BadSetting::new("smoothing", reason))
            }
        }
    }
}

impl Objective for CrossEntropy {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let classes: Vec<ClassId> = block.targets.iter().map(|target| target.class).collect();
        let logits = block.activity.logits();
        let (mut loss_sum, mut errors) = cross_entropy(logits.view(), &classes, block.batch_size);
        if self.smoothing > 0.0 {
            loss_sum += smooth(
                self.smoothing,
                logits.view(),
                &classes,
                block.batch_size,
                &mut errors,
            );
        }
        Ok(BlockLoss {
            loss_sum,
            errors: Errors::of_logits(errors),
        })
    }
}

/// What smoothing adds to cross-entropy: the loss is linear in what is wanted, so that it is ε · (the logit of the
/// class − the mean logit), and each error gets ε · (wanted − 1/classes).
fn smooth(
    smoothing: f64,
    logits: ArrayView2<'_, f64>,
    classes: &[ClassId],
    batch: usize,
    errors: &mut Array2<f64>,
) -> f64 {
    let even = 1.0 / logits.ncols() as f64;
    let share = smoothing / batch as f64;
    let mut added = 0.0;
    let rows = logits
        .rows()
        .into_iter()
        .zip(errors.rows_mut())
        .zip(classes);
    for ((logits, mut errors), class) in rows {
        added += smoothing * (logits[class.index()] - logits.sum() * even);
        errors.mapv_inplace(|error| error - share * even);
        errors[class.index()] += share;
    }
    added
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
    fn smoothing_is_cross_entropy_with_what_is_wanted_spread_out() {
        let (logits, smoothing) = (array![[0.3, -1.0, 2.0], [1.0, 1.5, -1.0]], 0.15);
        let classes = [ClassId(0), ClassId(2)];
        let wanted = Array2::from_shape_fn((2, 3), |(sample, class)| {
            let is_it = classes[sample].index() == class;
            f64::from(u8::from(is_it)) * (1.0 - smoothing) + smoothing / 3.0
        });
        let (mut loss, mut errors) = cross_entropy(logits.view(), &classes, 2);
        loss += smooth(smoothing, logits.view(), &classes, 2, &mut errors);
        let mut expected = 0.0;
        for (index, &wanted) in wanted.indexed_iter() {
            let sum: f64 = logits.row(index.0).iter().map(|logit| logit.exp()).sum();
            let share = logits[index].exp() / sum;
            expected -= wanted * share.ln();
            assert!((errors[index] - (share - wanted) / 2.0).abs() < 1e-12);
        }
        assert!((loss - expected).abs() < 1e-12);
    }

    #[test]
    fn a_hopeless_logit_costs_a_finite_loss() {
        let logits = array![[0.0, 1000.0]];
        let (loss, error) = cross_entropy(logits.view(), &[ClassId(0)], 1);
        assert!((loss - 1000.0).abs() < 1e-3);
        assert_eq!(error, array![[-1.0, 1.0]]);
    }
}
