use std::path::PathBuf;

use thiserror::Error;

use super::ParameterGroup;
use crate::ceiling::TooLarge;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{NetworkError, Stage};
use crate::registry::BadSetting;
use crate::spikes::SpikeError;

/// What can go wrong in training, evaluation and checkpoints.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is out of range.
    #[error("{what} must be {range}, not {}", told(*value))]
    OutOfRange {
        /// Which setting.
        what: &'static str,
        /// What is allowed.
        range: &'static str,
        /// Its value.
        value: f64,
    },
    /// A setting of an optimiser, an objective or a regulariser makes no sense.
    #[error(transparent)]
    BadSetting(#[from] BadSetting),
    /// A factor of the learning rate is for parameters that the network does not have.
    #[error("the network has no parameters `{group}` to train at another rate; it has {known}")]
    NoSuchGroup {
        /// Which.
        group: ParameterGroup,
        /// What there is.
        known: String,
    },
    /// Recordings are to be changed, and only their counts are there.
    #[error(
        "recordings can only be augmented where their events are kept; read them with `read_dataset_with_events`"
    )]
    NoEvents,
    /// A recording cannot be binned any more as it was changed.
    #[error("{sample} cannot be used as an augmentation changed it: {source}")]
    BadAugmented {
        /// Which.
        sample: SampleIndex,
        /// Why.
        source: SpikeError,
    },
    /// No sample is left to train on, or for validation.
    #[error("{0}")]
    BadValidation(String),
    /// There is nothing to train on or to evaluate.
    #[error("there are no samples to {0}")]
    NoSamples(&'static str),
    /// A sample's class is past the network's readouts.
    #[error("sample {sample} is of {class}, but the network has {classes} classes (0 to {})", classes - 1)]
    ClassPastEnd {
        /// Which sample.
        sample: usize,
        /// Its class.
        class: ClassId,
        /// Classes of the network.
        classes: usize,
    },
    /// The logits that an earlier network gave a sample can't be those of this network's classes.
    #[error("the logits that an earlier network gave sample {sample} can't be used: {reason}")]
    BadPastLogits {
        /// Which sample.
        sample: usize,
        /// What is wrong with them.
        reason: String,
    },
    /// What a regulariser should remember is nothing that it could.
    #[error("what a regulariser remembers can't be used: {0}")]
    BadRegulariserState(String),
    /// A sample enters a part of the network that is not trained.
    #[error("sample {sample} enters {enters}, which reaches below what is trained, {trained}")]
    EntersBelow {
        /// Which sample.
        sample: usize,
        /// What it enters.
        enters: Stage,
        /// What is trained.
        trained: Stage,
    },
    /// An input or a weight does not fit the network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The loss or a weight became infinite or NaN.
    #[error(
        "training diverged in epoch {epoch} (the loss or a weight is no finite number any more); try \
         a lower learning rate"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// A replay could not be decoded.
    #[error("a replay could not be decoded: {0}")]
    Replay(String),
    /// A checkpoint could not be read or written.
    #[error("cannot {action} the checkpoint {path}: {source}")]
    CheckpointFile {
        /// read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a checkpoint, or is cut short.
    #[error("{path} is not a whole respike checkpoint: {reason}")]
    BadCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A number in words; what was said may be larger than settings can hold.
fn told(value: f64) -> String {
    match value.is_infinite() {
        true => "infinite (settings are at most 3.4e38)".to_string(),
        false => value.to_string(),
    }
}
