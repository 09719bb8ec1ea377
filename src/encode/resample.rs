//! Band-limited resampling.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::{Sound, SoundError};

/// Samples that the resampler takes at a time; its filter is about as long.
const CHUNK: usize = 1024;

/// The same sound at another rate, with nothing above the lower of the two half rates.
///
/// The hair cells are integrated by Euler steps that are not stable below about 36 kHz, and many
/// recordings come at 8 or 16 kHz: the ear works at 48 kHz whatever it is given.
///
/// # Errors
/// [`SoundError::BadRate`].
pub fn resample(sound: &Sound, rate_hz: u32) -> Result<Sound, SoundError> {
    if sound.rate_hz() == rate_hz {
        return Ok(sound.clone());
    }
    let bad_rate = || SoundError::BadRate { found_hz: rate_hz };
    let (from, to) = (sound.rate_hz() as usize, rate_hz as usize);
    let input = sound.samples();
    let mut resampler =
        Fft::<f64>::new(from, to, CHUNK, 1, FixedSync::Input).map_err(|_| bad_rate())?;
    let frames = input.len();
    let adapter = InterleavedSlice::new(input, 1, frames).map_err(|_| bad_rate())?;
    let output = resampler
        .process_all(&adapter, frames, None)
        .map_err(|_| bad_rate())?;
    // The resampler rounds up.
    let mut samples = output.take_data();
    let length = (frames as f64 * f64::from(rate_hz) / f64::from(sound.rate_hz())).round();
    samples.truncate(length.max(1.0) as usize);
    Sound::new(samples, rate_hz)
}
