use super::SoundError;
use crate::hash::{FNV_OFFSET, add_word_to_hash};
use crate::ids::SoundPrint;

/// The longest sound that is taken for an utterance, in seconds.
pub const LONGEST_S: f64 = 60.0;
/// The lowest and highest sampling rates that are believed, in hertz.
pub(super) const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// One channel of sound, finite and at a known rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    samples: Vec<f64>,
    rate_hz: u32,
}

impl Sound {
    /// Takes samples (full scale is ±1) at `rate_hz`.
    ///
    /// # Errors
    /// [`SoundError`] if there is no sample, one is not finite, the rate is impossible, or it lasts
    /// more than [`LONGEST_S`].
    pub fn new(samples: Vec<f64>, rate_hz: u32) -> Result<Self, SoundError> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(SoundError::BadRate { found_hz: rate_hz });
        }
        if samples.is_empty() {
            return Err(SoundError::Empty);
        }
        if samples.len() as f64 > LONGEST_S * f64::from(rate_hz) {
            return Err(SoundError::TooLong { most_s: LONGEST_S });
        }
        if let Some(sample) = samples.iter().position(|value| !value.is_finite()) {
            let value = samples[sample];
            return Err(SoundError::NotFinite { sample, value });
        }
        Ok(Sound { samples, rate_hz })
    }

    /// The samples; full scale is ±1.
    pub fn samples(&self) -> &[f64] {
        &self.samples
    }

    /// Samples a second.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// How long it lasts, in seconds.
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate_hz)
    }

    /// The fingerprint of the samples and their rate: the same for the same sound, whatever file it
    /// comes in and however many bits that has for a sample.
    pub fn fingerprint(&self) -> SoundPrint {
        // Adding 0 makes a negative zero positive.
        let words = self.samples.iter().map(|x| (x + 0.0).to_bits());
        let words = words.chain([u64::from(self.rate_hz), self.samples.len() as u64]);
        // 0 stands for a sound that is not known.
        SoundPrint(words.fold(FNV_OFFSET, add_word_to_hash).max(1))
    }

    /// The sound with silence behind it.
    pub(super) fn followed_by_silence(mut self, seconds: f64) -> Self {
        let silence = (seconds * f64::from(self.rate_hz)).round() as usize;
        self.samples.resize(self.samples.len() + silence, 0.0);
        self
    }

    /// The samples, to be changed in place by a stage that keeps them finite.
    pub(super) fn samples_mut(&mut self) -> &mut [f64] {
        &mut self.samples
    }
}
