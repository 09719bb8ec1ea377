use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::random::MasterSeed;

/// A training of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialName {
    /// Which round, 0 first.
    pub round: usize,
    /// Which of the recipes, 0 first.
    pub trial: usize,
    /// With which seed it is trained.
    pub seed: MasterSeed,
}

impl fmt::Display for TrialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrialName { round, trial, seed } = self;
        write!(
            f,
            "round-{}-trial-{:03}-seed-{}",
            round + 1,
            trial + 1,
            seed.0
        )
    }
}

/// What a training of a search came to; the contents of its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// Which training.
    pub name: TrialName,
    /// What was changed, by key.
    pub values: BTreeMap<String, serde_json::Value>,
    /// Epochs that it was to train.
    pub epochs: usize,
    /// Accuracy on validation samples after each epoch.
    pub validated: Vec<f64>,
    /// That of the epoch whose network is picked, if all went well.
    pub score: Option<f64>,
    /// Why it did not go well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Seconds that it took.
    pub seconds: f64,
}
