use serde::{Deserialize, Serialize};

use super::one_by_one::OneByOne;
use super::{Block, BlockLoss, Objective};
use crate::registry::{BadSetting, Member};
use crate::train::TrainError;

/// Cross-entropy with classes of the past and of now balanced, after the loss balancing of Basso-Bert et al. 2025,
/// which is published without a formula. Ours is
///
/// L = (1 − λ) · mean over samples of current classes + λ · mean over samples of past classes,
///
/// both over the batch and of cross-entropy of the softmax over all logits. A class is of the past if it was learned
/// before and the task has no sample of it. Where λ is not given, it is the share of past classes among all that were
/// seen, so that each class weighs alike; a batch with samples of one of the two alone has their mean. Without a task
/// it is cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossBalancing {
    /// λ: how much samples of past classes weigh, 0 to 1; by default the share of past classes among all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
}

impl Member for LossBalancing {
    const KIND: &'static str = "loss-balancing";
    const ABOUT: &'static str = "cross-entropy, (1 − lambda) · mean over current classes + lambda · mean over past ones; lambda is their share of all classes if it is not given";

    fn check(&self) -> Result<(), BadSetting> {
        match self.lambda {
            Some(lambda) if !(0.0..=1.0).contains(&lambda) => {
                let reason = format!("must be between 0 and 1, not {lambda}");
                Err(BadSetting::new("lambda", reason))
            }
            _ => Ok(()),
        }
    }
}

impl Objective for LossBalancing {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let task = block.task;
        let past = block.share(|target| task.is_past(target.class));
        let current = block.share(|target| !task.is_past(target.class));
        let lambda = match self.lambda {
            _ if past == 0.0 => 0.0,
            _ if current == 0.0 => 1.0,
            Some(lambda) => lambda,
            None => {
                let seen = task.seen_classes().count().max(1);
                let past = task.seen_classes().filter(|class| task.is_past(*class));
                past.count() as f64 / seen as f64
            }
        };
        let weight = |target: &super::Target| match task.is_past(target.class) {
            true => lambda / past,
            false => (1.0 - lambda) / current,
        };
        let each = OneByOne::cross_entropy(block, |_, _| true);
        Ok(each.times(weight, block.targets).mean(block.batch_size))
    }
}
