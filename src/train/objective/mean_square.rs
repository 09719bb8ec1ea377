use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Block, BlockLoss, Objective};
use crate::network::Errors;
use crate::registry::{BadSetting, Member};
use crate::train::TrainError;

/// The mean over classes of (logit − wanted)²: for spike counts, how often the unit of a sample's class should
/// spike, and those of the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquare {
    /// The logit that is wanted of a sample's class.
    pub of_class: f64,
    /// The logit that is wanted of all others.
    pub of_others: f64,
}

impl Member for MeanSquare {
    const KIND: &'static str = "mean-square";
    const ABOUT: &'static str =
        "of the logits' distances from a value for the class and one for others";

    fn check(&self) -> Result<(), BadSetting> {
        let ordered = self.of_class.is_finite() && self.of_class > self.of_others;
        match ordered && self.of_others.is_finite() {
            true => Ok(()),
            false => Err(BadSetting::new(
                "of_class",
                "must be a number above of_others",
            )),
        }
    }
}

impl Objective for MeanSquare {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let logits = block.activity.logits();
        let classes = logits.ncols() as f64;
        let off = Array2::from_shape_fn(logits.dim(), |(sample, class)| {
            let wanted = match block.targets[sample].class.index() == class {
                true => self.of_class,
                false => self.of_others,
            };
            logits[[sample, class]] - wanted
        });
        let to_error = 2.0 / classes / block.batch_size as f64;
        Ok(BlockLoss {
            loss_sum: off.mapv(|off| off * off).sum() / classes,
            errors: Errors::of_logits(off * to_error),
        })
    }
}
