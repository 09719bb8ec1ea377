//! Losses on logits and penalties on spikes, each with its gradient.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::ids::ClassId;
use crate::spikes::SpikeRaster;

/// Cross-entropy of softmax(logits), summed over samples, and its gradient divided by `batch`.
///
/// `logits` is samples × classes, and every class must be below the number of columns. The gradient
/// is that of the mean over a batch of `batch` samples, of which these are some.
///
/// # Panics
/// If a class is past the columns or the lengths differ.
pub fn cross_entropy(
    logits: ArrayView2<'_, f32>,
    classes: &[ClassId],
    batch: usize,
) -> (f64, Array2<f32>) {
    assert_eq!(logits.nrows(), classes.len(), "one class for each sample");
    let mut error = Array2::zeros(logits.dim());
    let mut loss = 0.0;
    let rows = logits.rows().into_iter().zip(error.rows_mut()).zip(classes);
    for ((logits, mut error), class) in rows {
        // In f64, and without 1 − p: a sample that is all but certain still has the right gradient.
        let wide = logits.mapv(f64::from);
        let largest = wide.fold(f64::NEG_INFINITY, |largest, &logit| largest.max(logit));
        let exponentials = wide.mapv(|logit| (logit - largest).exp());
        let sum = exponentials.sum();
        loss += sum.ln() - (wide[class.index()] - largest);
        let mut others = 0.0;
        for (index, (error, exponential)) in error.iter_mut().zip(&exponentials).enumerate() {
            let probability = exponential / sum;
            *error = (probability / batch as f64) as f32;
            others += if index == class.index() {
                0.0
            } else {
                probability
            };
        }
        error[class.index()] = (-others / batch as f64) as f32;
    }
    (loss, error)
}

/// Penalties on how often neurons spike, summed over the layers that are trained.
///
/// For each layer of n neurons, with c the number of spikes of a neuron in a sample, a sample costs
/// `l1 · Σ c + l2 · (1/n) Σ c²`; the mean over a batch is added to the loss. (The SpyTorch tutorial
/// squares counts summed over the batch; squaring per sample keeps the penalty the same for any
/// batch size.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SpikePenalty {
    /// Cost of each spike.
    pub l1: f32,
    /// Cost of a neuron's squared spike count, averaged over neurons.
    pub l2: f32,
}

impl SpikePenalty {
    /// Whether there is nothing to pay.
    pub fn is_none(self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// The cost of one layer, summed over samples, and ∂/∂s of its mean over `batch` samples:
    /// samples × units, the same in every step.
    pub fn of_layer(self, spikes: &[SpikeRaster], batch: usize) -> (f64, Array2<f32>) {
        let units = spikes.first().map_or(0, SpikeRaster::units);
        let mut error = Array2::zeros((spikes.len(), units));
        let mut cost = 0.0;
        for (mut row, raster) in error.rows_mut().into_iter().zip(spikes) {
            for (error, count) in row.iter_mut().zip(raster.counts_per_unit()) {
                let count = count as f32;
                cost += f64::from(self.l1 * count + self.l2 * count * count / units as f32);
                *error = (self.l1 + 2.0 * self.l2 * count / units as f32) / batch as f32;
            }
        }
        (cost, error)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::ids::{TimeStep, Unit};

    #[test]
    fn cross_entropy_has_the_gradient_of_its_finite_differences() {
        let logits = array![[0.3f32, -1.0, 2.0], [1.0, 1.0, 1.0]];
        let classes = [ClassId(0), ClassId(2)];
        let (_, error) = cross_entropy(logits.view(), &classes, 2);
        for (index, &gradient) in error.indexed_iter() {
            let mut moved = logits.clone();
            let step = 1e-2;
            moved[index] += step;
            let above = cross_entropy(moved.view(), &classes, 2).0;
            moved[index] -= 2.0 * step;
            let below = cross_entropy(moved.view(), &classes, 2).0;
            let numeric = (above - below) / f64::from(2.0 * step) / 2.0;
            assert!((numeric - f64::from(gradient)).abs() < 1e-4);
        }
    }

    #[test]
    fn a_hopeless_logit_costs_a_finite_loss() {
        let logits = array![[0.0f32, 1000.0]];
        let (loss, error) = cross_entropy(logits.view(), &[ClassId(0)], 1);
        assert!((loss - 1000.0).abs() < 1e-3);
        assert_eq!(error, array![[-1.0, 1.0]]);
    }

    #[test]
    fn penalties_follow_their_formula() {
        let mut raster = SpikeRaster::new(4, 2).expect("valid");
        raster.set(TimeStep(0), Unit(1));
        raster.set(TimeStep(3), Unit(1));
        let penalty = SpikePenalty { l1: 0.1, l2: 0.5 };
        let (cost, error) = penalty.of_layer(&[raster], 1);
        assert!((cost - (0.1 * 2.0 + 0.5 * 4.0 / 2.0)).abs() < 1e-6);
        assert_eq!(error, array![[0.1, 0.1 + 2.0 * 0.5 * 2.0 / 2.0]]);
    }
}
