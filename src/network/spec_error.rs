use std::path::PathBuf;

use thiserror::Error;

use super::spec::MAX_WEIGHTS;
use crate::ceiling::TooLarge;
use crate::registry::BadSetting;

/// What can be wrong with a network's settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The file could not be read.
    #[error("cannot read the network spec {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not TOML, or a key is missing, unknown or of the wrong type.
    #[error("{path} is not a network spec: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser said, with the line and the key.
        reason: String,
    },
    /// A setting in a file is out of range.
    #[error("in {path}: {source}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// Which setting.
        source: Box<SpecError>,
    },
    /// A number must be finite and above 0.
    #[error("{key} must be a finite number above 0, not {value}")]
    NotPositive {
        /// Which setting.
        key: String,
        /// Its value.
        value: f64,
    },
    /// A size is out of range.
    #[error("{key} must be 1 to {largest}, not {value}")]
    BadSize {
        /// Which setting.
        key: String,
        /// Its value.
        value: usize,
        /// The largest value allowed.
        largest: usize,
    },
    /// A setting of a neuron, a surrogate or a readout makes no sense.
    #[error("{0}")]
    BadPart(#[from] BadSetting),
    /// A network without a number that could be learned.
    #[error("the network has no layer, and its readout no weights: there is nothing to be learned")]
    NothingLearned,
    /// A readout without weights reads one unit a class.
    #[error(
        "the readout {kind} has no weights, so the last layer must have a unit for each of the {classes} classes, not {units}"
    )]
    UnitsAreNotClasses {
        /// The readout's kind.
        kind: &'static str,
        /// Classes.
        classes: usize,
        /// Units of the last layer, or inputs if there is none.
        units: usize,
    },
    /// Settings in longer steps make no sense.
    #[error("in steps {factor} times as long: {reason}")]
    LongerSteps {
        /// How much longer.
        factor: usize,
        /// Why.
        reason: String,
    },
    /// There must be a delay for each unit below.
    #[error(
        "layers[{layer}].delay_steps has {found} numbers, but there are {expected} units below"
    )]
    BadDelays {
        /// Which layer, 0 first.
        layer: usize,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The time grid is not valid.
    #[error("input: {0}")]
    BadGrid(#[from] crate::spikes::SpikeError),
    /// Too many weights to hold.
    #[error("the network would have {weights} weights; at most {MAX_WEIGHTS} are allowed")]
    TooLarge {
        /// Weights in all layers.
        weights: usize,
    },
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// A network has no layer of that LR index, or nothing above it is learned.
    #[error(
        "LR index {index} is not there: the network has {layers} hidden layers, and something is learned above 0 to {largest}"
    )]
    NoSuchReplayLayer {
        /// What was asked for.
        index: usize,
        /// Hidden layers.
        layers: usize,
        /// The largest that there is.
        largest: usize,
    },
    /// A network without hidden layers has no latents.
    #[error("the network has no hidden layer, so that there is nothing to be frozen: no LR index")]
    NothingToFreeze,
}
