//! Augmentation: recordings that are a little different each time they are trained on.
//!
//! In: the events of a recording, random numbers of its own for each epoch, and other recordings of its class.
//! Out: events to be binned instead. One file an augmentation.
//!
//! | kind | what it does |
//! |---|---|
//! | `channel-shift` | [`ChannelShift`]: all events some channels up or down |
//! | `time-stretch` | [`TimeStretch`]: slower or faster |
//! | `jitter` | [`Jitter`]: each event a little earlier or later, up or down |
//! | `drop-events` | [`DropEvents`]: some events are left out |
//! | `blend` | [`Blend`]: half the events are those of another recording of the class |

mod blend;
mod channel_shift;
mod drop_events;
mod jitter;
mod time_stretch;

pub use blend::Blend;
pub use channel_shift::ChannelShift;
pub use drop_events::DropEvents;
pub use jitter::Jitter;
pub use time_stretch::TimeStretch;

use std::fmt::Debug;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::registry::Chosen;
use crate::spikes::EventStream;

/// An augmentation of any kind, as settings name it.
pub type AugmentationSettings = Chosen<dyn Augmentation>;

/// A change of a recording that leaves it one of its class.
pub trait Augmentation: Debug + Send + Sync + 'static {
    /// Changes the events. All that is left to chance comes from `random`, which is another stream for every
    /// sample and epoch.
    fn apply(&self, recording: &mut AugmentedRecording<'_>, random: &mut ChaCha8Rng);
}

/// An event while it is changed: it may be moved past the ends of time and of the channels, and is then left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When, in seconds.
    pub time_s: f64,
    /// In which channel.
    pub channel: i32,
}

/// A recording while it is changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct AugmentedRecording<'a> {
    /// Its events, in any order.
    pub events: Vec<Event>,
    /// Channels that there are.
    pub channels: usize,
    original: &'a EventStream,
    of_class: &'a [&'a EventStream],
}

impl<'a> AugmentedRecording<'a> {
    /// A recording as it is. `of_class` are the recordings of its class, itself among them or not.
    pub fn new(
        original: &'a EventStream,
        channels: usize,
        of_class: &'a [&'a EventStream],
    ) -> Self {
        AugmentedRecording {
            events: events_of(original).collect(),
            channels,
            original,
            of_class,
        }
    }

    /// Another recording of its class; none if there is no other.
    pub fn another(&self, random: &mut ChaCha8Rng) -> Option<&'a EventStream> {
        let is_other = |one: &&&EventStream| !std::ptr::eq(**one, self.original);
        let others = self.of_class.iter().filter(is_other).count();
        if others == 0 {
            return None;
        }
        let place = random.random_range(0..others);
        self.of_class.iter().filter(is_other).nth(place).copied()
    }

    /// Does what an augmentation does, and leaves out events that it moved past an end.
    pub fn apply(&mut self, augmentation: &AugmentationSettings, random: &mut ChaCha8Rng) {
        augmentation.apply(self, random);
        self.leave_out();
    }

    /// Leaves out events past an end.
    fn leave_out(&mut self) {
        let channels = self.channels.min(1 << 16);
        self.events.retain(|event| {
            let is_there = usize::try_from(event.channel).is_ok_and(|channel| channel < channels);
            is_there && event.time_s.is_finite() && event.time_s >= 0.0
        });
    }

    /// The events that came out, without those that were moved past an end.
    pub fn into_events(mut self) -> EventStream {
        self.leave_out();
        let times = self.events.iter().map(|event| event.time_s).collect();
        let channels = self
            .events
            .iter()
            .map(|event| event.channel as u16)
            .collect();
        EventStream::new(times, channels).expect("others were left out")
    }
}

