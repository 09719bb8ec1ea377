//! The basilar membrane: from a sound to the motion of every place along it.
//!
//! In: a sound at 48 kHz. Out: velocities at 24 000 steps a second, channels × steps, channel 0 at
//! the base, where high frequencies are heard.

use std::cell::RefCell;
use std::sync::Arc;

use multiversion::multiversion;
use ndarray::Array2;
use num_complex::Complex;
use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner};

use super::spectrum::{chirp_spectrum, smooth_at_least};
use super::transfer::{LOWEST_HZ, Table, best_frequency_hz, tables};
use super::{
    BasilarMembraneConstants, EAR_RATE_HZ, EarPreset, EarSettings, EncodeError, STEPS_PER_S, Sound,
};

/// Steps beyond the sound that the transform has room for, so that what rings on at its end and what
/// wraps around do not meet: 0.1 s.
const ROOM: usize = 2400;
/// Steps at the end of which is told what wrapped around into them: 50 ms.
pub(super) const WRAPPED_STEPS: usize = ROOM / 2;

/// The basilar membrane of Sieroka, Dosch & Rupp 2006, as LAUSCHER computes it.
///
/// LAUSCHER transforms the sound of n samples, keeps the m = ⌊n/2⌋ + 1 bins of positive frequency,
/// multiplies them by the transfer function at m frequencies from 1 Hz to 24 kHz, and transforms
/// back with length m. The real part is the motion at half the sampling rate, and what is above
/// 12 kHz is folded down. The same is computed here for any m at the cost of a convenient one: the
/// inverse transform has a length with small factors, the sound's spectrum is taken at the
/// frequencies that belong to it, and what lies beyond the m steps is wrapped around as it would be.
#[derive(Debug)]
pub struct BasilarMembrane {
    tables: Vec<Table<f32>>,
}

/// A sound, ready to move the membrane.
pub(super) struct Drive {
    spectrum: Vec<Complex<f64>>,
    /// Distance of the transfer function's frequencies, in hertz.
    bin_hz: f64,
    /// Steps of the motion.
    steps: usize,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

/// Room for the inverse transform, reused from channel to channel.
#[derive(Default)]
struct Scratch {
    /// Real and imaginary parts of the transfer function.
    transfer: (Vec<f32>, Vec<f32>),
    bins: Vec<Complex<f64>>,
    motion: Vec<f64>,
    inner: Vec<Complex<f64>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Drive {
    pub(super) fn steps(&self) -> usize {
        self.steps
    }
}

impl BasilarMembrane {
    /// A membrane with so many places, for itself.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`].
    pub fn new(constants: &BasilarMembraneConstants, channels: usize) -> Result<Self, EncodeError> {
        let settings = EarSettings {
            basilar_membrane: constants.clone(),
            ..EarPreset::default().settings(channels)
        };
        settings.check()?;
        Ok(Self::of_checked(constants, channels))
    }

    /// Tabulates the transfer function; `constants` have been checked.
    pub(super) fn of_checked(constants: &BasilarMembraneConstants, channels: usize) -> Self {
        let highest_hz = f64::from(EAR_RATE_HZ) / 2.0 + LOWEST_HZ;
        BasilarMembrane {
            tables: tables(constants, channels, highest_hz),
        }
    }

    /// Places along the membrane.
    pub fn channels(&self) -> usize {
        self.tables.len()
    }

    /// The frequency that moves each channel most, in hertz, channel 0 first.
    pub fn best_frequencies_hz(&self) -> Vec<f64> {
        self.tables.iter().map(best_frequency_hz).collect()
    }

    /// Velocities of all channels, channels × steps at 24 000 steps a second.
    ///
    /// All of them are in memory at once: 4 bytes × channels × 24 000 for a second. The chain of
    /// [`InnerEar`](super::InnerEar) goes on channel by channel instead.
    ///
    /// # Panics
    /// If the sound is not at 48 kHz.
    pub fn motion(&self, sound: &Sound) -> Array2<f32> {
        let drive = self.drive(sound);
        let mut motion = vec![0.0; self.channels() * drive.steps];
        motion
            .par_chunks_mut(drive.steps)
            .enumerate()
            .for_each(|(channel, row)| self.channel(&drive, channel, row, &mut []));
        let shape = (self.channels(), drive.steps);
        // The vector was made for this shape.
        Array2::from_shape_vec(shape, motion).unwrap_or_default()
    }

