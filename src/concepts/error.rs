use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::generator::GeneratorError;
use crate::ids::ClassId;
use crate::network::{NetworkError, SpecError};
use crate::replay::ReplayError;
use crate::train::TrainError;

/// What can go wrong with an experiment on concepts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConceptError {
    /// Nothing comes after anything.
    #[error("at least two classes must be learned one after the other, not {0}")]
    TooFewConcepts(usize),
    /// A concept comes once.
    #[error("{0} is named twice among the classes that are learned")]
    NamedTwice(String),
    /// The judge has no readout for it.
    #[error("{class} is not one of the network's {classes} classes")]
    NoReadout {
        /// The class.
        class: ClassId,
        /// How many there are.
        classes: usize,
    },
    /// Nothing to learn from, or to see how far the judge is right.
    #[error("there is no sample of {name} to {role}")]
    NoSamples {
        /// The class.
        name: String,
        /// `learn from` or `test with`.
        role: &'static str,
    },
    /// Nothing that says how much differs from seed to seed.
    #[error("at least one seed is needed")]
    NoSeeds,
    /// Nothing is compared.
    #[error("at least one way to replay is needed")]
    NoWays,
    /// Something is said twice, and results could not be told apart.
    #[error("{what} stands twice in the list")]
    Twice {
        /// Which way or seed.
        what: String,
    },
    /// What is judged and compared are spikes.
    #[error("LR index 0 keeps input currents, and concepts are patterns of spikes: give 1 or more")]
    NoSpikes,
    /// A way is not what it is compared as.
    #[error("{way} must have {expected}, as all ways that are compared")]
    Unequal {
        /// Its name.
        way: String,
        /// What it lacks.
        expected: String,
    },
    /// A setting of a way makes no sense.
    #[error("{way}: {reason}")]
    BadWay {
        /// Its name.
        way: String,
        /// What is wrong.
        reason: String,
    },
    /// A way went beyond its bytes.
    #[error("{way} holds {bytes} bytes, and at most {budget} were allowed")]
    OverBudget {
        /// Its name.
        way: String,
        /// What it holds.
        bytes: u64,
        /// What it may.
        budget: u64,
    },
    /// The network has no such layer.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The network refused a sample.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A source can't be made, or can't learn.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// What is given can't be judged.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// What is given can't be compared.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
}
