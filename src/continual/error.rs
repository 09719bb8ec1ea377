use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::dataset::DatasetError;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{NetworkError, SpecError};
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
    /// The strategy needs a layer to keep latents of.
    #[error("latent replay needs an LR index")]
    NoReplayLayer,
    /// The strategy trains the whole network.
    #[error(
        "native rehearsal keeps raw inputs and trains the whole network, so it takes no LR index"
    )]
    ReplayLayerUnused,
    /// The strategy needs a memory.
    #[error(
        "the strategy {0} needs a memory: give a budget in bytes (--budget) or a number of samples (--replays)"
    )]
    NoMemory(super::Strategy),
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
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The network refused a sample.
    #[error(transparent)]
    Network(#[from] NetworkError),
}
