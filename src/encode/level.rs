//! Bringing sounds to the same level.

use super::{Sound, SoundError};

/// Scales a sound so that its root mean square is `rms`.
///
/// # Errors
/// [`SoundError::Silent`] if every sample is zero, or so near it that there is nothing to scale.
pub fn normalise_rms(sound: &mut Sound, rms: f64) -> Result<(), SoundError> {
    let samples = sound.samples();
    let mean_square = samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64;
    let factor = rms / mean_square.sqrt();
    if !factor.is_finite() || mean_square < f64::MIN_POSITIVE {
        return Err(SoundError::Silent);
    }
    sound.samples_mut().iter_mut().for_each(|x| *x *= factor);
    Ok(())
}
