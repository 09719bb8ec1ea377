//! Objectives: what training makes small.
//!
//! In: what a block of samples did, and what is wanted of them. Out: a loss, and its derivatives by logits,
//! by the readout in single steps, by spikes and by membrane potentials. One file an objective.
//!
//! | kind | what it is |
//! |---|---|
//! | `cross-entropy` | [`CrossEntropy`] of the softmax of the logits |
//! | `mean-square` | [`MeanSquare`] of the logits, as of spike counts that are wanted |
//! | `loss-balancing` | [`LossBalancing`]: past classes weigh what is said, however many samples they have |
//! | `er-ace` | [`ErAce`]: new samples are told apart from new classes alone |
//! | `der-plus-plus` | [`DerPlusPlus`]: replays keep the logits that they had |
//! | `lwf` | [`LearningWithoutForgetting`]: old classes' logits of new samples stay what they were |
//!
//! The last four are cross-entropy where there is no task and all samples are new; what they need to know of the
//! task, of the batch as a whole and of an earlier network stands in a [`Block`].

mod cross_entropy;
mod der_plus_plus;
mod er_ace;
mod loss_balancing;
mod lwf;
mod mean_square;
mod one_by_one;
#[cfg(test)]
mod tests;

pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use der_plus_plus::DerPlusPlus;
pub use er_ace::ErAce;
pub use loss_balancing::LossBalancing;
pub use lwf::LearningWithoutForgetting;
pub use mean_square::MeanSquare;

use std::fmt::Debug;

use super::task::UNKNOWN;
use super::{Target, TaskFacts, TrainError};
use crate::network::{BlockActivity, Errors, Reach};
use crate::registry::{BadSetting, Chosen};

/// An objective of any kind, as settings name it.
pub type ObjectiveSettings = Chosen<dyn Objective>;

/// A loss that is small where samples do what is wanted of them.
///
/// With L the mean over a batch of what each sample costs, an objective gives for some of the batch's
/// samples the sum of what they cost, and ∂L/∂ of what they did.
pub trait Objective: Debug + Send + Sync + 'static {
    /// How far back in time errors must be able to go: [`Reach::EveryStep`] unless only logits have any.
    fn reach(&self) -> Reach {
        Reach::Logits
    }

    /// The loss of a block.
    ///
    /// # Errors
    /// If what it needs of the block is not there.
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError>;

    /// Of which samples it needs the logits of an earlier network; of none by default.
    fn past_logits(&self) -> PastLogits {
        PastLogits::None
    }
}

/// Of which samples an objective needs the logits that an earlier network gave them. Whoever trains with it
/// provides them, as [`Examples::past_logits`](super::Examples::past_logits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PastLogits {
    /// Of none.
    None,
    /// Of new samples, by the network as it was before the task.
    OfNew,
    /// Of replays, by the network as it was when they were kept.
    OfReplays,
}

/// Some samples of a batch that ran forward.
#[non_exhaustive]
pub struct Block<'a> {
    /// What they did.
    pub activity: &'a dyn BlockActivity,
    /// Which of the [`Examples`](super::Examples) they are.
    pub samples: &'a [usize],
    /// What is wanted of each.
    pub targets: &'a [Target],
    /// Samples of the whole batch: errors are divided by it.
    pub batch_size: usize,
    /// What is wanted of each sample of the whole batch, in any order; of the block's own where no more is known.
    pub batch: &'a [Target],
    /// The task that is learned.
    pub task: &'a TaskFacts,
}

impl<'a> Block<'a> {
    /// These samples of a batch of `batch_size`, which did this, and of each of which that is wanted. Of the others
    /// and of the task nothing is known.
    pub fn new(
        activity: &'a dyn BlockActivity,
        samples: &'a [usize],
        targets: &'a [Target],
        batch_size: usize,
    ) -> Self {
        Block {
            activity,
            samples,
            targets,
            batch_size,
            batch: targets,
            task: &UNKNOWN,
        }
    }

    /// The same with what is wanted of each sample of the whole batch.
    #[must_use]
    pub fn with_batch(mut self, batch: &'a [Target]) -> Self {
        self.batch = batch;
        self
    }

    /// The same in a task.
    #[must_use]
    pub fn with_task(mut self, task: &'a TaskFacts) -> Self {
        self.task = task;
        self
    }

    /// The share of the batch's samples that are such, 0 to 1. A mean over these alone is the mean over the batch of
    /// what they cost, divided by it.
    pub fn share(&self, is_such: impl Fn(&Target) -> bool) -> f64 {
        let such = self.batch.iter().filter(|target| is_such(target)).count();
        such as f64 / self.batch.len().max(1) as f64
    }
}

/// What a loss says of a block.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct BlockLoss {
    /// What its samples cost, together.
    pub loss_sum: f64,
    /// ∂L/∂ of what they did, L being the mean over the batch.
    pub errors: Errors,
}

impl BlockLoss {
    /// A cost, and ∂L/∂ of what the samples did.
    pub fn new(loss_sum: f64, errors: Errors) -> Self {
        BlockLoss { loss_sum, errors }
    }
}

/// Refuses a weight that is not finite and 0 or more.
fn check_weight(key: &str, value: f64) -> Result<(), BadSetting> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => {
            let reason = format!("must be a finite number, 0 or more, not {value}");
            Err(BadSetting::new(key, reason))
        }
    }
}
