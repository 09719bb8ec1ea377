use thiserror::Error;

use super::LARGEST_FEATURE;
use crate::ceiling::TooLarge;
use crate::ids::ClassId;

/// What can go wrong with a closed-form learner.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ClosedFormError {
    /// No class, or more than have names.
    #[error("there must be 1 to 65536 classes, not {0}")]
    BadClasses(usize),
    /// Learners see nothing.
    #[error("there must be at least one feature")]
    NoFeatures,
    /// A share that is none.
    #[error("the shrinkage must lie above 0 and be at most 1, not {0}")]
    BadShrinkage(f64),
    /// A penalty that is none.
    #[error("the ridge must be a finite number above 0, not {0}")]
    BadRidge(f64),
    /// A sample of another kind.
    #[error("a sample has {found} features where {expected} belong")]
    WrongFeatures {
        /// Features of the sample.
        found: usize,
        /// What would fit.
        expected: usize,
    },
    /// A feature that would spoil the sums for good.
    #[error(
        "feature {place} is {value}; features must be finite and at most {LARGEST_FEATURE:e} from 0"
    )]
    BadFeature {
        /// Its place, 0 first.
        place: usize,
        /// What it is.
        value: f32,
    },
    /// A class past the last one.
    #[error("a sample is of {class}, but there are only {classes} classes")]
    ClassPastEnd {
        /// Its class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// Nothing to predict from.
    #[error("there is no sample to predict from; some must be learned first")]
    NoSamples,
    /// Features depend on each other.
    #[error(
        "features depend on each other more closely than sums of 32 bits can tell; a larger {help} helps"
    )]
    Singular {
        /// The setting that helps.
        help: &'static str,
    },
    /// It would not fit into memory.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}
