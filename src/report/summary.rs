//! What a run came to, and a few words and sizes for tables.
//!
//! In: the outcome of an experiment or a training. Out: the contents of `summary.json`, which end the run's record, too.

use serde::{Deserialize, Serialize};

use super::ConfusionMatrix;
use crate::continual::{
    Accuracies, AccuracyMatrix, Aged, Experiment, Metrics, Outcome, RunSeconds, TestSamples,
};
use crate::random::MasterSeed;
use crate::replay::ReplayFigures;
use crate::train::StartedFrom;

/// The contents of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Summary {
    /// Of plain training.
    Train(TrainSummary),
    /// Of a continual-learning experiment.
    Learn(Box<LearnSummary>),
}

/// What plain training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    /// The master seed.
    pub seed: MasterSeed,
    /// Epochs in all.
    pub epochs: usize,
    /// Accuracy on training samples in the last epoch, 0 to 1.
    pub train_accuracy: f64,
    /// Accuracy of the picked network on test samples, if there are any.
    pub test_accuracy: Option<f64>,
    /// Which network was picked; records of versions that always took the last one do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked: Option<PickedNote>,
    /// How many samples of each class (row) the picked network took for each (column): test samples, validation
    /// samples where there are none of those, or training samples where there are neither.
    pub confusion: ConfusionMatrix,
    /// How long it took.
    pub seconds: TrainSeconds,
}

/// Which network a training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PickedNote {
    /// After which epoch, 1 first.
    pub epoch: usize,
    /// How it was picked: `last` or `best-validation`.
    pub by: String,
    /// Its accuracy on validation samples, if there are any, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// How many validation samples there are.
    pub validation_samples: usize,
    /// The file of the run's folder in which it is.
    pub file: String,
}

/// How long plain training took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrainSeconds {
    /// This run, evaluations included, over all starts of which that is known.
    pub train: f64,
}

/// A figure before anything new was learned and at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair<T> {
    /// After pre-training.
    pub before: T,
    /// At the end.
    pub after: T,
}

/// What a continual-learning experiment came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnSummary {
    /// Which samples came when, in words.
    pub scenario: String,
    /// The experiment whole.
    pub experiment: Experiment,
    /// strict or published.
    pub protocol: String,
    /// The master seed.
    pub seed: MasterSeed,
    /// Accuracy on old, new and all test samples, 0 to 1.
    pub accuracy: Pair<Accuracies>,
    /// What is read off the matrix.
    pub metrics: Option<Metrics>,
    /// Accuracy on every task (column) after every task (row).
    pub matrix: AccuracyMatrix,
    /// How many test samples of each class (row) were taken for each (column).
    pub confusion: Pair<ConfusionMatrix>,
    /// What the replay sources held at the end.
    pub replay: ReplayNote,
    /// What head and regularisers keep besides, in bytes.
    #[serde(default, skip_serializing_if = "is_no_byte")]
    pub other_bytes: u64,
    /// How old what is kept has grown, where layers below it learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged: Option<Aged>,
    /// After which task each row of the matrix was measured, if not after every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_after: Option<Vec<usize>>,
    /// How many test samples stand behind the accuracies at the end; records of versions that did not
    /// note them have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_samples: Option<TestSamples>,
    /// What it began with, if it did no pre-training itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<StartedFrom>,
    /// How long it took.
    pub seconds: RunSeconds,
}

/// What the memory held, with its compression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReplayNote {
    /// Counts of samples, bytes and bits.
    #[serde(flatten)]
    pub figures: ReplayFigures,
    /// Raw input bits over payload bits, the papers' way of counting; `None` without a memory.
    pub compression: Option<f64>,
    /// Raw input bytes over bytes really held; `None` without a memory.
    pub compression_of_bytes: Option<f64>,
}

impl From<ReplayFigures> for ReplayNote {
    fn from(figures: ReplayFigures) -> Self {
        let ratio = |stored: f64| {
            let raw = figures.raw_input_bits as f64;
            (figures.samples > 0).then(|| raw / stored)
        };
        ReplayNote {
            figures,
            compression: ratio(figures.payload_bits as f64),
            compression_of_bytes: ratio(figures.bytes as f64 * 8.0),
        }
    }
}

impl LearnSummary {
    /// Sums up an outcome.
    pub fn new(experiment: &Experiment, outcome: &Outcome, test_samples: TestSamples) -> Self {
        LearnSummary {
            scenario: outcome.title.clone(),
            experiment: experiment.clone(),
            protocol: experiment.protocol.to_string(),
            seed: experiment.seed,
            accuracy: Pair {
                before: outcome.before,
                after: outcome.after,
            },
            metrics: outcome.metrics,
            matrix: outcome.matrix.clone(),
            confusion: Pair {
                before: outcome.confusion_before.clone().into(),
                after: outcome.confusion_after.clone().into(),
            },
            replay: outcome.replay.into(),
            other_bytes: outcome.other_bytes,
            aged: outcome.aged,
            measured_after: {
                let every: Vec<usize> = (0..outcome.measured_after.len()).collect();
                Some(outcome.measured_after.clone()).filter(|after| *after != every)
            },
            test_samples: Some(test_samples),
            started_from: None,
            seconds: outcome.seconds,
        }
    }
}

fn is_no_byte(bytes: &u64) -> bool {
    *bytes == 0
}

/// Strategy, LR index and codec of an experiment in a few words, for tables and legends: `naive`, or
/// `latent, LR 2, or:10`.
pub fn describe_replay(experiment: &Experiment) -> String {
    experiment.method.title()
}

/// Bytes as people write them: B below 1000, else kB or MB.
pub fn kilobytes(bytes: u64) -> String {
    match bytes as f64 {
        small if small < 1e3 => format!("{small} B"),
        middle if middle < 99_950.0 => format!("{:.1} kB", middle / 1e3),
        middle if middle < 1e6 => format!("{:.0} kB", middle / 1e3),
        large => format!("{:.1} MB", large / 1e6),
    }
}
