use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Augmentation, AugmentedRecording};
use crate::registry::{BadSetting, Member};

/// Each event is left out with the same probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DropEvents {
    /// The probability.
    pub share: f64,
}

impl Default for DropEvents {
    /// One in ten.
    fn default() -> Self {
        DropEvents { share: 0.1 }
    }
}

impl Member for DropEvents {
    const KIND: &'static str = "drop-events";
    const ABOUT: &'static str = "a share of the events left out";

    fn check(&self) -> Result<(), BadSetting> {
        match (0.0..1.0).contains(&self.share) {
            true => Ok(()),
            false => {
                let reason = format!("must be 0 up to, not including, 1, not {}", self.share);
                Err(BadSetting::new("share", reason))
            }
        }
    }
}

impl Augmentation for DropEvents {
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng) {
        recording
            .events
            .retain(|_| random.random::<f64>() >= self.share);
    }
}
