//! Cross-entropy of single samples, each among classes of its own, to be weighted and added up.

use ndarray::{Array2, Axis};

use super::{Block, cross_entropy};
use crate::network::Errors;
use crate::train::{BlockLoss, Target};

/// What each sample of a block costs, with its derivatives by its own logits.
pub(super) struct OneByOne {
    costs: Vec<f64>,
    errors: Array2<f64>,
}

impl OneByOne {
    /// Cross-entropy of the softmax over those classes among which a sample is told: its own is one of them always.
    pub fn cross_entropy(block: &Block<'_>, among: impl Fn(&Target, usize) -> bool) -> Self {
        let mut logits = block.activity.logits();
        let mut errors = Array2::zeros(logits.dim());
        let rows = logits.rows_mut().into_iter().zip(block.targets);
        for (mut row, target) in rows {
            for (class, logit) in row.iter_mut().enumerate() {
                if class != target.class.index() && !among(target, class) {
                    *logit = f64::NEG_INFINITY;
                }
            }
        }
        let each = block.targets.iter().enumerate().map(|(sample, target)| {
            let row = logits.slice_axis(Axis(0), (sample..sample + 1).into());
            let (cost, error) = cross_entropy(row, &[target.class], 1);
            errors.row_mut(sample).assign(&error.row(0));
            cost
        });
        OneByOne {
            costs: each.collect(),
            errors,
        }
    }

    /// Each sample so many times; what it costs nothing by has no error either.
    #[must_use]
    pub fn times(mut self, factor: impl Fn(&Target) -> f64, targets: &[Target]) -> Self {
        let rows = self.errors.rows_mut().into_iter();
        for ((cost, mut row), target) in self.costs.iter_mut().zip(rows).zip(targets) {
            let factor = factor(target);
            *cost *= factor;
            row *= factor;
        }
        self
    }

    /// Adds to what a sample costs, and to its derivatives.
    pub fn add(&mut self, sample: usize, cost: f64, errors: impl Iterator<Item = (usize, f64)>) {
        self.costs[sample] += cost;
        for (class, error) in errors {
            self.errors[[sample, class]] += error;
        }
    }

    /// The block's loss, with L the mean over the batch.
    pub fn mean(self, batch_size: usize) -> BlockLoss {
        let errors = self.errors / batch_size as f64;
        BlockLoss::new(self.costs.iter().sum(), Errors::of_logits(errors))
    }
}
