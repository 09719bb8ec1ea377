//! Bringing sounds to the same level.

use super::{Recording, Sound, SoundError};

/// Scales a sound so that its root mean square is `rms`.
///
/// # Errors
/// [`SoundError::Silent`] if every sample is zero, or so near it that there is nothing to scale;
/// [`SoundError::TooLoud`] if the samples are so large that their mean square is no number.
pub fn normalise_rms(sound: &mut Sound, rms: f64) -> Result<(), SoundError> {
    let samples = sound.samples();
    let mean_square = samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64;
    if !mean_square.is_finite() {
        return Err(SoundError::TooLoud);
    }
    let factor = rms / mean_square.sqrt();
    if !factor.is_finite() || mean_square < f64::MIN_POSITIVE {
        return Err(SoundError::Silent);
    }
    sound.samples_mut().iter_mut().for_each(|x| *x *= factor);
    Ok(())
}

/// What the root mean square of a recording is made of, besides what is to be heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelShares {
    /// Share of the power that is an offset, steady or drifting: the squares of the means of 50 ms.
    pub offset: f64,
    /// Share of the rest that falls into the loudest millisecond.
    pub click: f64,
    /// The same for the loudest 10 ms.
    pub pop: f64,
    /// The same for the loudest hundredth of all milliseconds.
    pub clicks: f64,
    /// Share of the channels' power about their means that is gone in their mean.
    pub cancelled: f64,
    channels: usize,
    duration_s: f64,
}

/// A larger share of the power is said to be an offset.
const MUCH_OFFSET: f64 = 0.1;
/// What is slower than this is an offset: no voice is.
const OFFSET_MS: usize = 50;
/// A larger share in one millisecond is said to be a click: speech has a twentieth there.
const MUCH_CLICK: f64 = 0.25;
/// A larger share in 10 ms is said to be a pop, and in a hundredth of the time to be clicks.
const MUCH_CLICKS: f64 = 0.5;
const POP_MS: usize = 10;
/// In sounds shorter than this a millisecond is no click, in seconds; nor are ten in ten times as long.
const NO_CLICK_S: f64 = 0.02;
/// Channels that have nothing to do with one another lose all but 1 / channels of their power in the
/// mean; where less than this share of that is left, they cancel.
const LITTLE_LEFT: f64 = 0.2;

impl LevelShares {
    /// Looks at a recording as it was read.
    pub fn of(recording: &Recording) -> Self {
        let (sound, samples) = (&recording.sound, recording.sound.samples());
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let power: f64 = samples.iter().map(|x| x * x).sum();
        let millisecond = (sound.rate_hz() as usize).div_ceil(1000);
        let mut slow = 0.0;
        let mut rest = Vec::with_capacity(samples.len());
        for part in samples.chunks(OFFSET_MS * millisecond) {
            let mean = part.iter().sum::<f64>() / part.len() as f64;
            slow += mean * mean * part.len() as f64;
            rest.extend(part.iter().map(|x| (x - mean).powi(2)));
        }
        let all: f64 = rest.iter().sum();
        let milliseconds = rest.chunks(millisecond);
        let mut milliseconds: Vec<f64> = milliseconds.map(|part| part.iter().sum()).collect();
        milliseconds.sort_by(f64::total_cmp);
        let hundredth = milliseconds.len().div_ceil(100);
        let clicks = milliseconds.iter().rev().take(hundredth).sum();
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let variance = power / samples.len() as f64 - mean * mean;
        LevelShares {
            offset: share(slow, power),
            click: share(loudest(&rest, millisecond), all),
            pop: share(loudest(&rest, POP_MS * millisecond), all),
            clicks: share(clicks, all),
            cancelled: share(
                recording.mean_variance - variance.max(0.0),
                recording.mean_variance,
            ),
            channels: recording.channels,
            duration_s: sound.duration_s(),
        }
    }

    /// Whether much of the level is an offset.
    pub fn is_offset(&self) -> bool {
        self.offset > MUCH_OFFSET
    }

    /// Whether much of the level is a click, a pop, or some clicks.
    pub fn is_click(&self) -> bool {
        let lasts = |at_least_s| self.duration_s >= at_least_s;
        self.click > MUCH_CLICK && lasts(NO_CLICK_S)
            || self.pop.max(self.clicks) > MUCH_CLICKS && lasts(10.0 * NO_CLICK_S)
    }

