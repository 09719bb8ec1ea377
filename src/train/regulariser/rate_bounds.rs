use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Regulariser;
use crate::network::Reach;
use crate::registry::{BadSetting, Member};
use crate::train::{Block, BlockLoss, TrainError};

/// Costs of firing too little or too much, summed over the neurons of the layers that are trained.
///
/// With f a neuron's spikes a step, averaged over a block of up to 16 samples of a batch, a sample costs
/// `strength · Σ (max(least − f, 0) + max(f − most, 0))`, and the mean over a batch is added to the loss; after the
/// regulariser of Bittar & Garner 2022, which averages over the whole batch and has 0.5, 0.01 and 0.5. A neuron
/// that fires for one class only is not blamed for its silence at others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateBounds {
    /// The cost of a spike a step too few or too many.
    pub strength: f64,
    /// So many spikes a step are not too few.
    pub least: f64,
    /// So many spikes a step are not too many.
    pub most: f64,
}

impl Default for RateBounds {
    /// 0.5, between 0.01 and 0.5 spikes a step.
    fn default() -> Self {
        RateBounds {
            strength: 0.5,
            least: 0.01,
            most: 0.5,
        }
    }
}

impl RateBounds {
    /// What a block's samples cost together for one layer's spike counts, samples × units, and ∂/∂s of the mean over
    /// `batch` samples, of which a block has some.
    fn of_counts(
        self,
        counts: ArrayView2<'_, f64>,
        steps: &[usize],
        batch: usize,
    ) -> (f64, Array2<f64>) {
        let samples = counts.nrows() as f64;
        let per_step = Array1::from_iter(steps.iter().map(|&steps| 1.0 / steps.max(1) as f64));
        let rates = counts.t().dot(&per_step) / samples;
        let cost = |rate: f64| (self.least - rate).max(0.0) + (rate - self.most).max(0.0);
        let slope = |rate: f64| match rate {
            rate if rate < self.least => -1.0,
            rate if rate > self.most => 1.0,
            _ => 0.0,
        };
        let errors = Array2::from_shape_fn(counts.dim(), |(sample, unit)| {
            self.strength * slope(rates[unit]) * per_step[sample] / batch as f64
        });
        (samples * self.strength * rates.mapv(cost).sum(), errors)
    }
}

impl Member for RateBounds {
    const KIND: &'static str = "rate-bounds";
    const ABOUT: &'static str = "strength for each spike a step below least or above most";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("strength", self.strength)?;
        if !(self.least.is_finite() && self.least >= 0.0) {
            let reason = format!("must be a finite number, 0 or more, not {}", self.least);
            return Err(BadSetting::new("least", reason));
        }
        match self.most.is_finite() && self.most >= self.least {
            true => Ok(()),
            false => {
                let reason = format!("must be a finite number, least or more, not {}", self.most);
                Err(BadSetting::new("most", reason))
            }
        }
    }
}

impl Regulariser for RateBounds {
    fn reach(&self) -> Reach {
        Reach::EveryStep
    }

    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let activity = block.activity;
        let steps: Vec<usize> = (0..activity.samples())
            .map(|sample| activity.steps_of(sample))
            .collect();
        let mut loss = BlockLoss::default();
        for layer in 0..activity.layers() {
            let counts = activity.spike_counts(layer);
            let (cost, errors) = self.of_counts(counts.view(), &steps, block.batch_size);
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
    fn bounds_follow_their_formula() {
        let bounds = RateBounds {
            strength: 2.0,
            least: 0.1,
            most: 0.3,
        };
        // Rates of 0, 0.2 and 0.6 spikes a step, of samples of 10 and of 20 steps.
        let counts = array![[0.0, 2.0, 7.0], [0.0, 4.0, 10.0]];
        let (cost, errors) = bounds.of_counts(counts.view(), &[10, 20], 8);
        assert!((cost - 2.0 * 2.0 * (0.1 + 0.0 + 0.3)).abs() < 1e-12);
        let expected = array![[-0.2, 0.0, 0.2], [-0.1, 0.0, 0.1]] / 8.0;
        assert!((errors - expected).iter().all(|off| off.abs() < 1e-12));
    }
}
