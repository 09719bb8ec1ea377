use bitvec::prelude::{BitVec, Lsb0};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::GeneratorError;
use super::log_table::{LogTable, shares};
use super::rounding::{WEIGHT_SUM, probability, probability_byte, thresholds};
use super::samples::{BitSamples, WORD_BITS};

/// Samples whose likelihoods are computed at a time.
const SAMPLES_PER_BLOCK: usize = 16;

/// What a generator knows of one concept: a mixture of components, as it is kept, a byte a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Mixture<'a> {
    bits: usize,
    /// Components × bits.
    probabilities: &'a [u8],
    /// 255ths, which sum to 255.
    weights: &'a [u8],
}

impl<'a> Mixture<'a> {
    /// Over bytes that fit together.
    pub(super) fn new(bits: usize, probabilities: &'a [u8], weights: &'a [u8]) -> Self {
        assert_eq!(probabilities.len(), bits * weights.len());
        Mixture {
            bits,
            probabilities,
            weights,
        }
    }

    /// Number of components, those of weight 0 included.
    pub fn components(self) -> usize {
        self.weights.len()
    }

    /// The weight of each component; they sum to 1.
    pub fn weights(self) -> Vec<f64> {
        self.weights.iter().map(|&byte| share(byte)).collect()
    }

    /// The probability of each bit in one component.
    ///
    /// # Panics
    /// If there are not that many components.
    pub fn probabilities(self, component: usize) -> Vec<f64> {
        let bytes = &self.probabilities[component * self.bits..][..self.bits];
        bytes.iter().map(|&byte| probability(byte)).collect()
    }

    /// The probability of each bit, over all components.
    pub fn means(self) -> Vec<f64> {
        let mut means = vec![0.0; self.bits];
        let components = self.probabilities.chunks_exact(self.bits);
        for (bytes, &weight) in components.zip(self.weights) {
            for (mean, &byte) in means.iter_mut().zip(bytes) {
                *mean += share(weight) * probability(byte);
            }
        }
        means
    }

    /// A sample made anew; its bits can be decoded as those of a kept one. Takes about as many 32-bit
    /// words of the stream as there are bits.
    pub fn draw(self, random: &mut ChaCha8Rng) -> BitVec<u64, Lsb0> {
        let mut left = random.random_range(0..WEIGHT_SUM);
        let mut component = 0;
        // Weights sum to 255, so one is reached that is larger than what is left.
        while left >= self.weights[component] {
            left -= self.weights[component];
            component += 1;
        }
        let thresholds = thresholds();
        let bytes = &self.probabilities[component * self.bits..][..self.bits];
        let words = bytes.chunks(WORD_BITS).map(|bytes| {
            let bits = bytes.iter().enumerate();
            bits.fold(0, |word, (bit, &byte)| {
                let set = random.next_u32() < thresholds[usize::from(byte)];
                word | u64::from(set) << bit
            })
        });
        let mut sample = BitVec::from_vec(words.collect());
        sample.truncate(self.bits);
        sample
    }

    /// The log-likelihood of each sample, in nats.
    ///
    /// # Errors
    /// [`GeneratorError::WrongLength`].
    pub fn log_likelihoods(self, samples: &BitSamples) -> Result<Vec<f64>, GeneratorError> {
        super::samples::check_length(samples.bits(), self.bits)?;
        let components = self.components();
        let probabilities: Vec<f64> = (0..self.bits)
            .flat_map(|bit| self.probabilities.iter().skip(bit).step_by(self.bits))
            .map(|&byte| probability(byte))
            .collect();
        let table = LogTable::new(&probabilities, components);
        let log_weights: Vec<f64> = self.weights().iter().map(|weight| weight.ln()).collect();
        let mut likelihoods = vec![0.0; samples.len()];
        let blocks = likelihoods.par_chunks_mut(SAMPLES_PER_BLOCK).enumerate();
        blocks.for_each(|(block, likelihoods)| {
            let mut scores = vec![0.0; components];
            for (index, likelihood) in likelihoods.iter_mut().enumerate() {
                let row = samples.words(block * SAMPLES_PER_BLOCK + index);
                table.scores(row, &log_weights, &mut scores);
                *likelihood = shares(&mut scores);
            }
        });
        Ok(likelihoods)
    }
}

fn share(weight: u8) -> f64 {
    f64::from(weight) / f64::from(WEIGHT_SUM)
}

/// Bytes of probabilities, components × bits, from bits × components.
pub(super) fn rounded(probabilities: &[f64], components: usize) -> Vec<u8> {
    (0..components)
        .flat_map(|component| probabilities.iter().skip(component).step_by(components))
        .map(|&p| probability_byte(p))
        .collect()
}
