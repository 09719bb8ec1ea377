use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Augmentation, AugmentedRecording};
use crate::registry::{BadSetting, Member};

/// All times are multiplied by the same factor, between 1/(1 + most) and 1 + most and drawn evenly in its
/// logarithm: somebody who speaks slower or faster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeStretch {
    /// By how much longer a recording may get, as a share of its length.
    pub most: f64,
}

impl Default for TimeStretch {
    /// A tenth longer or shorter.
    fn default() -> Self {
        TimeStretch { most: 0.1 }
    }
}

impl Member for TimeStretch {
    const KIND: &'static str = "time-stretch";
    const ABOUT: &'static str =
        "all times multiplied by one factor, 1 + most at most and 1/(1 + most) at least";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("most", self.most)
    }
}

impl Augmentation for TimeStretch {
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng) {
        let longest = self.most.ln_1p();
        let factor = random.random_range(-longest..=longest).exp();
        for event in &mut recording.events {
            event.time_s *= factor;
        }
    }
}
