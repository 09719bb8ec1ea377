//! Heads: what becomes of the readout when tasks change, or what stands in its place. One file a head.
//!
//! In: a network before and after each task, and what the task teaches. Out: a network whose readout was changed, or
//! classes from a rule of the head's own.
//!
//! | kind | what it does |
//! |---|---|
//! | `redrawn` | [`Redrawn`]: trained with the rest; the column of a class that comes up is drawn anew |
//! | `trained` | [`Trained`]: trained with the rest, and otherwise left alone |
//! | `cwr-star` | [`CwrStar`]: trained for the classes of a task alone; columns are averaged over tasks |
//! | `aligned` | [`Aligned`]: as `redrawn`; after a task new columns are scaled to the mean norm of old ones |
//! | `class-means` | [`ClassMeans`]: the class whose mean is nearest |
//! | `slda` | [`Slda`]: streaming linear discriminant analysis |
//! | `ridge` | [`Ridge`]: ridge regression, on random features if that is wished |
//!
//! The last three are [closed forms](crate::closed_form) of spikes counted in windows: they learn alone, from what frozen
//! layers make of samples, and neither train the network nor have anything replayed.

mod aligned;
mod alone;
mod class_means;
mod cwr_star;
mod redrawn;
mod ridge;
mod slda;
#[cfg(test)]
mod tests;
mod trained;

pub use aligned::Aligned;
pub use class_means::ClassMeans;
pub use cwr_star::CwrStar;
pub use redrawn::Redrawn;
pub use ridge::Ridge;
pub use slda::Slda;
pub use trained::Trained;

use std::collections::BTreeSet;
use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use crate::closed_form::ClosedFormError;
use crate::ids::ClassId;
use crate::network::{Network, NetworkError, Stage};
use crate::random::MasterSeed;
use crate::registry::Chosen;
use crate::storage::SavedState;
use crate::train::{Examples, TrainError};

/// A head of any kind, as settings name it.
pub type HeadSettings = Chosen<dyn Head>;

/// What becomes of a network's readout when tasks change.
pub trait Head: Debug + Send + Sync + 'static {
    /// A head before anything was learned.
    ///
    /// # Errors
    /// [`HeadError`] if it does not fit the network.
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError>;

    /// Whether it learns by itself, in closed form, from what the frozen layers make of samples, so that nothing is
    /// trained and nothing replayed.
    fn learns_alone(&self) -> bool {
        false
    }
}

impl Default for HeadSettings {
    fn default() -> Self {
        Redrawn {}.into()
    }
}

/// Where a head stands.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HeadPlace<'a> {
    /// The network, before pre-training or after it.
    pub network: &'a Network,
    /// What is trained; the head reads what enters it.
    pub stage: Stage,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
}

impl<'a> HeadPlace<'a> {
    /// On a network of which that stage is trained.
    pub fn new(network: &'a Network, stage: Stage, seed: MasterSeed) -> Self {
        HeadPlace {
            network,
            stage,
            seed,
        }
    }
}

/// What a task teaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TaskClasses {
    /// New samples of each class, by its number.
    pub new: Vec<usize>,
    /// Replayed samples of each class.
    pub replayed: Vec<usize>,
    /// Classes that were learned before.
    pub known: BTreeSet<ClassId>,
}

impl TaskClasses {
    /// So many new and replayed samples of each class, with the classes that were learned before.
    pub fn new(new: Vec<usize>, replayed: Vec<usize>, known: BTreeSet<ClassId>) -> Self {
        TaskClasses {
            new,
            replayed,
            known,
        }
    }

    /// Samples of a class, new and replayed.
    pub fn samples_of(&self, class: ClassId) -> u64 {
        let samples = [&self.new, &self.replayed].map(|samples| samples.get(class.index()));
        samples.into_iter().flatten().map(|&some| some as u64).sum()
    }

    /// Classes of the new samples.
    pub fn current(&self) -> impl Iterator<Item = ClassId> + '_ {
        let classes = self.new.iter().enumerate();
        classes
            .filter(|(_, samples)| **samples > 0)
            .map(|(class, _)| ClassId(class as u16))
    }

    /// Those of them that were never learned before.
    pub fn unseen(&self) -> impl Iterator<Item = ClassId> + '_ {
        self.current().filter(|class| !self.known.contains(class))
    }
}

/// A head while a learner learns.
pub trait HeadState: Debug + Send + Sync {
    /// Told before a task is learned; the first task is pre-training.
    ///
    /// # Errors
    /// [`HeadError`].
    fn task_begins(
        &mut self,
        _network: &mut Network,
        _task: &TaskClasses,
        _generator: &mut ChaCha8Rng,
    ) -> Result<(), HeadError> {
        Ok(())
    }

    /// Told after a task was learned.
    ///
    /// # Errors
    /// [`HeadError`].
    fn task_ends(&mut self, _network: &mut Network, _task: &TaskClasses) -> Result<(), HeadError> {
        Ok(())
    }

    /// Learns from samples, if it learns alone.
    ///
    /// # Errors
    /// [`HeadError`] for a sample that does not fit.
    fn learn(&mut self, _examples: &dyn Examples) -> Result<(), HeadError> {
        Ok(())
    }

    /// Classes of samples, if it classifies them itself; `None` leaves that to the network's readout.
    ///
    /// # Errors
    /// [`HeadError`] for a sample that does not fit.
    fn classify(&self, _examples: &dyn Examples) -> Result<Option<Vec<ClassId>>, HeadError> {
        Ok(None)
    }

    /// Bytes that are kept for the sake of what was learned before, besides the network's weights.
    fn bytes(&self) -> u64 {
        0
    }

    /// All that is needed to go on; nothing by default.
    fn save(&self) -> SavedState {
        SavedState::default()
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// What is wrong with it.
    fn restore(&mut self, _saved: SavedState) -> Result<(), String> {
        Ok(())
    }
}

/// What can go wrong with a head.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The network refused something.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A sample can't be had.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A head that reads latents needs layers to make them.
    #[error(
        "the head {0} learns from what frozen layers make of samples: give the LR index that it reads at (--replay-layer)"
    )]
    NeedsFrozenLayers(&'static str),
    /// The features of samples can't be told apart.
    #[error(
        "the head {head} can't be solved, as features of the samples depend on each other more closely than sums of 32 bits can tell: raise its setting `{setting}`"
    )]
    Singular {
        /// Its name.
        head: &'static str,
        /// The setting that helps.
        setting: &'static str,
    },
    /// A closed form refused something.
    #[error("the head {head} can't learn: {source}")]
    ClosedForm {
        /// Its name.
        head: &'static str,
        /// Why.
        source: ClosedFormError,
    },
    /// No class has a score that is a number.
    #[error(
        "the head {head} finds no class for sample {sample}: its features, or the scores that are made of them, are not finite"
    )]
    NoClass {
        /// Its name.
        head: &'static str,
        /// Which sample.
        sample: usize,
    },
}
