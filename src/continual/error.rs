use std::path::PathBuf;

use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::dataset::DatasetError;
use crate::head::HeadError;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{NetworkError, SpecError};
use crate::registry::BadSetting;
use crate::replay::ReplayError;
use crate::train::TrainError;

/// What can be wrong with an experiment.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContinualError {
    /// Nothing is left when what is held out is taken away.
    #[error("nothing is left to {what}: {why}")]
    NothingLeft {
        /// pre-train on, learn or test with.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A scenario with one class after the other needs some before and some after.
    #[error(
        "{found} base classes leave nothing to start from or nothing to learn: the data has {classes} classes"
    )]
    BadBaseClasses {
        /// What was asked for.
        found: usize,
        /// Classes in the data.
        classes: usize,
    },
    /// The first of many batches is of nobody, or of more than there are.
    #[error("the first batch can't be of {found} {what}: the data has {all}")]
    BadFirstBatch {
        /// classes or speakers.
        what: &'static str,
        /// What was asked for.
        found: usize,
        /// What there are.
        all: usize,
    },
    /// Samples can't be cut into so many batches.
    #[error(
        "the samples can't be cut into {asked} batches of one class and speaker each: {fewest} to {most} are possible"
    )]
    BadBatches {
        /// What was asked for.
        asked: usize,
        /// One for each class of each speaker, and the first.
        fewest: usize,
        /// One for each sample, and the first.
        most: usize,
    },
    /// The published code has no such thing.
    #[error("the published protocol has no rules for {0}; use the strict protocol")]
    NotPublished(String),
    /// The published protocol compares four methods, and no others.
    #[error(
        "the published protocol is for naive, joint, native and latent learning as they were published, not for {0}; use the strict protocol"
    )]
    MethodNotPublished(String),
    /// The published protocol counts in whole batches.
    #[error(
        "{set}: {found} samples, but the published protocol needs at least {needed}: it works in whole batches of 64"
    )]
    TooFewForBatch {
        /// Which set.
        set: String,
        /// Its samples.
        found: usize,
        /// Samples needed.
        needed: usize,
    },
    /// The published protocol fixes the size of a batch.
    #[error(
        "the published protocol has batches of 64 samples, but {what} has, or had, batches of {found}"
    )]
    BatchIsFixed {
        /// Pre-training, which may be that of a checkpoint, or learning.
        what: &'static str,
        /// Samples of its batches.
        found: usize,
    },
    /// A part of a method or a scenario makes no sense.
    #[error(transparent)]
    BadPart(BadSetting),
    /// Parts of a method mean nothing together.
    #[error("{what} would change nothing, as {why}; {instead}")]
    Idle {
        /// Which part.
        what: String,
        /// Why.
        why: String,
        /// What to do.
        instead: &'static str,
    },
    /// Layers below the LR index learn as fast as the others at most.
    #[error("rate_below must be 0 (frozen) to 1, not {0}")]
    BadRateBelow(f32),
    /// A split that is none of the data's.
    #[error("{0} is not in the data, or in its split twice")]
    BadSplit(SampleIndex),
    /// The published protocol says what is tested.
    #[error(
        "the published protocol tests with samples that it picks itself, so that test samples can't be given; use the strict protocol"
    )]
    TestsAreFixed,
    /// A recording is both a training and a test sample.
    #[error(
        "{test} is the same recording as {train}, and one would be tested and the other trained on; give every recording once"
    )]
    SameRecording {
        /// The training sample.
        train: SampleIndex,
        /// The test sample.
        test: SampleIndex,
    },
    /// The weights given were trained on what they are to be tested with, or on what is to be new.
    #[error(
        "the checkpoint was trained on {seen} of the samples that are to be {role}; that would be cheating: use a checkpoint that `learn` wrote for the same data, scenario and seed"
    )]
    SeenBefore {
        /// How many.
        seen: usize,
        /// new or tested.
        role: &'static str,
    },
    /// A checkpoint is for another network.
    #[error("the checkpoint's network is not the one that the spec describes: {0}")]
    OtherNetwork(String),
    /// A class has no readout.
    #[error("the data has samples of {class}, but the network has {classes} classes")]
    NoReadout {
        /// The class.
        class: ClassId,
        /// Classes of the network.
        classes: usize,
    },
    /// The data has other classes than those that were chosen.
    #[error("the experiment is of the classes {expected}, in this order, but the data has {found}")]
    OtherClasses {
        /// Those of the experiment.
        expected: String,
        /// Those of the data.
        found: String,
    },
    /// An experiment of a network that was pre-trained elsewhere can't pre-train one itself.
    #[error("how to pre-train is not said: give a pre-trained network, or epochs and settings")]
    NoPretraining,
    /// Zero epochs learn nothing.
    #[error("{0} must be 1 or more")]
    NoEpochs(&'static str),
    /// A learner's state can't be gone on from.
    #[error("{0}")]
    BadState(String),
    /// A learner of another method or network can't be gone on with so.
    #[error("the learner's {what} is not the one that is asked for: {why}")]
    OtherLearner {
        /// method or network.
        what: &'static str,
        /// In what they differ.
        why: String,
    },
    /// All that there is to learn was learned.
    #[error("the learner has learned from all of these samples before; nothing is left to learn")]
    NothingNew,
    /// A learner's state could not be read or written.
    #[error("cannot {action} the learner's state {path}: {source}")]
    StateFile {
        /// read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Whoever followed the run broke it off.
    #[error("the run was broken off")]
    BrokenOff,
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// The data is not right.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The network's settings are not right.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The memory's settings are not right.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The head's settings are not right.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The network refused a sample.
    #[error(transparent)]
    Network(#[from] NetworkError),
}
