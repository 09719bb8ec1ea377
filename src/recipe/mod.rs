//! Recipes: all that makes a trained network, in one file.
//!
//! In: TOML that names a network, data, a seed and how it is trained. Out: a [`Recipe`], whose network is a
//! checked spec and whose training is a [`TrainingPlan`].
//!
//! ```toml
//! name = "digits"
//! network = "adlif70.toml"            # a file beside this one, or the network itself as a table
//! seed = 0
//!
//! [data]
//! train = ["../data/fsdd70_train.h5"] # files, from this one's folder
//! test = ["../data/fsdd70_test.h5"]
//!
//! [training]
//! epochs = 30
//! batch_size = 64
//! learning_rate = 0.01
//! schedule = "cosine"                 # as the program's flag says it
//! optimiser = { kind = "adamw", decay = 0.01 }
//! objective = { kind = "cross-entropy", smoothing = 0.1 }
//! rate_factors = { w_out = 0.5, layer1 = 2.0 }
//! clip_norm = 1.5
//! augmentations = [{ kind = "channel-shift", most_channels = 4 }]
//! validation = 0.1
//! select = "best-validation"
//! ```

mod error;
mod read;

pub use error::RecipeError;

use std::path::PathBuf;

use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::train::TrainingPlan;

/// All that makes a trained network.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recipe {
    /// A short name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// The network.
    pub network: NetworkSpec,
    /// Files to train on; none if the recipe leaves that open.
    pub train: Vec<PathBuf>,
    /// Files to test with.
    pub test: Vec<PathBuf>,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
    /// How it is trained, and which network is picked.
    pub plan: TrainingPlan,
    /// Whether the schedule goes over all epochs, however many there are, and not over a number that it says.
    pub is_over_all: bool,
}

impl Recipe {
    /// The plan over so many epochs: a schedule that goes over all of them goes over as many, and one that says its own
    /// stays as it is.
    pub fn plan_over(&self, epochs: usize) -> TrainingPlan {
        let mut plan = self.plan.clone();
        plan.epochs = epochs;
        if self.is_over_all {
            plan.training.schedule = plan.training.schedule.over(epochs);
        }
        plan
    }
}
