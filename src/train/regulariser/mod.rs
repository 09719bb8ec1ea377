//! Regularisers: what is added to an objective, whatever is wanted of the samples.
//!
//! In: what a block of samples did, or the parameters. Out: a cost and its derivatives. One file a
//! regulariser. Those that remember have a [`RegulariserState`], which goes from task to task.
//!
//! | kind | what it is |
//! |---|---|
//! | `spike-penalty` | [`SpikePenalty`]: L1 and L2 of spike counts |
//! | `rate-bounds` | [`RateBounds`]: costs of firing too little or too much |
//! | `weight-decay` | [`WeightDecay`]: L2 of the weights |
//! | `synaptic-intelligence` | [`SynapticIntelligence`]: distances from the weights of the task before, by importance |

mod rate_bounds;
mod spike_penalty;
mod state;
mod synaptic_intelligence;
mod weight_decay;

pub use rate_bounds::RateBounds;
pub use spike_penalty::SpikePenalty;
pub use state::{RegulariserState, RegulariserStates, WeightStep};
pub use synaptic_intelligence::SynapticIntelligence;
pub use weight_decay::WeightDecay;

use std::fmt::Debug;

use super::{Block, BlockLoss, TrainError};
use crate::network::{Gradients, Network, Reach, Stage};
use crate::registry::Chosen;

/// A regulariser of any kind, as settings name it.
pub type RegulariserSettings = Chosen<dyn Regulariser>;

/// A term that is added to the loss: on what samples do, on parameters, or on both.
pub trait Regulariser: Debug + Send + Sync + 'static {
    /// How far back in time errors must be able to go: [`Reach::EveryStep`] for terms on spikes and membranes.
    fn reach(&self) -> Reach {
        Reach::Logits
    }

    /// What a block costs, as [`Objective::of_block`](super::Objective::of_block) says it; nothing by default.
    ///
    /// # Errors
    /// If what it needs of the block is not there.
    fn of_block(&self, _block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        Ok(BlockLoss::default())
    }

    /// What the parameters cost, once a batch; adds its derivatives to the gradients. Nothing by default.
    ///
    /// # Errors
    /// If the gradients are of another network.
    fn of_parameters(
        &self,
        _network: &Network,
        _gradients: &mut Gradients,
    ) -> Result<f64, TrainError> {
        Ok(0.0)
    }

    /// What it remembers of a stage that is trained, before the first task; nothing by default. A
    /// [`Trainer`](super::Trainer) tells it of every step and task, and adds what it says to the loss.
    fn begin(&self, _network: &Network, _stage: Stage) -> Option<Box<dyn RegulariserState>> {
        None
    }
}
