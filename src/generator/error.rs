use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::ids::ClassId;

/// What can go wrong with generators.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// Samples of nothing.
    #[error("a sample must have at least one bit")]
    NoBits,
    /// A mixture of nothing.
    #[error("a mixture must have at least one component")]
    NoComponents,
    /// A setting of the fit is out of its range.
    #[error("`{setting}` must be {allowed}, not {found}")]
    BadSetting {
        /// Which.
        setting: &'static str,
        /// What it may be.
        allowed: &'static str,
        /// What it is.
        found: f64,
    },
    /// A sample is of another length than the others.
    #[error("a sample of {found} bits was given, but all have {expected} here")]
    WrongLength {
        /// Bits of what was given.
        found: usize,
        /// Bits of all others.
        expected: usize,
    },
    /// Nothing to learn from.
    #[error("no sample of {0} was given: a concept is learned from at least one")]
    NoSamples(ClassId),
    /// It is new, and is among the old ones.
    #[error("{0} was learned already; samples of earlier concepts come beside those of a new one")]
    KnownConcept(ClassId),
    /// Never learned.
    #[error("{0} was not learned yet")]
    UnknownConcept(ClassId),
    /// The same concept stands twice in a list.
    #[error("{0} was given twice; give all samples of a concept at once")]
    GivenTwice(ClassId),
    /// Not even one component fits.
    #[error(
        "a budget of {budget} bytes is too small: one component for each mixture needs {needed} bytes, header included"
    )]
    BudgetTooSmall {
        /// The budget.
        budget: u64,
        /// What the smallest generator needs.
        needed: u64,
    },
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// Arrays that are not those of a generator with these settings.
    #[error("these arrays are not those of this generator: {0}")]
    BadTensors(String),
}
