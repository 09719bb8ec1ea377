use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Augmentation, AugmentedRecording};
use crate::registry::Member;

/// All events are moved by the same number of channels, drawn evenly from −most to most: a voice that is higher or
/// lower (Nowotny et al. 2025).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelShift {
    /// The largest shift, in channels of the data.
    pub most_channels: u16,
}

impl Default for ChannelShift {
    /// 40 channels, for 700.
    fn default() -> Self {
        ChannelShift { most_channels: 40 }
    }
}

impl Member for ChannelShift {
    const KIND: &'static str = "channel-shift";
    const ABOUT: &'static str = "all events up to most_channels up or down";
}

impl Augmentation for ChannelShift {
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng) {
        let most = i32::from(self.most_channels);
        let shift = random.random_range(-most..=most);
        for event in &mut recording.events {
            event.channel += shift;
        }
    }
}
