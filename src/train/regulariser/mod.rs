//! Regularisers: what is added to an objective, whatever is wanted of the samples.
//!
//! In: what a block of samples did, or the parameters. Out: a cost and its derivatives. One file a
//! regulariser.
//!
//! | kind | what it is |
//! |---|---|
//! | `spike-penalty` | [`SpikePenalty`]: L1 and L2 of spike counts |
//! | `rate-bounds` | [`RateBounds`]: costs of firing too little or too much |
//! | `weight-decay` | [`WeightDecay`]: L2 of the weights |

mod rate_bounds;
mod spike_penalty;
mod weight_decay;

pub use rate_bounds::RateBounds;
pub use spike_penalty::SpikePenalty;
pub use weight_decay::WeightDecay;

use std::fmt::Debug;

use super::{Block, BlockLoss, TrainError};
use crate::network::{Gradients, Network, Reach};
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
}
