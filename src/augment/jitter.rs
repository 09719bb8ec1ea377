use ndarray_rand::rand_distr::{Distribution, StandardNormal};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Augmentation, AugmentedRecording};
use crate::registry::{BadSetting, Member};

/// Each event is moved by itself: in time by N(0, time_ms), in channels by N(0, channels), rounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitter {
    /// Standard deviation in time, in milliseconds; 0 for none.
    pub time_ms: f64,
    /// Standard deviation in channels; 0 for none.
    pub channels: f64,
}

impl Default for Jitter {
    /// 2 ms and 1 channel.
    fn default() -> Self {
        Jitter {
            time_ms: 2.0,
            channels: 1.0,
        }
    }
}

impl Member for Jitter {
    const KIND: &'static str = "jitter";
    const ABOUT: &'static str = "each event moved by N(0, time_ms) and N(0, channels)";

    fn check(&self) -> Result<(), BadSetting> {
        for (key, value) in [("time_ms", self.time_ms), ("channels", self.channels)] {
            // More than that is noise.
            if !(0.0..=1e4).contains(&value) {
                return Err(BadSetting::new(
                    key,
                    format!("must be 0 to 10000, not {value}"),
                ));
            }
        }
        Ok(())
    }
}

impl Augmentation for Jitter {
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng) {
        let mut normal = |deviation: f64| match deviation {
            0.0 => 0.0,
            deviation => {
                let drawn: f64 = StandardNormal.sample(random);
                drawn * deviation
            }
        };
        for event in &mut recording.events {
            event.time_s += normal(self.time_ms * 1e-3);
            event.channel += normal(self.channels).round() as i32;
        }
    }
}
