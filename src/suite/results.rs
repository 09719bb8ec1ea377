//! What experiments of a suite came to.
//!
//! In: outcomes. Out: lines that hold what every table and figure needs and nothing that differs from
//! run to run, such as seconds.

use serde::{Deserialize, Serialize};

use super::{Controls, Group};
use crate::continual::{
    Accuracies, AccuracyMatrix, Aged, EpochRecord, Experiment, Learns, Metrics, Outcome,
    TestSamples,
};
use crate::replay::{Capacity, ReplayFigures};
use crate::storage::json_error;
use crate::train::TrainingSettings;

/// A line of a group's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ResultLine {
    /// The network that the group begins from.
    Pretrained(Box<Pretrained>),
    /// What needs no continual learning.
    Controls(Box<Controls>),
    /// An experiment.
    Cell(Box<CellResult>),
}

/// The results of a group, as its file holds them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupResults {
    /// What pre-training came to, once it is over.
    pub pretrained: Option<Pretrained>,
    /// What needs no continual learning, where the suite asks for it.
    pub controls: Option<Controls>,
    /// Finished experiments.
    pub cells: Vec<CellResult>,
}

impl GroupResults {
    /// The result of an experiment.
    pub fn of(&self, experiment: &Experiment) -> Option<&CellResult> {
        self.cells
            .iter()
            .find(|cell| cell.experiment == *experiment)
    }

    /// Reads the text of a group's file; says what is wrong where it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut results = GroupResults::default();
        for (index, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(ResultLine::Pretrained(pretrained)) => results.pretrained = Some(*pretrained),
                Ok(ResultLine::Controls(controls)) => results.controls = Some(*controls),
                Ok(ResultLine::Cell(cell)) => results.cells.push(*cell),
                Err(error) => return Err(format!("line {}: {}", index + 1, json_error(&error))),
            }
        }
        Ok(results)
    }

    /// The text of the group's file: experiments in the order of the plan and whatever else is there after them, so that
    /// it does not depend on what was run when.
    pub(super) fn text(&self, group: &Group) -> String {
        let planned = group.cells.iter().filter_map(|cell| self.of(cell));
        let others = self.cells.iter();
        let others = others.filter(|result| !group.cells.contains(&result.experiment));
        let pretrained = self.pretrained.clone().map(Box::new);
        let controls = self.controls.clone().map(Box::new);
        let cells = planned.chain(others);
        let cells = cells.map(|cell| ResultLine::Cell(Box::new(cell.clone())));
        let first = pretrained.map(ResultLine::Pretrained).into_iter();
        let first = first.chain(controls.map(ResultLine::Controls));
        let mut text = String::new();
        for line in first.chain(cells) {
            text += &serde_json::to_string(&line).expect("a plain struct");
            text.push('\n');
        }
        text
    }
}

/// What pre-training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pretrained {
    /// Which source it was run by ([`BUILD`](crate::BUILD)); results of format 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Epochs; results of versions that did not note after which they tested say here how often they did.
    pub epochs: usize,
    /// How it was trained.
    pub training: TrainingSettings,
    /// Samples trained on.
    pub train: usize,
    /// Samples of all tasks that accuracy on everything is measured with.
    pub test: usize,
    /// How many stand behind the accuracies at the end; results of versions that did not note them have
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_samples: Option<TestSamples>,
    /// After which epochs accuracy was measured, if not after every one; 1 is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_after: Option<Vec<usize>>,
    /// Accuracy after each epoch that was tested.
    pub curve: Curve,
    /// [`spiking_activity`](crate::train::spiking_activity) on test samples of all tasks.
    pub activity: Vec<f64>,
}

impl Pretrained {
    /// Whether an experiment of the group begins from this network.
    pub fn serves(&self, experiment: &Experiment) -> bool {
        (Some(self.epochs), Some(self.training.clone()))
            == (experiment.pretrain_epochs, experiment.pretrain.clone())
    }
}

