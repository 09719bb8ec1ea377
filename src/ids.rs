//! The names of things that are all small numbers and must not be mistaken for one another.
//!
//! In: plain integers from files and flags. Out: types that only mix on purpose.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $word:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    };
}

id!(
    /// What a sample is an example of: the index of a readout unit and of a class name.
    ClassId(u16),
    "class"
);
id!(
    /// Who spoke a sample, as numbered in `extra/speaker`.
    SpeakerId(u16),
    "speaker"
);
id!(
    /// The place of a sample in a [`Dataset`](crate::dataset::Dataset).
    SampleIndex(usize),
    "sample"
);
id!(
    /// An input channel or a neuron of a layer.
    Unit(usize),
    "unit"
);
id!(
    /// A bin of the time grid, 0 first.
    TimeStep(usize),
    "step"
);

/// The fingerprint of a recording's sound: the same sound has the same, whatever file it comes in.
///
/// Made by `respike::encode` from the samples and their rate; it travels with the spikes, and is never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SoundPrint(pub u64);

impl ClassId {
    /// The class as an index into readout units.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}
