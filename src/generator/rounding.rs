//! Parameters in a byte each.
//!
//! In: probabilities of bits, and mixing weights that sum to 1. Out: bytes, and what these stand for.
//!
//! The byte q of a bit stands for p(q) = sin²(π/2 · (q + ½)/256): the scale on which the sampling
//! error of a proportion is the same everywhere. It is fine where spikes are rare (the smallest p is
//! 9.4e-6, so silent bits stay silent when drawn) and costs at most 2.5e-5 nats a bit everywhere. No
//! p is 0 or 1, so no sample has a likelihood of 0.
//!
//! The weights of a concept are whole numbers of 255ths that sum to 255, so they still sum to 1.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};
use std::sync::LazyLock;

/// What the weights of a concept sum to.
pub(super) const WEIGHT_SUM: u8 = u8::MAX;

static PROBABILITIES: LazyLock<[f64; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| (FRAC_PI_2 * (byte as f64 + 0.5) / 256.0).sin().powi(2))
});

/// A number below which a draw of 32 bits lies with the probability of a byte.
static THRESHOLDS: LazyLock<[u32; 256]> =
    LazyLock::new(|| PROBABILITIES.map(|p| (p * 2f64.powi(32)).round() as u32));

/// The probability that a byte stands for.
pub(super) fn probability(byte: u8) -> f64 {
    PROBABILITIES[usize::from(byte)]
}

/// For each byte, a number below which a draw of 32 bits lies with its probability.
pub(super) fn thresholds() -> &'static [u32; 256] {
    &THRESHOLDS
}

/// The byte that stands for what is nearest to a probability on the scale of the bytes.
pub(super) fn probability_byte(probability: f64) -> u8 {
    let place = probability.clamp(0.0, 1.0).sqrt().asin() * FRAC_2_PI;
    // Up to 256, which saturates.
    (place * 256.0) as u8
}

/// The 255ths of each of some weights that sum to 1: each rounded down, and what is left to those
/// that lost most, the first of equals first.
pub(super) fn weight_bytes(weights: &[f64]) -> Vec<u8> {
    let parts = weights.iter().map(|weight| weight * f64::from(WEIGHT_SUM));
    let parts: Vec<f64> = parts.collect();
    let mut bytes: Vec<u8> = parts.iter().map(|part| *part as u8).collect();
    let given: usize = bytes.iter().map(|&byte| usize::from(byte)).sum();
    let mut by_loss: Vec<usize> = (0..parts.len()).collect();
    by_loss.sort_by(|&a, &b| parts[b].fract().total_cmp(&parts[a].fract()));
    let left = usize::from(WEIGHT_SUM).saturating_sub(given);
    // Fewer than there are weights, but for rounding errors of the sum.
    for &component in by_loss.iter().cycle().take(left) {
        bytes[component] = bytes[component].saturating_add(1);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_stands_for_a_probability_that_gives_it_back() {
        for byte in 0..=u8::MAX {
            assert_eq!(probability_byte(probability(byte)), byte);
            let drawn = f64::from(thresholds()[usize::from(byte)]) / 2f64.powi(32);
            assert!((drawn - probability(byte)).abs() < 1e-9);
        }
        assert_eq!(probability_byte(0.0), 0);
        assert_eq!(probability_byte(1.0), 255);
        assert!((0..u8::MAX).all(|byte| probability(byte) < probability(byte + 1)));
        // sin²(π/1024), and as far from 1.
        assert!((probability(0) - 9.412_32e-6).abs() < 1e-10);
        assert!((probability(255) - (1.0 - 9.412_32e-6)).abs() < 1e-10);
    }

    proptest! {
        #[test]
        fn rounding_costs_next_to_nothing(p in 0.0f64..=1.0) {
            let q = probability(probability_byte(p));
            let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
            prop_assert!(part(p, q) + part(1.0 - p, 1.0 - q) < 2.5e-5);
        }

        #[test]
        fn weights_sum_to_one(parts in prop::collection::vec(0.0f64..1.0, 1..400)) {
            let sum: f64 = parts.iter().sum::<f64>() + 1e-9;
            let weights: Vec<f64> = parts.iter().map(|part| (part + 1e-9 / parts.len() as f64) / sum).collect();
            let bytes = weight_bytes(&weights);
            let sum: usize = bytes.iter().map(|&byte| usize::from(byte)).sum();
            prop_assert_eq!(sum, 255);
            for (byte, weight) in bytes.iter().zip(&weights) {
                prop_assert!((f64::from(*byte) / 255.0 - weight).abs() < 1.01 / 255.0);
            }
        }
    }

    #[test]
    fn weights_by_hand() {
        assert_eq!(weight_bytes(&[1.0]), [255]);
        assert_eq!(weight_bytes(&[0.5, 0.5]), [128, 127]);
        assert_eq!(weight_bytes(&[0.999, 0.001]), [255, 0]);
    }
}
