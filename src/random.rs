//! Random numbers that can be named, stopped and gone on with.
//!
//! In: one master seed. Out: independent ChaCha8 streams, one for each purpose, so that drawing more
//! of one (say, a longer shuffle) never moves another (say, the initial weights). A stream's
//! position is a number, and goes into checkpoints.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::hash::fnv_1a;

/// The one number that a run's randomness comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MasterSeed(pub u64);

/// What a stream of random numbers is for.
///
/// The numbers are part of every file format that stores a position: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Initial weights.
    Weights,
    /// Order of the samples in an epoch of training.
    Shuffle,
    /// Which samples are for training and which for testing.
    Split,
    /// Which samples a replay memory keeps.
    Memory,
    /// New weights of a readout column when its class first comes up.
    NewClass,
    /// Order of the samples while something new is learned.
    LearningShuffle,
    /// Which auditory nerve fibres fire.
    Fibres,
    /// Which spikes are left out in training.
    Dropout,
    /// Which samples are for validation.
    Validation,
    /// How recordings are changed that are trained on.
    Augment,
    /// Which settings a search tries.
    Tune,
    /// Order of the samples while the learning stage gets used to what a codec leaves.
    Adaptation,
    /// In which order many small tasks come.
    TaskOrder,
    /// Where the components of a generator begin, and what it draws to learn from again.
    Generator,
    /// Fixed random features that a head expands its own with.
    Expansion,
}

impl Purpose {
    fn stream(self) -> u64 {
        match self {
            Purpose::Weights => 0,
            Purpose::Shuffle => 1,
            Purpose::Split => 2,
            Purpose::Memory => 3,
            Purpose::NewClass => 4,
            Purpose::LearningShuffle => 5,
            Purpose::Fibres => 6,
            Purpose::Dropout => 7,
            Purpose::Validation => 8,
            Purpose::Augment => 9,
            Purpose::Tune => 10,
            Purpose::Adaptation => 14,
            Purpose::TaskOrder => 13,
            Purpose::Generator => 11,
            Purpose::Expansion => 12,
        }
    }
}

impl MasterSeed {
    /// The stream of random numbers for one purpose, from its beginning.
    ///
    /// ```
    /// use rand::Rng;
    /// use respike::random::{MasterSeed, Purpose};
    ///
    /// let mut one = MasterSeed(7).stream(Purpose::Weights);
    /// let mut other = MasterSeed(7).stream(Purpose::Shuffle);
    /// assert_ne!(one.random::<u64>(), other.random::<u64>());
    /// ```
    pub fn stream(self, purpose: Purpose) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.0);
        generator.set_stream(purpose.stream());
        generator
    }

    /// The stream of one of many things of the same purpose: the `index`-th of `name`.
    ///
    /// Streams of different names are independent, whatever their order and number.
    pub fn named_stream(self, purpose: Purpose, name: &[u8], index: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        let words = [self.0, purpose.stream(), fnv_1a(name), name.len() as u64];
        for (slot, word) in key.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        generator
    }
}

/// Where a stream stands: enough to go on with the very next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// The master seed of the run.
    pub seed: MasterSeed,
    /// What the stream is for.
    pub purpose: Purpose,
    /// How many 32-bit words have been drawn; a string, as JSON numbers end at 2^53.
    #[serde(with = "decimal_string")]
    pub words_drawn: u128,
}

impl StreamPosition {
    /// Notes where `generator`, made by [`MasterSeed::stream`] for `purpose`, stands.
    pub fn of(seed: MasterSeed, purpose: Purpose, generator: &ChaCha8Rng) -> Self {
        StreamPosition {
            seed,
            purpose,
            words_drawn: generator.get_word_pos(),
        }
    }

    /// The stream, standing where it was noted.
    pub fn resume(self) -> ChaCha8Rng {
        let mut generator = self.seed.stream(self.purpose);
        generator.set_word_pos(self.words_drawn);
        generator
    }
}

mod decimal_string {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn a_stream_goes_on_where_it_was_noted() {
        let mut generator = MasterSeed(3).stream(Purpose::Shuffle);
        let _: [u32; 7] = std::array::from_fn(|_| generator.random());
        let noted = StreamPosition::of(MasterSeed(3), Purpose::Shuffle, &generator);
        let text = serde_json::to_string(&noted).expect("plain data");
        let mut resumed = serde_json::from_str::<StreamPosition>(&text)
            .expect("just written")
            .resume();
        assert_eq!(generator.random::<u64>(), resumed.random::<u64>());
    }
}