    /// Whether the level is that of what two or more channels left of one another.
    pub fn is_rest_of_channels(&self) -> bool {
        1.0 - self.cancelled < LITTLE_LEFT / self.channels as f64
    }
}

/// The largest sum of so many values in a row.
fn loudest(values: &[f64], width: usize) -> f64 {
    let width = width.min(values.len());
    let mut within: f64 = values[..width].iter().sum();
    let mut loudest = within;
    for (old, new) in values.iter().zip(&values[width..]) {
        within += new - old;
        loudest = loudest.max(within);
    }
    loudest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(left: &[f64], right: Option<&[f64]>) -> LevelShares {
        let right = right.unwrap_or(left);
        let mean = left.iter().zip(right).map(|(a, b)| (a + b) / 2.0);
        let variance = |channel: &[f64]| {
            let mean = channel.iter().sum::<f64>() / channel.len() as f64;
            let squares = channel.iter().map(|x| (x - mean).powi(2));
            squares.sum::<f64>() / channel.len() as f64
        };
        LevelShares::of(&Recording {
            mean_variance: (variance(left) + variance(right)) / 2.0,
            channels: 2,
            sound: Sound::new(mean.collect(), 8000).expect("a sound"),
        })
    }

    #[test]
    fn a_power_that_is_no_number_is_refused() {
        for samples in [vec![1e198, -1e198, 0.5], vec![1e154; 10]] {
            let mut sound = Sound::new(samples, 8000).expect("finite");
            let refused = normalise_rms(&mut sound, 0.1);
            assert!(matches!(refused, Err(SoundError::TooLoud)), "{refused:?}");
        }
        let mut sound = Sound::new(vec![1e150, -1e150], 8000).expect("finite");
        normalise_rms(&mut sound, 0.1).expect("there is room");
        assert!((sound.samples()[0] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn offsets_clicks_and_channels_that_cancel_are_told_from_sound() {
        let tone: Vec<f64> = (0..4000)
            .map(|i| 0.1 * (f64::from(i) * 0.4).sin())
            .collect();
        let plain = shares(&tone, None);
        assert!(!plain.is_offset() && !plain.is_click() && !plain.is_rest_of_channels());

        let with_offset: Vec<f64> = tone.iter().map(|x| x + 0.1 / 2f64.sqrt()).collect();
        let offset = shares(&with_offset, None);
        assert!((offset.offset - 0.5).abs() < 0.01 && offset.is_offset());
        assert!(!offset.is_click() && !offset.is_rest_of_channels());

        for length in [1, 5] {
            let mut clicked = tone.clone();
            clicked[700..700 + length].fill(5.0);
            let click = shares(&clicked, None);
            assert!(click.is_click() && !click.is_offset(), "{click:?}");
        }
        let mut popped = tone.clone();
        for (place, sample) in popped[2000..2080].iter_mut().enumerate() {
            *sample += 3.0 * (std::f64::consts::PI * place as f64 / 80.0).sin();
        }
        let pop = shares(&popped, None);
        assert!(pop.is_click(), "{pop:?}");
        let mut crackling = tone.clone();
        for place in [300, 900, 1700, 2600, 3900] {
            crackling[place] = 4.0;
        }
        let clicks = shares(&crackling, None);
        assert!(clicks.is_click() && clicks.click < MUCH_CLICK, "{clicks:?}");

        let step = |i: usize| if i < 2100 { 1.0 } else { -1.0 };
        let drifting = tone.iter().enumerate().map(|(i, x)| x + step(i));
        let drifting = shares(&drifting.collect::<Vec<_>>(), None);
        assert!(drifting.is_offset(), "{drifting:?}");

        // Opposite offsets take nothing of the sound away.
        let [above, below] =
            [1.0, -1.0].map(|by| tone.iter().map(|x| x + by).collect::<Vec<f64>>());
        assert!(!shares(&above, Some(&below)).is_rest_of_channels());

        // Of a sound as short as that, much falls into a millisecond.
        assert!(!shares(&tone[..16], None).is_click());

        let turned: Vec<f64> = tone.iter().map(|x| -0.8 * x).collect();
        assert!(shares(&tone, Some(&turned)).is_rest_of_channels());
        let other: Vec<f64> = (0..4000)
            .map(|i| 0.1 * (f64::from(i) * 0.9).sin())
            .collect();
        assert!(!shares(&tone, Some(&other)).is_rest_of_channels());
        assert!(!shares(&tone, Some(&vec![0.0; 4000])).is_rest_of_channels());
    }
}
