//! The note of a checkpoint: all of it but arrays.

use serde::{Deserialize, Serialize};

use crate::network::{NetworkError, NetworkSpec, Stage};
use crate::random::{MasterSeed, StreamPosition};
use crate::train::{OptimiserSettings, PastTraining, StartedFrom, TrainingSettings};

/// 3: recordings are known again whatever the order of their events, and by their sounds. 2, which is read,
/// has in their list what 3 calls legacy.
pub(crate) const VERSION: u32 = 3;
/// The oldest that is read.
const OLDEST: u32 = 2;

/// The note.
#[derive(Serialize, Deserialize)]
pub(crate) struct CheckpointNote {
    pub format: u32,
    pub respike: String,
    pub spec: NetworkSpec,
    pub class_names: Vec<String>,
    pub trainer: Option<TrainerNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<PastTrainingNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<StartedFrom>,
    /// What it was tested with that is no part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_with: Option<String>,
    /// Which source it was written by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}

/// A trainer that can go on.
#[derive(Serialize, Deserialize)]
pub(crate) struct TrainerNote {
    pub stage: StageNote,
    pub settings: TrainingSettings,
    pub optimiser: OptimiserSettings,
    pub steps_taken: u32,
    pub shuffle: StreamPosition,
    pub epochs_done: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<f64>,
}

/// What is trained.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StageNote {
    Whole,
    /// Above that LR index.
    Learning(usize),
}

/// How training went that is over.
#[derive(Serialize, Deserialize)]
pub(crate) struct PastTrainingNote {
    epochs: usize,
    settings: TrainingSettings,
    seed: MasterSeed,
}

impl CheckpointNote {
    /// Refuses a version that is not read.
    pub fn check_version(&self) -> Result<(), String> {
        match (OLDEST..=VERSION).contains(&self.format) {
            true => Ok(()),
            false => Err(format!(
                "it has format {}, and this version reads {OLDEST} and {VERSION}",
                self.format
            )),
        }
    }
}

impl From<Stage> for StageNote {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Whole => StageNote::Whole,
            Stage::Learning(index) => StageNote::Learning(index.get()),
        }
    }
}

impl StageNote {
    /// The stage of a network.
    pub fn of(self, spec: &NetworkSpec) -> Result<Stage, NetworkError> {
        match self {
            StageNote::Whole => Ok(Stage::Whole),
            StageNote::Learning(index) => {
                let checked = spec.replay_layer(index);
                let largest = spec.largest_replay_layer();
                checked
                    .map(Stage::Learning)
                    .map_err(|_| NetworkError::OtherReplayLayer { index, largest })
            }
        }
    }
}

impl From<PastTraining> for PastTrainingNote {
    fn from(past: PastTraining) -> Self {
        PastTrainingNote {
            epochs: past.epochs,
            settings: past.settings,
            seed: past.seed,
        }
    }
}

impl From<PastTrainingNote> for PastTraining {
    fn from(note: PastTrainingNote) -> Self {
        PastTraining {
            epochs: note.epochs,
            settings: note.settings,
            seed: note.seed,
        }
    }
}
