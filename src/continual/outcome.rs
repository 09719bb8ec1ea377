//! What a run comes to: accuracies, the memory, networks, and where the time went.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Accuracies, AccuracyMatrix, Metrics};
use crate::replay::ReplayMemory;
use crate::train::{Checkpoint, TimeSpent};

/// What was held in the memory at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ReplayFigures {
    /// Samples held.
    pub samples: usize,
    /// Bytes really held, labels and header included.
    pub bytes: u64,
    /// Bits of the packed samples alone, as papers count.
    pub payload_bits: u64,
    /// What the same samples take as raw input spikes, a bit for each step and channel.
    pub raw_input_bits: u64,
}

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
    /// What is read off the matrix.
    pub metrics: Option<Metrics>,
    /// How many test samples of each class (row) were taken for each (column) after pre-training.
    pub confusion_before: Array2<u32>,
    /// The same at the end.
    pub confusion_after: Array2<u32>,
    /// What the memory held.
    pub replay: ReplayFigures,
    /// How long it took.
    pub seconds: RunSeconds,
    /// Where that time went.
    pub time: RunTime,
    /// The network after pre-training, and what it was trained on.
    pub pretrained: Checkpoint,
    /// The network at the end, and what it was trained on.
    pub learned: Checkpoint,
    /// The memory at the end, if the strategy has one.
    pub memory: Option<ReplayMemory>,
}
