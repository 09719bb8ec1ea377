use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Regulariser;
use crate::network::Reach;
use crate::registry::{BadSetting, Member};
use crate::train::{Block, BlockLoss, TrainError};

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

    /// The cost of one layer's spike counts, samples × units, summed over samples, and ∂/∂s of its mean
    /// over `batch` samples: samples × units, the same in every step.
    pub fn of_counts(self, counts: ArrayView2<'_, f64>, batch: usize) -> (f64, Array2<f64>) {
        let units = counts.ncols();
        let (l1, l2) = (f64::from(self.l1), f64::from(self.l2));
        let costs = counts.mapv(|count| l1 * count + l2 * count * count / units as f64);
        let errors = counts.mapv(|count| (l1 + 2.0 * l2 * count / units as f64) / batch as f64);
        (costs.sum(), errors)
    }
}

impl Member for SpikePenalty {
    const KIND: &'static str = "spike-penalty";
    const ABOUT: &'static str = "l1 a spike, and l2 a squared spike count";

    fn check(&self) -> Result<(), BadSetting> {
        for (key, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                let reason = format!("must be a finite number, 0 or more, not {value}");
                return Err(BadSetting::new(key, reason));
            }
        }
        Ok(())
    }
}

impl Regulariser for SpikePenalty {
    fn reach(&self) -> Reach {
        Reach::EveryStep
    }

    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let mut loss = BlockLoss::default();
        for layer in 0..block.activity.layers() {
            let counts = block.activity.spike_counts(layer);
            let (cost, errors) = self.of_counts(counts.view(), block.batch_size);
            loss.loss_sum += cost;
            loss.errors = loss.errors.and_spikes_alike(layer, errors);
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    #[test]
    fn penalties_follow_their_formula() {
        let penalty = SpikePenalty { l1: 0.125, l2: 0.5 };
        let (cost, error) = penalty.of_counts(array![[0.0, 2.0]].view(), 1);
        assert!((cost - (0.125 * 2.0 + 0.5 * 4.0 / 2.0)).abs() < 1e-12);
        assert_eq!(error, array![[0.125, 0.125 + 2.0 * 0.5 * 2.0 / 2.0]]);
    }
}
