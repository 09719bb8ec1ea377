use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Augmentation, AugmentedRecording, Event, events_of};
use crate::registry::{BadSetting, Member};

/// A recording between two of a class: another one is moved so that its mean time and channel are this one's, and each
/// event of both stays with probability one half (Nowotny et al. 2025).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blend {
    /// How probable it is that a recording is blended at all.
    pub share: f64,
}

impl Default for Blend {
    /// Every second recording.
    fn default() -> Self {
        Blend { share: 0.5 }
    }
}

impl Member for Blend {
    const KIND: &'static str = "blend";
    const ABOUT: &'static str = "a share of the recordings mixed with another one of their class";

    fn check(&self) -> Result<(), BadSetting> {
        match (0.0..=1.0).contains(&self.share) {
            true => Ok(()),
            false => {
                let reason = format!("must be 0 to 1, not {}", self.share);
                Err(BadSetting::new("share", reason))
            }
        }
    }
}

impl Augmentation for Blend {
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng) {
        if random.random::<f64>() >= self.share {
            return;
        }
        let Some(other) = recording.another(random) else {
            return;
        };
        if other.is_empty() || recording.events.is_empty() {
            return;
        }
        let (time_s, channel) = centre(recording.events.iter().copied());
        let (of_other_s, of_other) = centre(events_of(other));
        let up = (channel - of_other).round() as i32;
        let moved = events_of(other).map(|event| Event {
            time_s: event.time_s + time_s - of_other_s,
            channel: event.channel + up,
        });
        recording.events.extend(moved);
        recording.events.retain(|_| random.random::<bool>());
    }
}

/// The mean time and the mean channel; of one event at least.
fn centre(events: impl Iterator<Item = Event>) -> (f64, f64) {
    let (mut time_s, mut channel, mut count) = (0.0, 0.0, 0.0);
    for event in events {
        time_s += event.time_s;
        channel += f64::from(event.channel);
        count += 1.0;
    }
    (time_s / count, channel / count)
}
