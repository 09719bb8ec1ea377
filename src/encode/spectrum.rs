//! A sound's spectrum at frequencies that need not be multiples of one over its length.

use std::f64::consts::PI;
use std::sync::Arc;

use num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Σ x(t)·exp(−2πi·t·k·numerator / denominator) for k from 0 to `bins` − 1.
///
/// A chirp z-transform (Bluestein 1970; Rabiner, Schafer & Rader 1969): t·k is written as
/// (t² + k² − (k − t)²) / 2, which makes the sum a convolution. The phases are reduced in integers,
/// so that they are exact however long the sound is.
pub(super) fn chirp_spectrum(
    samples: &[f64],
    bins: usize,
    numerator: usize,
    denominator: usize,
) -> Vec<Complex<f64>> {
    let chirp = |i: usize| {
        let turns = (i as u128 * i as u128 * numerator as u128) % (2 * denominator as u128);
        Complex::from_polar(1.0, PI * turns as f64 / denominator as f64)
    };
    let length = smooth_at_least(samples.len() + bins - 1);
    let mut planner = FftPlanner::new();
    let forward: Arc<dyn Fft<f64>> = planner.plan_fft_forward(length);
    let inverse: Arc<dyn Fft<f64>> = planner.plan_fft_inverse(length);

    let mut signal = vec![Complex::default(); length];
    for (i, (slot, &x)) in signal.iter_mut().zip(samples).enumerate() {
        *slot = chirp(i).conj() * x;
    }
    let mut filter = vec![Complex::default(); length];
    for i in 0..bins.max(samples.len()) {
        let value = chirp(i);
        if i < bins {
            filter[i] = value;
        }
        if i > 0 && i < samples.len() {
            filter[length - i] = value;
        }
    }
    forward.process(&mut signal);
    forward.process(&mut filter);
    for (a, b) in signal.iter_mut().zip(&filter) {
        *a *= b;
    }
    inverse.process(&mut signal);
    signal.truncate(bins);
    for (k, value) in signal.iter_mut().enumerate() {
        *value *= chirp(k).conj() / length as f64;
    }
    signal
}

/// The smallest even number from `least` on with no prime factor above 5: quick to transform.
pub(super) fn smooth_at_least(least: usize) -> usize {
    let smooth = |n: usize| {
        let mut rest = n;
        for prime in [2, 3, 5] {
            while rest.is_multiple_of(prime) {
                rest /= prime;
            }
        }
        rest == 1
    };
    (least.max(2).next_multiple_of(2)..)
        .step_by(2)
        .find(|&n| smooth(n))
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chirp_transform_is_the_sum_that_defines_it() {
        let samples: Vec<f64> = (0..37).map(|i| f64::from(i * i % 11) - 4.0).collect();
        let (bins, numerator, denominator) = (29, 7, 240);
        let spectrum = chirp_spectrum(&samples, bins, numerator, denominator);
        for (k, value) in spectrum.iter().enumerate() {
            let step = -2.0 * PI * (k * numerator) as f64 / denominator as f64;
            let terms = samples.iter().enumerate();
            let sum: Complex<f64> = terms
                .map(|(t, &x)| Complex::from_polar(x, step * t as f64))
                .sum();
            assert!((sum - value).norm() < 1e-11, "bin {k}: {sum} and {value}");
        }
    }

    #[test]
    fn lengths_are_smooth_even_and_the_next() {
        assert_eq!(smooth_at_least(1), 2);
        assert_eq!(smooth_at_least(19), 20);
        assert_eq!(smooth_at_least(24_001), 24_300);
    }
}
