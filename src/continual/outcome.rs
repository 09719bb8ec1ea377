//! What a run comes to: accuracies, the memory, networks, and where the time went.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Accuracies, AccuracyMatrix, Metrics};
use crate::replay::{ReplayFigures, ReplayMemory};
use crate::train::{Checkpoint, TimeSpent};

/// How long a run took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunSeconds {
    /// Pre-training, with its evaluations.
    pub pretrain: f64,
    /// All that came after: freezing, filling the memory, learning, with evaluations.
    pub learn: f64,
}

/// Where the time of a run went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct RunTime {
    /// Pre-training.
    pub pretrain: TimeSpent,
    /// Learning what is new.
    pub learn: TimeSpent,
    /// Running the frozen stage over samples, in seconds.
    pub freeze_s: f64,
    /// Filling the memory, in seconds.
    pub remember_s: f64,
    /// Testing, in seconds.
    pub test_s: f64,
}

/// How much kept latents differ from what the network makes of the same samples at the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aged {
    /// Kept samples that were compared.
    pub samples: usize,
    /// Cells (steps × units) that differ, as a share of those that are set in either.
    pub differing: f64,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// What was learned, for people ([`Experiment::title`](super::Experiment::title)).
    pub title: String,
    /// After pre-training.
    pub before: Accuracies,
    /// At the end.
    pub after: Accuracies,
    /// Accuracy on every task after every task.
    pub matrix: AccuracyMatrix,
    /// After which task each row of the matrix was measured.
    pub measured_after: Vec<usize>,
    /// How much what is kept differs from what would be kept now, where layers below the LR index learn, too.
    pub aged: Option<Aged>,
    /// What is read off the matrix.
    pub metrics: Option<Metrics>,
    /// How many test samples of each class (row) were taken for each (column) after pre-training.
    pub confusion_before: Array2<u32>,
    /// The same at the end.
    pub confusion_after: Array2<u32>,
    /// What the replay sources held.
    pub replay: ReplayFigures,
    /// Bytes that are kept for the sake of what was learned before, besides replays and the network's weights: what the
    /// head and regularisers remember.
    pub other_bytes: u64,
    /// How long it took.
    pub seconds: RunSeconds,
    /// Where that time went.
    pub time: RunTime,
    /// The network after pre-training, and what it was trained on.
    pub pretrained: Checkpoint,
    /// The network at the end, and what it was trained on.
    pub learned: Checkpoint,
    /// The memory at the end, if the method has one.
    pub memory: Option<ReplayMemory>,
}
