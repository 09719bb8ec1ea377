//! The lines of a run's record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::Summary;
use crate::continual::{Accuracies, EpochRecord, Experiment, Phase, Plan};
use crate::dataset::{Dataset, Split};
use crate::ids::{SampleIndex, SpeakerId};
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
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

    /// Whether both began with the same weights, or the same learner; records of old versions do not say.
    fn starts_like(&self, other: &StartLine) -> bool {
        let both = self.started_from.as_ref().zip(other.started_from.as_ref());
        both.is_none_or(|(one, other)| one.is_like(other))
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
