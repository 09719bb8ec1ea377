//! Fingerprints: how a recording is known again in another file.
//!
//! In: events, labels, the fingerprint of the sound. Out: numbers that are the same for the same
//! recording, and sets of recordings that can be asked whether one is among them.

use std::collections::HashSet;

use super::Sample;
use crate::hash::{FNV_OFFSET, add_word_to_hash, mix};
use crate::ids::{ClassId, SoundPrint, SpeakerId};
use crate::spikes::EventStream;

/// What tells a recording from others.
///
/// Two recordings are the same if their events are, or if the sounds are that they were made from: the
/// same sound gives other events under another seed or with another number of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    events: Option<u64>,
    sound: Option<SoundPrint>,
    legacy: Option<u64>,
    /// The same with the class's number in another order of the classes.
    legacy_in_order: Option<u64>,
    exact: u64,
}

impl Fingerprint {
    pub(super) fn of(
        events: &EventStream,
        class: ClassId,
        speaker: SpeakerId,
        sound: Option<SoundPrint>,
    ) -> Self {
        let (mut rounded, mut exact) = (0u64, 0u64);
        for (time_s, &unit) in events.times_s().iter().zip(events.units()) {
            let unit = u64::from(unit);
            let word = u64::from(float16_bits(*time_s)) << 16 | unit;
            // A sum does not ask in which order its terms come.
            rounded = rounded.wrapping_add(mix(word));
            exact = exact.wrapping_add(mix(time_s.to_bits() ^ mix(unit)));
        }
        let count = events.len() as u64;
        Fingerprint {
            events: (count > 0).then(|| mix(rounded ^ mix(count))),
            sound,
            legacy: legacy_print(events, class, speaker),
            legacy_in_order: None,
            exact: mix(exact ^ mix(count)),
        }
    }

    /// Of the events alone: the same whatever their order, the type of the times (they are compared as
    /// float16 holds them), and the numbers of class and speaker. `None` without events, as such
    /// recordings are all alike.
    pub fn events(self) -> Option<u64> {
        self.events
    }

    /// Of the sound, if the file tells it.
    pub fn sound(self) -> Option<SoundPrint> {
        self.sound
    }

    /// Of events, class and speaker as checkpoints of format 2 hold it: times to the last bit, in their
    /// order. `None` without events.
    pub fn legacy(self) -> Option<u64> {
        self.legacy
    }

    /// Keeps the older print for another number of the class, too: it can't be made without the events.
    #[cfg(feature = "shd")]
    pub(super) fn known_as(self, events: &EventStream, class: ClassId, speaker: SpeakerId) -> Self {
        Fingerprint {
            legacy_in_order: legacy_print(events, class, speaker),
            ..self
        }
    }

    /// With that number of the class in place of the one that the file has.
    pub(super) fn in_order(self) -> Self {
        match self.legacy_in_order {
            None => self,
            in_order => Fingerprint {
                legacy: in_order,
                legacy_in_order: self.legacy,
                ..self
            },
        }
    }

    /// Whether both are of one recording.
    pub fn is_same_recording(self, other: Fingerprint) -> bool {
        let same_events = self.events.is_some() && self.events == other.events;
        let same_sound = self.sound.is_some() && self.sound == other.sound;
        same_events || same_sound
    }

    /// Whether the recording can be known again.
    pub fn is_known(self) -> bool {
        self.events.is_some() || self.sound.is_some()
    }

    /// Of the events with all bits of their times, in any order.
    pub(super) fn exact(self) -> u64 {
        self.exact
    }
}

/// Of events, class and speaker, one after another; `None` without events.
fn legacy_print(events: &EventStream, class: ClassId, speaker: SpeakerId) -> Option<u64> {
    let all = events.times_s().iter().zip(events.units());
    let words = all.map(|(time_s, &unit)| time_s.to_bits() ^ u64::from(unit));
    let begin = add_word_to_hash(FNV_OFFSET, labels(class, speaker));
    (!events.is_empty()).then(|| words.fold(begin, add_word_to_hash))
}

