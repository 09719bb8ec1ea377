use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::one_by_one::OneByOne;
use super::{Block, BlockLoss, Objective};
use crate::ids::ClassId;
use crate::registry::Member;
use crate::train::{Origin, Target, TrainError};

/// Asymmetric cross-entropy (ER-ACE, Caccia et al. 2022): what is new is told apart from what is new alone, so that
/// learning it does not push down the logits of what was learned before.
///
/// L = mean over new samples of the cross-entropy among the task's classes + mean over replays of the cross-entropy
/// among all classes seen so far, both means over the batch. Logits of other classes are left out of the softmax and
/// have no gradient; the sample's own class never is. Without a task, and of new samples alone, it is cross-entropy.
///
/// In the paper the buffer takes samples as they come, so replays tell the new classes from old ones before their task is
/// over. Memories here take them when it ends: a task of a single class has nothing to tell it from (its loss is 0), and
/// is not learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErAce {}

impl Member for ErAce {
    const KIND: &'static str = "er-ace";
    const ABOUT: &'static str = "cross-entropy, of new samples among new classes alone, plus that of replays among all classes seen so far";
}

impl Objective for ErAce {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let new = &block.task.new_classes;
        let seen: BTreeSet<ClassId> = block.task.seen_classes().collect();
        let among = |target: &Target, class: usize| {
            let classes = match target.origin {
                Origin::New => new,
                Origin::Replayed => &seen,
            };
            // Where none is known, none is left out. Classes are numbered by 16 bits.
            classes.is_empty() || classes.contains(&ClassId(class as u16))
        };
        let each = OneByOne::cross_entropy(block, among);
        let shares = [Origin::New, Origin::Replayed]
            .map(|origin| block.share(|target| target.origin == origin));
        let weight = |target: &Target| match target.origin {
            Origin::New => 1.0 / shares[0],
            Origin::Replayed => 1.0 / shares[1],
        };
        Ok(each.times(weight, block.targets).mean(block.batch_size))
    }
}
