//! Heads: what becomes of the readout when tasks change, or what stands in its place. One file a head.
//!
//! In: a network before and after each task, and what the task teaches. Out: a network whose readout was changed, or
//! classes from a rule of the head's own.
//!
//! | kind | what it does |
//! |---|---|
//! | `redrawn` | [`Redrawn`]: trained with the rest; the column of a class that comes up is drawn anew |
//! | `trained` | [`Trained`]: trained with the rest, and otherwise left alone |

mod redrawn;
mod trained;

pub use redrawn::Redrawn;
pub use trained::Trained;

use std::collections::BTreeSet;
use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;
use thiserror::Error;

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
}