/// The events of a recording.
pub fn events_of(recording: &EventStream) -> impl Iterator<Item = Event> {
    let times = recording.times_s().iter().zip(recording.units());
    times.map(|(&time_s, &channel)| Event {
        time_s,
        channel: i32::from(channel),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{MasterSeed, Purpose};

    /// 700 events, one a millisecond, each in the next channel.
    fn ramp() -> EventStream {
        let times = (0..700).map(|event| f64::from(event) * 1e-3).collect();
        EventStream::new(times, (0..700).collect()).expect("valid")
    }

    fn changed(
        augmentation: impl Into<AugmentationSettings>,
        seed: u64,
        others: &[&EventStream],
    ) -> Vec<Event> {
        let ramp = ramp();
        let mut random = MasterSeed(seed).stream(Purpose::Augment);
        let mut recording = AugmentedRecording::new(&ramp, 700, others);
        recording.apply(&augmentation.into(), &mut random);
        events_of(&recording.into_events()).collect()
    }

    #[test]
    fn a_shift_moves_all_alike_and_drops_what_leaves() {
        let mut shifts = Vec::new();
        for seed in 0..200 {
            let events = changed(ChannelShift { most_channels: 40 }, seed, &[]);
            let shift = events[0].channel - (events[0].time_s * 1e3).round() as i32;
            let expected = events.iter().map(|event| event.channel - shift);
            assert!(
                expected
                    .zip(&events)
                    .all(|(channel, event)| channel == (event.time_s * 1e3).round() as i32)
            );
            assert_eq!(events.len(), 700 - shift.unsigned_abs() as usize);
            shifts.push(shift);
        }
        assert!(shifts.iter().all(|shift| shift.abs() <= 40));
        assert!(shifts.iter().any(|&shift| shift > 30) && shifts.iter().any(|&shift| shift < -30));
    }

    #[test]
    fn a_stretch_multiplies_all_times_by_one_factor() {
        let factors = (0..200).map(|seed| {
            let events = changed(TimeStretch { most: 0.25 }, seed, &[]);
            let factor = events[699].time_s / 0.699;
            for (place, event) in events.iter().enumerate() {
                assert!((event.time_s - place as f64 * 1e-3 * factor).abs() < 1e-12);
            }
            factor
        });
        let factors: Vec<f64> = factors.collect();
        assert!(factors.iter().all(|factor| (0.8..=1.25).contains(factor)));
        // As often slower as faster.
        let slower = factors.iter().filter(|factor| **factor > 1.0).count();
        assert!((70..130).contains(&slower), "{slower}");
    }

    #[test]
    fn jitter_has_the_widths_that_it_says() {
        let jitter = Jitter {
            time_ms: 2.0,
            channels: 3.0,
        };
        let ramp = ramp();
        let mut random = MasterSeed(1).stream(Purpose::Augment);
        let mut recording = AugmentedRecording::new(&ramp, 700, &[]);
        jitter.apply(&mut recording, &mut random);
        let off = |of: fn(&Event) -> f64, scale: f64| {
            let off = recording.events.iter().enumerate();
            let squares = off.map(|(place, event)| (of(event) - place as f64 * scale).powi(2));
            (squares.sum::<f64>() / 700.0).sqrt()
        };
        let (time, channel) = (
            off(|event| event.time_s, 1e-3),
            off(|event| f64::from(event.channel), 1.0),
        );
        assert!((time - 2e-3).abs() < 2e-4, "{time}");
        assert!((channel - 3.0).abs() < 0.3, "{channel}");
        assert!(
            changed(jitter, 1, &[]).len() < 700,
            "those past the ends are left out"
        );
    }

    #[test]
    fn so_many_events_are_dropped() {
        let events = changed(DropEvents { share: 0.3 }, 1, &[]);
        assert!((450..530).contains(&events.len()), "{}", events.len());
    }

    #[test]
    fn a_blend_has_half_of_each_with_their_means_together() {
        // The same a second later and 100 channels lower, with every event twice.
        let (mut times, mut channels) = (Vec::new(), Vec::new());
        for event in 0..600u16 {
            times.extend([f64::from(event) * 1e-3 + 1.0; 2]);
            channels.extend([event; 2]);
        }
        let other = EventStream::new(times, channels).expect("valid");
        let blend = Blend { share: 1.0 };
        let events = changed(blend, 1, &[&other]);
        assert!(
            (890..1010).contains(&events.len()),
            "{}: half of 700 and of 1200, less the ends",
            events.len()
        );
        let mean = |of: fn(&Event) -> f64| events.iter().map(of).sum::<f64>() / events.len() as f64;
        assert!((mean(|event| event.time_s) - 0.3495).abs() < 0.02);
        assert!((mean(|event| f64::from(event.channel)) - 349.5).abs() < 20.0);
        // Nobody to blend with, or no wish to.
        assert_eq!(changed(blend, 1, &[]).len(), 700);
        assert_eq!(changed(Blend { share: 0.0 }, 1, &[&other]).len(), 700);
        let twice =
            (0..200).filter(|&seed| changed(Blend { share: 0.5 }, seed, &[&other]).len() != 700);
        let twice = twice.count();
        assert!((75..125).contains(&twice), "{twice}");
    }
}
