use serde::{Deserialize, Serialize};

use super::one_by_one::OneByOne;
use super::{Block, BlockLoss, Objective, PastLogits, check_weight};
use crate::registry::{BadSetting, Member};
use crate::train::{Origin, Target, TrainError};

/// Dark experience replay (DER++, Buzzega et al. 2020): replays are held to the logits that the network gave them when
/// they were kept, and to their classes.
///
/// L = mean over new samples of their cross-entropy + α · mean over replays of the mean squared difference of their
/// logits from the past ones + β · mean over replays of their cross-entropy, all means over the batch. A replay without
/// past logits has the last term alone, and where past logits are of fewer classes, these are compared. In the paper
/// the two terms have replays of their own each; here they have the same. Of new samples alone it is cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DerPlusPlus {
    /// α: what a squared difference of logits costs, averaged over classes.
    pub alpha: f64,
    /// β: how much replays' cross-entropy weighs.
    pub beta: f64,
}

impl Default for DerPlusPlus {
    /// α 0.1 and β 0.5, as the paper has for CIFAR-10 in five tasks with 200 replays; with more or on other data it has
    /// 0.1 to 1 for both.
    fn default() -> Self {
        DerPlusPlus {
            alpha: 0.1,
            beta: 0.5,
        }
    }
}

impl Member for DerPlusPlus {
    const KIND: &'static str = "der-plus-plus";
    const ABOUT: &'static str = "cross-entropy, plus alpha · mean square of replays' logits from past ones, plus beta · their cross-entropy";

    fn check(&self) -> Result<(), BadSetting> {
        check_weight("alpha", self.alpha)?;
        check_weight("beta", self.beta)
    }
}

impl Objective for DerPlusPlus {
    fn past_logits(&self) -> PastLogits {
        PastLogits::OfReplays
    }

    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let is_replayed = |target: &Target| target.origin == Origin::Replayed;
        let new = block.share(|target| !is_replayed(target));
        let replayed = block.share(is_replayed);
        let compared = block.share(|target| is_replayed(target) && target.past_logits.is_some());
        let weight = |target: &Target| match target.origin {
            Origin::New => 1.0 / new,
            Origin::Replayed => self.beta / replayed,
        };
        let each = OneByOne::cross_entropy(block, |_, _| true);
        let mut each = each.times(weight, block.targets);
        let logits = block.activity.logits();
        for (sample, target) in block.targets.iter().enumerate() {
            let Some(past) = target
                .past_logits
                .as_deref()
                .filter(|_| is_replayed(target))
            else {
                continue;
            };
            let row = logits.row(sample);
            let off = row
                .iter()
                .zip(past)
                .map(|(now, past)| now - f64::from(*past));
            let off: Vec<f64> = off.collect();
            let factor = self.alpha / compared / off.len().max(1) as f64;
            let cost = factor * off.iter().map(|off| off * off).sum::<f64>();
            let errors = off.iter().map(|off| 2.0 * factor * off);
            each.add(sample, cost, errors.enumerate());
        }
        Ok(each.mean(block.batch_size))
    }
}
