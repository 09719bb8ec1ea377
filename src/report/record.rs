//! The lines of a run's record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::ConfusionMatrix;
use crate::continual::{
    Accuracies, AccuracyMatrix, Aged, EpochRecord, Experiment, Metrics, Outcome, Phase, Plan,
    RunSeconds, TestSamples,
};
use crate::dataset::{Dataset, Split};
use crate::ids::{SampleIndex, SpeakerId};
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::ReplayFigures;
use crate::simd::Simd;
use crate::train::{Evaluation, LayerFigures, PlannedEpoch, StartedFrom, TrainingPlan};

/// The version of the record format: 2 notes the source of the build, what is known of a network that was
/// pre-trained elsewhere, and other fingerprints of data. Records of format 1 can be read.
pub const RECORD_FORMAT: u32 = 2;

/// One line of `run.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordLine {
    /// The first line: what was to be done.
    Start(Box<StartLine>),
    /// What an epoch came to.
    Epoch(EpochLine),
    /// The last line: what it all came to. A run that was cut off has none.
    End {
        /// The same as `summary.json`.
        summary: Box<Summary>,
    },
}

/// What was to be done, and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartLine {
    /// [`RECORD_FORMAT`].
    pub format: u32,
    /// Version of respike.
    pub respike: String,
    /// Which source it was run by ([`BUILD`](crate::BUILD)); records of format 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The program's arguments.
    pub command_line: Vec<String>,
    /// Vector instructions; records of versions that did not note them have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simd: Option<Simd>,
    /// The master seed.
    pub seed: MasterSeed,
    /// The network.
    pub spec: NetworkSpec,
    /// How it is trained.
    pub settings: Description,
    /// The data.
    pub data: DataNote,
    /// What is learned in turn; one entry for plain training.
    pub tasks: Vec<TaskNote>,
    /// What a continual-learning run began with, if not with random weights: a network that was pre-trained elsewhere, or
    /// a learner that goes on. What the settings say of pre-training is then what that says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<StartedFrom>,
}

/// How a run trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is one a run")]
pub enum Description {
    /// Plain training of a whole network.
    Train {
        /// How long, how each epoch trains, and which network is picked.
        #[serde(flatten)]
        plan: TrainingPlan,
        /// Which network it began with, if that was trained before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<StartedFrom>,
    },
    /// A continual-learning experiment.
    Learn(Experiment),
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataNote {
    /// Files, as named on the command line.
    pub files: Vec<String>,
    /// Files with test samples, where they are apart.
    pub test_files: Vec<String>,
    /// Samples in all files.
    pub samples: usize,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// Number of speakers.
    pub speakers: usize,
    /// Events that were left out, as they fell past the end of the time grid.
    pub events_past_end: u64,
    /// [`Dataset::fingerprint`] in hexadecimal, 16 digits.
    pub fingerprint: String,
    /// The same of the test samples, where they are apart.
    pub test_fingerprint: Option<String>,
}

/// A dataset's fingerprint as records hold it, in hexadecimal.
pub fn fingerprint(dataset: &Dataset) -> String {
    format!("{:016x}", dataset.fingerprint())
}

/// Whether a fingerprint that a record holds is that of a dataset, in whatever version it was taken.
pub fn is_fingerprint_of(noted: &str, dataset: &Dataset) -> bool {
    [dataset.fingerprint(), dataset.legacy_fingerprint()]
        .iter()
        .any(|fingerprint| format!("{fingerprint:016x}") == noted)
}

/// One of the things that are learned in turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskNote {
    /// Its name.
    pub name: String,
    /// Training samples.
    pub train: usize,
    /// Test samples.
    pub test: usize,
    /// Samples kept out of training to see how good it gets.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub validation: usize,
}

fn is_no_byte(bytes: &u64) -> bool {
    *bytes == 0
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What an epoch is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Plain training.
    Train,
    /// Learning the base task.
    Pretrain,
    /// Learning a new task.
    Learn,
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochLine {
    /// What it is part of.
    pub phase: PhaseName,
    /// Which task, 0 for the first.
    pub task: usize,
    /// Which epoch of the task, 1 first.
    pub epoch: usize,
    /// Mean cross-entropy on training samples; none where nothing was trained, but learned in closed form.
    #[serde(
        default,
        deserialize_with = "number",
        skip_serializing_if = "Option::is_none"
    )]
    pub loss: Option<f64>,
    /// Accuracy on training samples, 0 to 1, each under the weights of its batch's time; likewise.
    #[serde(
        default,
        deserialize_with = "number",
        skip_serializing_if = "Option::is_none"
    )]
    pub train_accuracy: Option<f64>,
    /// Learning rate; 0 where nothing was trained.
    pub learning_rate: f32,
    /// Training samples, replays included.
    pub samples: usize,
    /// Accuracy, 0 to 1: on test samples of `old`, `new` and `all`, or on those of `test` and `validation`.
    pub accuracy: BTreeMap<String, f64>,
    /// Accuracy on each task's test samples.
    pub tasks: Vec<f64>,
    /// What was seen of each layer in plain training; records of versions that did not note it have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerFigures>,
}

/// A number that may be missing, but is one where it is there.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

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