/// Class and speaker as one word.
pub(super) fn labels(class: ClassId, speaker: SpeakerId) -> u64 {
    u64::from(class.0) << 16 | u64::from(speaker.0)
}

/// The bits of a time as float16 holds it. It is rounded to float32 first, so that a file with float32
/// times and one with float64 times of the same events agree.
pub(super) fn float16_bits(time_s: f64) -> u16 {
    const SMALLEST_NORMAL: f32 = 1.0 / 16384.0;
    const SUBNORMALS_PER_S: f32 = 16_777_216.0;
    const INFINITY: u16 = 0x7c00;
    let time = (time_s as f32).abs();
    if time < SMALLEST_NORMAL {
        return (time * SUBNORMALS_PER_S).round_ties_even() as u16;
    }
    if time >= 65520.0 {
        return INFINITY;
    }
    // 13 bits of the fraction go, to the even neighbour from the middle; the exponent's offset is 15
    // instead of 127. A carry out of the fraction is the next exponent, as it should be.
    let bits = time.to_bits();
    let rounded = (bits + 0xfff + (bits >> 13 & 1)) >> 13;
    (rounded - (112 << 10)) as u16
}

/// Recordings as they come, to find out which come again.
#[derive(Debug, Default)]
pub struct Recordings {
    events: HashSet<u64>,
    sounds: HashSet<SoundPrint>,
}

impl Recordings {
    /// Adds a recording, and says whether it is new; one without events and sound always is.
    pub fn insert(&mut self, print: Fingerprint) -> bool {
        let new_events = print.events.is_none_or(|print| self.events.insert(print));
        let new_sound = print.sound.is_none_or(|sound| self.sounds.insert(sound));
        new_events && new_sound
    }
}

/// Recordings that can be known again, such as those that a network was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingSet {
    events: Vec<u64>,
    sounds: Vec<u64>,
    legacy: Vec<u64>,
}

impl RecordingSet {
    /// From [`Fingerprint::events`], [`Fingerprint::sound`] and [`Fingerprint::legacy`] of recordings, in
    /// any order.
    pub fn new(events: Vec<u64>, sounds: Vec<u64>, legacy: Vec<u64>) -> Self {
        let [events, sounds, legacy] = [events, sounds, legacy].map(|mut prints| {
            prints.sort_unstable();
            prints.dedup();
            prints
        });
        RecordingSet {
            events,
            sounds,
            legacy,
        }
    }

    /// Whether a sample is of one of the recordings.
    pub fn contains(&self, sample: &Sample) -> bool {
        let print = sample.fingerprint;
        let among = |sorted: &[u64], print: Option<u64>| {
            print.is_some_and(|print| sorted.binary_search(&print).is_ok())
        };
        among(&self.events, print.events)
            || among(&self.sounds, print.sound.map(|sound| sound.0))
            || among(&self.legacy, print.legacy)
            || among(&self.legacy, print.legacy_in_order)
    }

    /// Whether some recordings, which came from a checkpoint of format 2, are known again only with their
    /// events in the same order, to the last bit, and with the numbers of class and speaker that they had.
    pub fn knows_some_by_every_bit(&self) -> bool {
        !self.legacy.is_empty()
    }

    /// Whether nothing can be known again.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.sounds.is_empty() && self.legacy.is_empty()
    }

    /// The recordings of both.
    pub fn union(&self, other: &RecordingSet) -> RecordingSet {
        RecordingSet::new(
            [&self.events[..], &other.events].concat(),
            [&self.sounds[..], &other.sounds].concat(),
            [&self.legacy[..], &other.legacy].concat(),
        )
    }

    /// Fingerprints of events, sorted, each once.
    pub fn events(&self) -> &[u64] {
        &self.events
    }

    /// Fingerprints of sounds, sorted, each once.
    pub fn sounds(&self) -> &[u64] {
        &self.sounds
    }

    /// Fingerprints that came from a checkpoint of format 2, sorted, each once.
    pub fn legacy(&self) -> &[u64] {
        &self.legacy
    }
}

