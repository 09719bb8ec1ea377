use std::sync::Arc;

use super::Fingerprint;
use crate::ids::{ClassId, SoundPrint, SpeakerId};
use crate::spikes::{EventStream, InputFormat, SpikeCounts, SpikeError};

/// A recording: its events, what was said and who said it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledEvents {
    /// The spikes.
    pub events: EventStream,
    /// What was said.
    pub class: ClassId,
    /// Who said it.
    pub speaker: SpeakerId,
    /// What the spikes were made from, if that is known.
    pub sound: Option<SoundPrint>,
}

impl LabelledEvents {
    /// What tells this recording from others.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.events, self.class, self.speaker, self.sound)
    }

    /// Bins the recording; gives with it the number of events past the end of the grid.
    pub(super) fn bin(&self, format: InputFormat) -> Result<(Sample, usize), SpikeError> {
        let binned = format.bin(&self.events)?;
        let sample = Sample {
            counts: binned.counts,
            class: self.class,
            speaker: self.speaker,
            fingerprint: self.fingerprint(),
            events: None,
        };
        Ok((sample, binned.past_end))
    }
}

/// A recording binned for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Events per step and channel.
    pub counts: SpikeCounts,
    /// What was said.
    pub class: ClassId,
    /// Who said it.
    pub speaker: SpeakerId,
    /// [`LabelledEvents::fingerprint`] of the recording.
    pub fingerprint: Fingerprint,
    /// The events, where they are kept: see [`DatasetBuilder::keep_events`](super::DatasetBuilder::keep_events).
    pub events: Option<Arc<EventStream>>,
}
