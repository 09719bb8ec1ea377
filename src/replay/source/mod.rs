//! Replay sources: where examples of what was learned before come from. One file a source.
//!
//! In: what each task was learned from, as the stage that learns reads it. Out: examples to learn from again, and how many
//! bytes are held for them.
//!
//! | kind | what it replays |
//! |---|---|
//! | `memory` | [`Memory`]: samples kept as packed bits |
//! | `generator` | [`Generator`]: samples drawn anew from mixtures of packed bits that are learned class by class |
//! | `everything` | [`Everything`]: all samples there ever were, which no device holds: what could be reached |

mod everything;
mod generator;
mod memory;
#[cfg(test)]
mod tests;

pub use everything::Everything;
pub use generator::{ComponentsLearn, Generator};
pub use memory::Memory;

use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Capacity, CodecSettings, Kept, ReplayError, ReplayMemory};
use crate::ids::{ClassId, SampleIndex};
use crate::network::StageInput;
use crate::random::MasterSeed;
use crate::registry::Chosen;
use crate::storage::SavedState;
use crate::train::Examples;

/// A replay source of any kind, as settings name it.
pub type SourceSettings = Chosen<dyn Source>;

/// Where replays come from.
pub trait Source: Debug + Send + Sync + 'static {
    /// A source that holds nothing yet.
    ///
    /// # Errors
    /// [`ReplayError`] if its settings do not fit what is kept.
    fn begin(&self, place: &SourcePlace) -> Result<Box<dyn SourceState>, ReplayError>;

    /// How samples are compressed, if any are kept.
    fn codec(&self) -> Option<&CodecSettings> {
        None
    }

    /// How much may be kept, if that is limited.
    fn capacity(&self) -> Option<Capacity> {
        None
    }

    /// Whether all samples there ever were are replayed: a ceiling for the others, and nothing that they compete with.
    fn keeps_everything(&self) -> bool {
        false
    }

    /// Whether its samples come back with the logits that they had when they were kept, where the objective wants these:
    /// what keeps samples of its own can, so that it is assumed by default.
    fn keeps_logits(&self) -> bool {
        !self.keeps_everything()
    }

    /// Whether the published protocol has it; by default not.
    fn is_published(&self) -> bool {
        false
    }
}

/// Where a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourcePlace {
    /// What a sample is there: raw inputs, input currents or spikes.
    pub kept: Kept,
    /// The largest count of all raw inputs that will ever come, where it is raw inputs.
    pub largest_count: u16,
    /// Steps of a sample.
    pub steps: usize,
    /// Units of a sample.
    pub units: usize,
    /// Classes of the network.
    pub classes: usize,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
    /// Whether the objective wants the logits that replays had when they were kept.
    pub wants_logits: bool,
    /// Whether batches are balanced by the tasks that brought replays.
    pub wants_tasks: bool,
}

impl SourcePlace {
    /// Where samples are of such a kind, of so many steps and units, and of so many classes.
    pub fn new(
        kept: Kept,
        (steps, units): (usize, usize),
        classes: usize,
        seed: MasterSeed,
    ) -> Self {
        SourcePlace {
            kept,
            largest_count: 1,
            steps,
            units,
            classes,
            seed,
            wants_logits: false,
            wants_tasks: false,
        }
    }

    /// The same where the objective wants the logits that replays had when they were kept.
    #[must_use]
    pub fn wanting_logits(mut self, wants: bool) -> Self {
        self.wants_logits = wants;
        self
    }

    /// The same where batches are balanced by the tasks that brought replays.
    #[must_use]
    pub fn wanting_tasks(mut self, wants: bool) -> Self {
        self.wants_tasks = wants;
        self
    }

    /// The same with raw inputs of counts up to `largest`.
    #[must_use]
    pub fn with_largest_count(mut self, largest: u16) -> Self {
        self.largest_count = largest;
        self
    }
}

/// A source while a learner learns.
pub trait SourceState: Debug + Send + Sync {
    /// Takes what a task was learned from, after it was learned.
    ///
    /// # Errors
    /// [`ReplayError`] if a sample can't be made or kept.
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError>;

    /// Told before a task is learned: a source that makes samples may make them now.
    ///
    /// # Errors
    /// [`ReplayError`].
    fn task_begins(&mut self, _generator: &mut ChaCha8Rng) -> Result<(), ReplayError> {
        Ok(())
    }

    /// What is replayed during the task.
    fn replays<'a>(&'a self, samples: &'a dyn SampleStore) -> Box<dyn Examples + 'a>;

    /// What is held.
    fn figures(&self) -> ReplayFigures;

    /// The memory, if there is one, to be saved on its own.
    fn memory(&self) -> Option<&ReplayMemory> {
        None
    }

    /// Which samples of the data are held, place by place: to measure how old they have grown, not to learn from.
    /// `None` for one of other data; nothing by default.
    fn held(&self) -> Vec<Option<SampleIndex>> {
        Vec::new()
    }

    /// Told that learning goes on with other data, so that places in the data that was do not count any more.
    fn data_changed(&mut self) {}

    /// All that is needed to go on.
    fn save(&self) -> SavedState;

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// What is wrong with it.
    fn restore(&mut self, saved: SavedState) -> Result<(), String>;
}

/// What a task was learned from.
pub struct LearnedSamples<'a> {
    /// Places in the data.
    pub indices: &'a [SampleIndex],
    /// Classes.
    pub classes: &'a [ClassId],
    /// Makes one of them, as the stage that learns reads it.
    pub sample: &'a MakeSample<'a>,
    /// The logits that the network gives a sample now that enters it where samples are kept.
    pub logits: &'a MakeLogits<'a>,
    /// The largest count of any of them, where they are raw inputs.
    pub largest_count: u16,
    /// Whether the protocol says that all of them are to be kept as long as there is room, whatever a policy would say.
    pub is_fixed: bool,
}

/// Makes a sample by its place in [`LearnedSamples`].
pub type MakeSample<'a> = dyn Fn(usize) -> Result<StageInput<'a>, ReplayError> + 'a;

/// Makes the logits of a sample as a source gives it back, which may not be what it was given.
pub type MakeLogits<'a> = dyn Fn(&StageInput<'_>) -> Result<Vec<f32>, ReplayError> + 'a;

/// Samples of the data, as the stage that learns reads them.
pub trait SampleStore {
    /// Some of them, as examples.
    fn examples(&self, samples: Vec<SampleIndex>) -> Box<dyn Examples + '_>;
}

/// What a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ReplayFigures {
    /// Samples held.
    pub samples: usize,
    /// Bytes really held, labels and header included.
    pub bytes: u64,
    /// Bits of the packed samples alone, as papers count.
    pub payload_bits: u64,
    /// What the same samples take as raw input spikes, a bit for each step and channel.
    pub raw_input_bits: u64,
}

impl ReplayFigures {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        ReplayFigures {
            samples: self.samples + other.samples,
            bytes: self.bytes + other.bytes,
            payload_bits: self.payload_bits + other.payload_bits,
            raw_input_bits: self.raw_input_bits + other.raw_input_bits,
        }
    }
}
