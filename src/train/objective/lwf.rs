use serde::{Deserialize, Serialize};

use super::one_by_one::OneByOne;
use super::{Block, BlockLoss, Objective, PastLogits, check_weight};
use crate::registry::{BadSetting, Member};
use crate::train::TrainError;

/// Learning without forgetting (LwF, Li & Hoiem 2016): what the network said of old classes before the task, it should
/// say of the new samples still.
///
/// A sample costs its cross-entropy over all classes + λ·T² · cross-entropy of softmax(logits/T) with
/// softmax(past logits/T), both over the classes that were learned before; the mean over the batch is L. T² keeps the
/// second term's gradient of the same size whatever T is (Hinton et al. 2015); the paper has no such factor. A sample
/// without past logits has the first term alone, so that without a task it is cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearningWithoutForgetting {
    /// λ: how much the second term weighs.
    pub lambda: f64,
    /// T: what logits are divided by before they are compared.
    pub temperature: f64,
}

impl Default for LearningWithoutForgetting {
    /// λ 1 and a temperature of 2.
    fn default() -> Self {
        LearningWithoutForgetting {
            lambda: 1.0,
            temperature: 2.0,
        }
    }
}

impl Member for LearningWithoutForgetting {
    const KIND: &'static str = "lwf";
    const ABOUT: &'static str = "cross-entropy, plus lambda · T² · that of old classes' softened softmax with what it was before the task; T is the temperature";

    fn check(&self) -> Result<(), BadSetting> {
        check_weight("lambda", self.lambda)?;
        BadSetting::unless_positive("temperature", self.temperature)
    }
}

impl Objective for LearningWithoutForgetting {
    fn past_logits(&self) -> PastLogits {
        PastLogits::OfNew
    }

    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let mut each = OneByOne::cross_entropy(block, |_, _| true);
        let logits = block.activity.logits();
        let classes = block.task.old_classes.iter().map(|class| class.index());
        let old: Vec<usize> = classes.collect();
        for (sample, target) in block.targets.iter().enumerate() {
            let Some(past) = target.past_logits.as_deref() else {
                continue;
            };
            // Past logits may be of fewer classes.
            let old = old.iter().copied().filter(|&class| class < past.len());
            let old: Vec<usize> = old.collect();
            let softened = |logit: &dyn Fn(usize) -> f64| {
                let logits: Vec<f64> = old.iter().map(|&c| logit(c) / self.temperature).collect();
                log_softmax(&logits)
            };
            let now = softened(&|class| logits[[sample, class]]);
            let before = softened(&|class| f64::from(past[class]));
            let pairs = now.iter().zip(&before);
            let cost: f64 = pairs.clone().map(|(now, before)| -before.exp() * now).sum();
            let errors = pairs
                .map(|(now, before)| self.lambda * self.temperature * (now.exp() - before.exp()));
            let cost = self.lambda * self.temperature.powi(2) * cost;
            each.add(sample, cost, old.iter().copied().zip(errors));
        }
        Ok(each.mean(block.batch_size))
    }
}

/// The logarithm of the softmax.
fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let shift = largest + sum.ln();
    logits.iter().map(|logit| logit - shift).collect()
}