    /// Mean square of the velocity in each of `bins` time bins, channels × bins.
    ///
    /// The bins are equally long to within a step, and together as long as the sound; there are at
    /// least 1 and at most as many as steps, whatever is asked for. The motion is kept of one channel
    /// a thread only.
    ///
    /// # Panics
    /// If the sound is not at 48 kHz.
    pub fn energy(&self, sound: &Sound, bins: usize) -> Array2<f32> {
        let drive = self.drive(sound);
        let steps = drive.steps;
        let bins = bins.clamp(1, steps);
        let mut energy = vec![0.0; self.channels() * bins];
        energy.par_chunks_mut(bins).enumerate().for_each_init(
            || vec![0.0; steps],
            |motion, (channel, row)| {
                self.channel(&drive, channel, motion, &mut []);
                for (bin, mean) in row.iter_mut().enumerate() {
                    let part = &motion[bin * steps / bins..(bin + 1) * steps / bins];
                    let squares = part.iter().map(|&x| f64::from(x) * f64::from(x));
                    *mean = (squares.sum::<f64>() / part.len() as f64) as f32;
                }
            },
        );
        // The vector was made for this shape.
        Array2::from_shape_vec((self.channels(), bins), energy).unwrap_or_default()
    }

    /// The sound's spectrum at the bins of a convenient inverse transform.
    pub(super) fn drive(&self, sound: &Sound) -> Drive {
        assert_eq!(sound.rate_hz(), EAR_RATE_HZ, "the ear works at 48 kHz");
        let samples = sound.samples();
        let (n, steps) = (samples.len(), samples.len() / 2 + 1);
        let length = smooth_at_least(steps + ROOM);
        // LAUSCHER's bin j lies at j·48000/n Hz of the sound, and step t of its output stands for
        // t·n/m samples. With another length L the same steps need bins k·(48000/n)·(m/L).
        let bins = length * (steps - 1) / steps + 1;
        // Its transfer function is taken at m frequencies from 1 to 24000 Hz.
        let lausche_bin_hz = (STEPS_PER_S - LOWEST_HZ) / (steps.max(2) - 1) as f64;
        Drive {
            spectrum: chirp_spectrum(samples, bins, steps, n * length),
            bin_hz: lausche_bin_hz * steps as f64 / length as f64,
            steps,
            inverse: RealFftPlanner::new().plan_fft_inverse(length),
        }
    }

    /// Writes the velocity of one channel; `motion` has the drive's steps. `wrapped` gets, for as many
    /// of the last steps as it has, up to [`WRAPPED_STEPS`], what of it is the answer to the sound's
    /// beginning: the answer comes before what it answers to, as LAUSCHER computes it.
    pub(super) fn channel(
        &self,
        drive: &Drive,
        channel: usize,
        motion: &mut [f32],
        wrapped: &mut [f32],
    ) {
        SCRATCH.with_borrow_mut(|scratch| {
            self.channel_with(drive, channel, scratch, motion, wrapped);
        });
    }

