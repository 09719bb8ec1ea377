//! Soft beginnings and ends.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::Sound;

/// How long a sound's beginning and end are faded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ramp {
    /// So many seconds at each end, or half the sound where it is shorter than two ramps.
    Seconds(f64),
    /// Half the sound at each end: one window over the whole.
    HalfTheSound,
}

/// Multiplies both ends of a sound by the rising and the falling half of a Hanning window.
///
/// The window of N samples is NumPy's: w(i) = ½ − ½·cos(2πi / (N − 1)), and a ramp of R samples is
/// half of the window of 2R.
pub fn apply_ramps(sound: &mut Sound, ramp: Ramp) {
    let half = sound.samples().len() / 2;
    let length = match ramp {
        Ramp::Seconds(seconds) => {
            ((seconds * f64::from(sound.rate_hz())).round() as usize).min(half)
        }
        Ramp::HalfTheSound => half,
    };
    let samples = sound.samples_mut();
    let last = samples.len() - 1;
    for i in 0..length {
        let weight = 0.5 - 0.5 * (2.0 * PI * i as f64 / (2 * length - 1) as f64).cos();
        samples[i] *= weight;
        samples[last - i] *= weight;
    }
}
