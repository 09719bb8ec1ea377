use rayon::prelude::*;

use super::samples::for_each_set_bit;

/// Bits whose logarithms are taken at a time.
const BITS_PER_CHUNK: usize = 64;

/// Logarithms of the probabilities of bits, laid out so that a sample costs what its set bits cost.
///
/// log p(x) is the sum over all bits of log(1 − p), and over the set bits of log p − log(1 − p).
pub(super) struct LogTable {
    components: usize,
    /// log p − log(1 − p): bits × components.
    odds: Vec<f64>,
    /// For each component, the log-likelihood of a sample without a set bit, in nats.
    silent: Vec<f64>,
}

impl LogTable {
    /// Of probabilities (bits × components), none 0 or 1.
    pub(super) fn new(probabilities: &[f64], components: usize) -> Self {
        let mut odds = vec![0.0; probabilities.len()];
        let mut clear = vec![0.0; probabilities.len()];
        let chunk = BITS_PER_CHUNK * components;
        let chunks = odds.par_chunks_mut(chunk).zip(clear.par_chunks_mut(chunk));
        chunks
            .zip(probabilities.par_chunks(chunk))
            .for_each(|((odds, clear), probabilities)| {
                for ((odds, clear), p) in odds.iter_mut().zip(clear).zip(probabilities) {
                    *clear = (1.0 - p).ln();
                    *odds = p.ln() - *clear;
                }
            });
        // In the order of the bits, whatever the threads.
        let mut silent = vec![0.0; components];
        for row in clear.chunks_exact(components) {
            add(&mut silent, row);
        }
        LogTable {
            components,
            odds,
            silent,
        }
    }

    /// The sum over all bits and components of log p + log(1 − p).
    pub(super) fn sum_of_logs(&self) -> f64 {
        self.odds.iter().sum::<f64>() + 2.0 * self.silent.iter().sum::<f64>()
    }

    /// For each component, log weight + log p(x), into `scores`.
    #[inline]
    pub(super) fn scores(&self, sample: &[u64], log_weights: &[f64], scores: &mut [f64]) {
        for ((score, silent), log_weight) in scores.iter_mut().zip(&self.silent).zip(log_weights) {
            *score = silent + log_weight;
        }
        for_each_set_bit(sample, |bit| {
            add(
                scores,
                &self.odds[bit * self.components..][..self.components],
            );
        });
    }
}

/// Turns scores into shares of the components, and returns the logarithm of the sum of their
/// exponentials, the sample's log-likelihood. At least one score is finite.
#[inline]
pub(super) fn shares(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
    largest + sum.ln()
}

#[inline(always)]
pub(super) fn add(to: &mut [f64], row: &[f64]) {
    for (to, value) in to.iter_mut().zip(row) {
        *to += value;
    }
}