    fn channel_with(
        &self,
        drive: &Drive,
        channel: usize,
        s: &mut Scratch,
        motion: &mut [f32],
        wrapped: &mut [f32],
    ) {
        let length = drive.inverse.len();
        let half = length / 2;
        s.bins.resize(half + 1, Complex::default());
        s.motion.resize(length, 0.0);
        s.inner
            .resize(drive.inverse.get_scratch_len(), Complex::default());

        let (spectrum, table) = (&drive.spectrum, &self.tables[channel]);
        let moved = apply(table, drive.bin_hz, spectrum, &mut s.transfer, &mut s.bins);
        // What lies above half the rate of the steps is folded down.
        let (re, im) = &s.transfer;
        for (bin, x) in spectrum.iter().enumerate().take(moved).skip(half) {
            let value = Complex::new(f64::from(re[bin]), f64::from(im[bin])) * x;
            match length - bin {
                mirror if mirror == half => s.bins[half] += value.re,
                mirror => s.bins[mirror] += value.conj() * 0.5,
            }
        }
        // The lengths fit, and the first and last bins are real: nothing can fail.
        let done = drive
            .inverse
            .process_with_scratch(&mut s.bins, &mut s.motion, &mut s.inner);
        assert!(done.is_ok());

        wrap(&mut s.motion, motion);
        let scale = 1.0 / length as f64;
        let before = &s.motion[length - wrapped.len()..];
        for (out, x) in wrapped.iter_mut().zip(before) {
            *out = (x * scale) as f32;
        }
    }
}

/// Writes one period of `extended`, which is longer: what comes after its end belongs to its
/// beginning, and what comes before its beginning, at the very end, to its end.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn wrap(extended: &mut [f64], period: &mut [f32]) {
    let steps = period.len();
    let scale = 1.0 / extended.len() as f64;
    let (within, beyond) = extended.split_at_mut(steps);
    let (after, before) = beyond.split_at(beyond.len() / 2);
    for turn in after.chunks(steps) {
        for (x, &late) in within.iter_mut().zip(turn) {
            *x += late;
        }
    }
    for turn in before.rchunks(steps) {
        for (x, &early) in within[steps - turn.len()..].iter_mut().zip(turn) {
            *x += early;
        }
    }
    for (out, &x) in period.iter_mut().zip(within.iter()) {
        *out = (x * scale) as f32;
    }
}

/// Multiplies the spectrum by the transfer function, and leaves in `bins` what a transform to real
/// numbers needs for the real part: half of each bin, the first whole and real. Returns how many bins
/// the transfer function has; those from the last of `bins` on are left to the caller.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn apply(
    table: &Table<f32>,
    bin_hz: f64,
    spectrum: &[Complex<f64>],
    transfer: &mut (Vec<f32>, Vec<f32>),
    bins: &mut [Complex<f64>],
) -> usize {
    let (re, im) = transfer;
    table.sweep(bin_hz, spectrum.len(), re, im);
    let last = bins.len() - 1;
    let values = re.iter().zip(im.iter()).zip(spectrum);
    for (bin, ((&re, &im), x)) in bins[..last].iter_mut().zip(values) {
        let (re, im) = (f64::from(re) * 0.5, f64::from(im) * 0.5);
        *bin = Complex::new(re * x.re - im * x.im, re * x.im + im * x.re);
    }
    let moved = re.len();
    bins[moved.min(last)..].fill(Complex::default());
    bins[0] = Complex::from(2.0 * bins[0].re);
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EarPreset;

    fn membrane(channels: usize) -> BasilarMembrane {
        let settings = EarPreset::Shd.settings(channels);
        BasilarMembrane::new(&settings.basilar_membrane, channels).expect("a preset")
    }

    fn tone(hz: f64, samples: usize) -> Sound {
        let turn = std::f64::consts::TAU * hz / f64::from(EAR_RATE_HZ);
        let tone = (0..samples).map(|i| (i as f64 * turn).sin()).collect();
        Sound::new(tone, EAR_RATE_HZ).expect("a sound")
    }

    #[test]
    fn energy_is_the_mean_square_of_the_motion() {
        let (membrane, sound) = (membrane(9), tone(700.0, 1999));
        let motion = membrane.motion(&sound);
        assert_eq!(motion.ncols(), 1000);
        let energy = membrane.energy(&sound, 3);
        assert_eq!(energy.dim(), (9, 3));
        for (channel, row) in motion.outer_iter().enumerate() {
            for (bin, steps) in [(0, 0..333), (1, 333..666), (2, 666..1000)] {
                let part = &row.to_vec()[steps];
                let squares: f64 = part.iter().map(|&x| f64::from(x).powi(2)).sum();
                let expected = squares / part.len() as f64;
                let found = f64::from(energy[[channel, bin]]);
                assert!(
                    (found - expected).abs() <= 1e-6 * expected,
                    "{channel}, {bin}"
                );
            }
        }
        assert_eq!(membrane.energy(&sound, 0).dim(), (9, 1));
        assert_eq!(membrane.energy(&sound, 10_000).dim(), (9, 1000));
    }

    #[test]
    fn a_tone_moves_most_the_channel_that_is_best_at_it() {
        let membrane = membrane(200);
        let best_hz = membrane.best_frequencies_hz();
        for hz in [300.0, 1000.0, 4000.0, 9000.0] {
            let energy = membrane.energy(&tone(hz, 9600), 1);
            let rows = energy.column(0);
            let brightest = (0..200).max_by(|&a, &b| rows[a].total_cmp(&rows[b]));
            let found_hz = best_hz[brightest.expect("channels")];
            assert!(
                (found_hz / hz).ln().abs() < 0.05,
                "{hz} Hz moves {found_hz} Hz"
            );
        }
    }
}
