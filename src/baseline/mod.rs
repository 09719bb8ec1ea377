//! Cheap controls: what a rule without a network, or with one that was never trained, makes of the same samples.
//!
//! In: recordings, split for training and testing as networks get them. Out: classes of the test samples, by linear
//! discriminant analysis or by the nearest class mean, of
//!
//! - events counted in groups of channels and windows of time ([`EventWindows`]), or
//! - spikes of an untrained network's hidden layers ([`hidden_spikes`], [`UntrainedSpikes`]).
//!
//! Both rules are made of sums over samples ([`ClassStatistics`]). These do not depend on the order in which classes
//! come, so a rule that learns them one by one forgets nothing: its figures stand beside class-incremental ones, too.
//!
//! ```
//! use respike::baseline::{EventWindows, FittedRule, LabelledFeatures, Rule, WindowSpan};
//! use respike::dataset::{DatasetBuilder, LabelledEvents};
//! use respike::ids::{ClassId, SampleIndex, SpeakerId};
//! use respike::random::MasterSeed;
//! use respike::spikes::{EventStream, TimeGrid};
//!
//! // Rising sounds and falling ones: the same channels, at other times.
//! let names = vec!["rising".to_string(), "falling".to_string()];
//! let mut builder = DatasetBuilder::new(TimeGrid::new(100, 1.4)?, 70, names)?;
//! builder.keep_events();
//! for sample in 0..40u16 {
//!     let times = (0..70).map(|event| f64::from(event) * 0.01 + f64::from(sample) * 0.004);
//!     let mut units: Vec<u16> = (0..70).collect();
//!     if sample % 2 == 1 {
//!         units.reverse();
//!     }
//!     builder.push(&LabelledEvents {
//!         events: EventStream::new(times.collect(), units)?,
//!         class: ClassId(sample % 2),
//!         speaker: SpeakerId(0),
//!         sound: None,
//!     })?;
//! }
//! let data = builder.build()?;
//!
//! let windows = EventWindows::new(70, 1.4, (10, 4), WindowSpan::FirstToLast)?;
//! let samples = LabelledFeatures::new(windows.of_dataset(&data)?, &data)?;
//! let (train, test): (Vec<_>, Vec<_>) = (0..40).map(SampleIndex).partition(|index| index.0 < 30);
//! let rule = FittedRule::fit(Rule::Linear, &samples.only(&train), 2, MasterSeed(0))?;
//! let test = samples.only(&test);
//! assert_eq!(rule.predict(&test)?, test.classes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod cholesky;
mod event_windows;
mod fitted;
mod hidden_spikes;
mod linear;
mod nearest_mean;
mod statistics;
mod untrained;

use thiserror::Error;

pub use event_windows::{EventWindows, GROUPS, STRETCHED_WINDOWS, WINDOWS, WindowSpan};
pub use fitted::{
    FittedRule, LabelledFeatures, Rule, SHRINKAGES, Transform, VALIDATION_SHARE, Validation,
};
pub use hidden_spikes::{NETWORK_WINDOWS, hidden_spikes};
pub use linear::LinearRule;
pub use nearest_mean::NearestMean;
pub use statistics::ClassStatistics;
pub use untrained::{SILENT, UntrainedSpikes};

use crate::ceiling::TooLarge;
use crate::dataset::DatasetError;
use crate::ids::ClassId;
use crate::network::{NetworkError, SpecError};

/// What can go wrong with a baseline.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// More groups than channels, or none.
    #[error("{channels} channels make 1 to {channels} groups, not {groups}")]
    BadGroups {
        /// Groups that were asked for.
        groups: usize,
        /// Channels that there are.
        channels: usize,
    },
    /// No window, or more than steps.
    #[error("there must be at least one window of time, and no more of them than steps")]
    BadWindows,
    /// An end of time that is none.
    #[error("time must end at a finite number of seconds above 0, not {0}")]
    BadEnd(f64),
    /// Rules see nothing.
    #[error("there must be at least one feature")]
    NoFeatures,
    /// Nothing to make a rule of.
    #[error("there is no sample to make a rule of")]
    NoSamples,
    /// A network of a readout alone has no spikes.
    #[error("the network has no hidden layer whose spikes could be counted")]
    NoHiddenLayer,
    /// A share that is none.
    #[error("the shrinkage must lie between 0 and 1, not {0}")]
    BadShrinkage(f64),
    /// Features depend on each other.
    #[error("the features depend on each other; a shrinkage above 0 helps")]
    Singular,
    /// Tables that do not belong together.
    #[error(
        "a table of {} samples × {} features was given where one of {} × {} belongs",
        found.0, found.1, expected.0, expected.1
    )]
    Unequal {
        /// Samples and features.
        found: (usize, usize),
        /// What would fit.
        expected: (usize, usize),
    },
    /// A class past the last one.
    #[error("a sample is of {class}, but there are only {classes} classes")]
    ClassPastEnd {
        /// Its class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// It would not fit into memory.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The data.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The network does not fit the data.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network has no such layer.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// The class with the largest score; of equals the first.
fn best_of(classes: &[ClassId], score: impl Fn(usize) -> f64) -> ClassId {
    let mut best = (f64::NEG_INFINITY, classes[0]);
    for (place, &class) in classes.iter().enumerate() {
        let score = score(place);
        if score > best.0 {
            best = (score, class);
        }
    }
    best.1
}
