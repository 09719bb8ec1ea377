//! News of a run, as it happens.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::testing::Tested;
use super::{Accuracies, ContinualError, Plan, SavedLearner};
use crate::train::{Checkpoint, EpochFigures};

/// What is going on in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The base task is being learned by the whole network.
    Pretrain,
    /// A new task is being learned.
    Learn,
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Pre-training or learning.
    pub phase: Phase,
    /// Which task, 0 for the base.
    pub task: usize,
    /// Which epoch of the task, 1 first.
    pub epoch: usize,
    /// What training came to; none where a head learned alone, in closed form.
    pub training: Option<EpochFigures>,
    /// Samples learned from, replays included.
    pub samples: usize,
    /// Accuracy on test samples after the epoch, if it was tested.
    pub accuracy: Option<Accuracies>,
    /// Accuracy on each part of the test samples after the epoch: on each task's, where tasks have their own.
    pub tasks: Vec<f64>,
}

/// News of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The plan is made; nothing has been trained yet.
    Planned(&'a Plan),
    /// A task begins that will take so many epochs.
    Task {
        /// Pre-training or learning.
        phase: Phase,
        /// Its name.
        name: &'a str,
        /// Its epochs.
        epochs: usize,
    },
    /// An epoch is over.
    Epoch(&'a EpochRecord),
    /// Pre-training is over, or was left out; something new is going to be learned.
    Pretrained(&'a Checkpoint),
    /// A task was learned; from this state learning goes on bit for bit.
    Learned(&'a SavedLearner),
}

/// Tells news, and stops the run if that is wished.
pub(super) fn say(
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    news: Progress<'_>,
) -> Result<(), ContinualError> {
    match progress(news) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ContinualError::BrokenOff),
    }
}

/// How an epoch was learned.
pub(super) enum Learned {
    /// By training.
    Trained(EpochFigures),
    /// By a head alone, in closed form.
    Alone { samples: usize },
}

/// Tells what an epoch came to.
pub(super) fn tell(
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    phase: Phase,
    (task, epoch): (usize, usize),
    learned: Learned,
    tested: Option<&Tested>,
) -> Result<(), ContinualError> {
    let record = EpochRecord {
        phase,
        task,
        epoch,
        samples: match &learned {
            Learned::Trained(figures) => figures.samples,
            Learned::Alone { samples } => *samples,
        },
        training: match learned {
            Learned::Trained(figures) => Some(figures),
            Learned::Alone { .. } => None,
        },
        accuracy: tested.map(|tested| tested.accuracy),
        tasks: tested.map_or_else(Vec::new, |tested| tested.tasks.clone()),
    };
    say(progress, Progress::Epoch(&record))
}