/// What an experiment came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Which source it was run by ([`BUILD`](crate::BUILD)); results of format 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The experiment whole.
    pub experiment: Experiment,
    /// After pre-training.
    pub before: Accuracies,
    /// At the end.
    pub after: Accuracies,
    /// Accuracy after each epoch that was tested of each task, one task after the other.
    pub curve: Curve,
    /// Accuracy on every task (column) after every task (row).
    pub matrix: AccuracyMatrix,
    /// Accuracy on everything after every task that was tested, pre-training first.
    pub all_after_task: Vec<f64>,
    /// After which tasks, if not after every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_after: Option<Vec<usize>>,
    /// What is read off the matrix.
    pub metrics: Option<Metrics>,
    /// What the replay sources held at the end.
    pub replay: ReplayFigures,
    /// What head and regularisers keep besides, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other_bytes: u64,
    /// How old what is kept has grown, where layers below it learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged: Option<Aged>,
    /// [`spiking_activity`](crate::train::spiking_activity) at the end on test samples of all tasks.
    pub activity: Vec<f64>,
}

/// Accuracies epoch by epoch of those that were tested, 0 to 1, rounded to five decimals.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curve {
    /// On old test samples.
    pub old: Vec<f64>,
    /// On new ones.
    pub new: Vec<f64>,
    /// On all.
    pub all: Vec<f64>,
}

impl Curve {
    /// Adds an epoch.
    pub fn push(&mut self, accuracy: Accuracies) {
        let round = |share: f64| (share * 1e5).round() / 1e5;
        self.old.push(round(accuracy.old));
        self.new.push(round(accuracy.new));
        self.all.push(round(accuracy.all));
    }

    /// Epochs.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no epoch.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CellResult {
    /// Everything kept for the sake of what was learned before, besides the network's weights, in bytes.
    pub fn bytes_in_all(&self) -> u64 {
        self.replay.bytes + self.other_bytes
    }

    /// After which tasks accuracy on everything was measured.
    pub fn tasks_measured(&self) -> Vec<usize> {
        let every = || (0..self.all_after_task.len()).collect();
        self.measured_after.clone().unwrap_or_else(every)
    }

    /// Accuracy on what pre-training was about, before and at the end. *Old* is something else in the
    /// published multi-class run, where it grows; where samples are learned it is that, in one part or several.
    pub fn base(&self) -> Option<(f64, f64)> {
        if self.experiment.scenario.learns() == Learns::Samples {
            return Some((self.before.old, self.after.old));
        }
        let rows = self.matrix.rows();
        let base = |row: Option<&Vec<f64>>| row?.first().copied();
        Some((base(rows.first())?, base(rows.last())?))
    }

    /// Sums up an outcome; `epochs` are all those of learning, in order.
    pub(super) fn new(
        experiment: &Experiment,
        outcome: &Outcome,
        epochs: &[EpochRecord],
        activity: Vec<f64>,
    ) -> Self {
        let mut curve = Curve::default();
        for accuracy in epochs.iter().filter_map(|epoch| epoch.accuracy) {
            curve.push(accuracy);
        }
        let tasks = epochs.chunk_by(|one, other| one.task == other.task);
        let ends = tasks.filter_map(|task| Some(task.last()?.accuracy?.all));
        CellResult {
            build: Some(crate::BUILD.to_string()),
            experiment: experiment.clone(),
            before: outcome.before,
            after: outcome.after,
            curve,
            matrix: outcome.matrix.clone(),
            measured_after: {
                let every: Vec<usize> = (0..outcome.measured_after.len()).collect();
                Some(outcome.measured_after.clone()).filter(|after| *after != every)
            },
            all_after_task: std::iter::once(outcome.before.all).chain(ends).collect(),
            metrics: outcome.metrics,
            replay: outcome.replay,
            other_bytes: outcome.other_bytes,
            aged: outcome.aged,
            activity,
        }
    }
}

/// What tells an experiment from the others of its group, in a few words: `naive`, or `latent, LR 2,
/// or:10, 184 replays`.
pub fn cell_name(experiment: &Experiment) -> String {
    let method = experiment.method.title();
    match experiment.method.capacity() {
        None => method,
        Some(Capacity::Samples(samples)) => format!("{method}, {samples} replays"),
        Some(Capacity::Bytes(bytes)) => format!("{method}, {bytes} bytes"),
    }
}