impl<'a> FromIterator<&'a Sample> for RecordingSet {
    fn from_iter<I: IntoIterator<Item = &'a Sample>>(samples: I) -> Self {
        let (mut events, mut sounds) = (Vec::new(), Vec::new());
        for sample in samples {
            events.extend(sample.fingerprint.events);
            sounds.extend(sample.fingerprint.sound.map(|sound| sound.0));
        }
        RecordingSet::new(events, sounds, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn print(events: &[(f64, u16)], class: u16, speaker: u16) -> Fingerprint {
        let (times, units) = events.iter().copied().unzip();
        let events = EventStream::new(times, units).expect("valid");
        Fingerprint::of(&events, ClassId(class), SpeakerId(speaker), None)
    }

    #[test]
    fn known_values_stay() {
        let known = print(&[(0.25, 12), (0.5, 700)], 3, 1);
        assert_eq!(known.legacy(), Some(0xb2a7_3df9_35ff_cc2d));
        assert_eq!(known.events(), Some(0xe273_86b0_df60_c3f9));
    }

    #[test]
    fn silence_is_not_known_again() {
        let silent = print(&[], 0, 0);
        assert_eq!((silent.events(), silent.legacy()), (None, None));
        assert!(!silent.is_same_recording(silent));
    }

    #[test]
    fn the_same_sound_is_the_same_recording() {
        let of = |time_s: f64, sound| Fingerprint {
            sound,
            ..print(&[(time_s, 1)], 0, 0)
        };
        let (one, two) = (Some(SoundPrint(1)), Some(SoundPrint(2)));
        assert!(of(0.1, one).is_same_recording(of(0.2, one)));
        assert!(!of(0.1, one).is_same_recording(of(0.2, two)));
        assert!(!of(0.1, None).is_same_recording(of(0.2, None)));
    }

    proptest! {
        #[test]
        fn order_types_and_labels_do_not_matter(
            events in prop::collection::vec((0.0f64..70000.0, 0u16..700), 1..60),
            class: u16,
            speaker: u16,
            turn in 0usize..60,
        ) {
            let expected = print(&events, 0, 0);
            let mut turned = events.clone();
            turned.rotate_left(turn % events.len());
            turned.swap(0, events.len() / 2);
            prop_assert_eq!(print(&turned, class, speaker).events(), expected.events());
            let as_single: Vec<_> =
                events.iter().map(|&(time, unit)| (f64::from(time as f32), unit)).collect();
            prop_assert!(print(&as_single, class, speaker).is_same_recording(expected));
        }

        #[test]
        fn another_event_is_another_recording(
            events in prop::collection::vec((0.0f64..2.0, 0u16..700), 1..60),
            place in 0usize..60,
        ) {
            let expected = print(&events, 0, 0);
            let place = place % events.len();
            let mut other = events.clone();
            other[place].1 += 1;
            prop_assert!(!print(&other, 0, 0).is_same_recording(expected));
            let mut twice = events.clone();
            twice.push(events[place]);
            prop_assert!(!print(&twice, 0, 0).is_same_recording(expected));
            prop_assert!(!print(&events[1..], 0, 0).is_same_recording(expected));
        }
    }

    #[cfg(feature = "shd")]
    proptest! {
        #[test]
        fn rounding_is_that_of_float16(bits in 0u32..0x7f80_0000) {
            let time = f32::from_bits(bits);
            prop_assert_eq!(float16_bits(f64::from(time)), half::f16::from_f32(time).to_bits());
        }

        #[test]
        fn rounding_is_that_of_float16_in_its_range(time in 0.0f32..2e-4, scale in 0i32..30) {
            let time = time * (scale as f32).exp2();
            prop_assert_eq!(float16_bits(f64::from(time)), half::f16::from_f32(time).to_bits());
        }
    }
}