impl StartLine {
    /// The start of a run.
    pub fn new(
        command_line: Vec<String>,
        seed: MasterSeed,
        spec: NetworkSpec,
        settings: Description,
        data: DataNote,
        tasks: Vec<TaskNote>,
    ) -> Self {
        StartLine {
            format: RECORD_FORMAT,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            build: Some(crate::BUILD.to_string()),
            command_line,
            simd: Some(Simd::current()),
            seed,
            spec,
            settings,
            data,
            tasks,
            started_from: None,
        }
    }

    /// The same of a run that begins with that.
    #[must_use]
    pub fn with_start(mut self, from: Option<StartedFrom>) -> Self {
        self.started_from = from;
        self
    }
}

impl StartLine {
    /// Whether a run is the same as another, to be done again with the same bits: whatever their
    /// command lines are, and wherever their files lie.
    pub fn is_same_run(&self, other: &StartLine) -> bool {
        let data = |note: &DataNote| {
            let names = note.class_names.clone();
            (
                names,
                note.fingerprint.clone(),
                note.test_fingerprint.clone(),
            )
        };
        self.difference(other).is_none()
            && self.settings == other.settings
            && data(&self.data) == data(&other.data)
            && self.starts_like(other)
    }

    /// Whether both began with the same weights; records of old versions do not say.
    fn starts_like(&self, other: &StartLine) -> bool {
        let both = self.started_from.as_ref().zip(other.started_from.as_ref());
        both.is_none_or(|(one, other)| one.fingerprint == other.fingerprint)
    }

    /// In what a run differs from another, besides its data and how it trains: an option of the
    /// program.
    pub fn difference(&self, other: &StartLine) -> Option<&'static str> {
        // Records of old versions do not say.
        let arithmetic = self.simd.zip(other.simd);
        let differ = [
            ("--model", self.spec != other.spec),
            ("--seed", self.seed != other.seed),
            (
                "the arithmetic (--simd)",
                arithmetic.is_some_and(|(one, other)| !one.trains_like(other)),
            ),
        ];
        let first = differ.into_iter().find(|(_, differs)| *differs);
        first.map(|(what, _)| what)
    }
}

impl DataNote {
    /// Describes a dataset that was read from files.
    pub fn of(dataset: &Dataset, files: Vec<String>) -> Self {
        DataNote {
            files,
            test_files: Vec::new(),
            samples: dataset.len(),
            class_names: dataset.class_names().to_vec(),
            speakers: dataset.speakers().len(),
            events_past_end: dataset.events_past_end(),
            fingerprint: fingerprint(dataset),
            test_fingerprint: None,
        }
    }

    /// Describes a dataset that was read from files to train on and files to test with; it counts what is to be
    /// trained on.
    pub fn of_split(
        dataset: &Dataset,
        split: &Split,
        (files, test_files): (Vec<String>, Vec<String>),
    ) -> Self {
        let print = |samples: &[SampleIndex]| dataset.fingerprint_of(samples.iter().copied());
        let speaker = |&index: &SampleIndex| dataset.sample(index).speaker;
        let speakers: BTreeSet<SpeakerId> = split.train.iter().map(speaker).collect();
        DataNote {
            test_files,
            samples: split.train.len(),
            speakers: speakers.len(),
            fingerprint: format!("{:016x}", print(&split.train)),
            test_fingerprint: Some(format!("{:016x}", print(&split.test))),
            ..DataNote::of(dataset, files)
        }
    }
}

impl TaskNote {
    /// Describes every task of a plan.
    pub fn of(plan: &Plan) -> Vec<Self> {
        let tasks = plan.tasks.iter().map(|task| TaskNote {
            name: task.name.clone(),
            train: task.train.len(),
            test: task.test.len(),
            validation: 0,
        });
        tasks.collect()
    }
}

impl From<&EpochRecord> for EpochLine {
    fn from(record: &EpochRecord) -> Self {
        let accuracy = record.accuracy.into_iter().flat_map(|accuracy| {
            let Accuracies { old, new, all } = accuracy;
            let named = [("old", old), ("new", new), ("all", all)];
            // What nothing was tested for has no number.
            let tested = named.into_iter().filter(|(_, value)| !value.is_nan());
            tested.map(|(name, value)| (name.to_string(), value))
        });
        let training = record.training.as_ref();
        EpochLine {
            phase: match record.phase {
                Phase::Pretrain => PhaseName::Pretrain,
                Phase::Learn => PhaseName::Learn,
            },
            task: record.task,
            epoch: record.epoch,
            loss: training.map(|training| training.loss),
            train_accuracy: training.map(|training| training.accuracy),
            learning_rate: training.map_or(0.0, |training| training.learning_rate),
            samples: record.samples,
            accuracy: accuracy.collect(),
            tasks: record.tasks.clone(),
            layers: Vec::new(),
        }
    }
}

impl EpochLine {
    /// An epoch of plain training, 1 first, with the test's outcome if there was one.
    pub fn of_training(epoch: usize, planned: &PlannedEpoch, test: Option<&Evaluation>) -> Self {
        let training = &planned.training;
        let named = [("test", test), ("validation", planned.validation.as_ref())];
        let accuracy = named.into_iter().filter_map(|(name, tested)| {
            let tested = tested?;
            Some((name.to_string(), tested.accuracy()))
        });
        EpochLine {
            phase: PhaseName::Train,
            task: 0,
            epoch,
            loss: Some(training.loss),
            train_accuracy: Some(training.accuracy),
            learning_rate: training.learning_rate,
            samples: training.samples,
            tasks: test.iter().map(|test| test.accuracy()).collect(),
            accuracy: accuracy.collect(),
            layers: training.layers.clone(),
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
