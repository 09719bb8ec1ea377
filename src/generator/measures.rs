//! How good samples are that a generator makes.
//!
//! In: drawn samples of a concept, and real ones. Out: how much they differ from one another, how near
//! they are to real ones, and how likely real ones are.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::samples::{for_each_set_bit, hamming};
use super::{BitSamples, GeneratorError, SampleGenerator};
use crate::ids::ClassId;

/// How much samples of a concept differ: shares of the bits, 0 for equal samples and 1 for opposite
/// ones. `None` where there are too few samples to tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Diversity {
    /// The mean over all pairs of drawn samples.
    pub drawn: Option<f64>,
    /// The mean over all pairs of real samples, for comparison.
    pub real: Option<f64>,
    /// From each drawn sample to the real one nearest to it, in the mean. Far below
    /// [`nearest_among_real`](Diversity::nearest_among_real), drawn samples are copies of real ones.
    pub nearest_real: Option<f64>,
    /// From each real sample to the nearest other one, in the mean.
    pub nearest_among_real: Option<f64>,
}

impl Diversity {
    /// Of drawn and real samples of the same concept. To see whether a generator learned by heart, the
    /// real ones are those that it learned from.
    ///
    /// ```
    /// use respike::generator::{BitSamples, Diversity};
    ///
    /// let mut real = BitSamples::new(4)?;
    /// for sample in [[true, true, false, false], [true, false, false, false], [false; 4]] {
    ///     real.push_bools(&sample)?;
    /// }
    /// let mut drawn = BitSamples::new(4)?;
    /// drawn.push_bools(&[true; 4])?;
    /// let diversity = Diversity::of(&drawn, &real)?;
    /// assert_eq!(diversity.drawn, None); // no pair
    /// assert_eq!(diversity.real, Some((1.0 + 2.0 + 1.0) / 3.0 / 4.0));
    /// assert_eq!(diversity.nearest_real, Some(2.0 / 4.0));
    /// assert_eq!(diversity.nearest_among_real, Some(1.0 / 4.0));
    /// # Ok::<(), respike::generator::GeneratorError>(())
    /// ```
    ///
    /// # Errors
    /// [`GeneratorError::WrongLength`] if they have not as many bits.
    pub fn of(drawn: &BitSamples, real: &BitSamples) -> Result<Self, GeneratorError> {
        real.check_length(drawn.bits())?;
        let to_real = |sample: &[u64]| nearest(sample, real.iter());
        let to_others = |index: usize| {
            let others = real.iter().enumerate().filter(|(other, _)| *other != index);
            nearest(real.words(index), others.map(|(_, sample)| sample))
        };
        let of_drawn: Vec<_> = (0..drawn.len())
            .into_par_iter()
            .map(|index| to_real(drawn.words(index)))
            .collect();
        let of_real: Vec<_> = (0..real.len()).into_par_iter().map(to_others).collect();
        Ok(Diversity {
            drawn: between_pairs(drawn),
            real: between_pairs(real),
            nearest_real: mean_share(&of_drawn, real.bits()),
            nearest_among_real: mean_share(&of_real, real.bits()),
        })
    }
}

/// The mean log-likelihood of samples under what a generator knows of their concept, in nats a bit.
///
/// # Errors
/// [`GeneratorError::UnknownConcept`], [`GeneratorError::WrongLength`], and
/// [`GeneratorError::NoSamples`] if there is none.
pub fn log_likelihood_per_bit(
    generator: &dyn SampleGenerator,
    concept: ClassId,
    samples: &BitSamples,
) -> Result<f64, GeneratorError> {
    let likelihoods = generator.mixture(concept)?.log_likelihoods(samples)?;
    if likelihoods.is_empty() {
        return Err(GeneratorError::NoSamples(concept));
    }
    let bits = samples.len() as f64 * samples.bits() as f64;
    Ok(likelihoods.iter().sum::<f64>() / bits)
}

/// The mean over all pairs: a bit that is set in s of n samples differs in s·(n − s) of them.
fn between_pairs(samples: &BitSamples) -> Option<f64> {
    let mut set = vec![0u64; samples.bits()];
    for sample in samples.iter() {
        for_each_set_bit(sample, |bit| set[bit] += 1);
    }
    let all = samples.len() as u64;
    let pairs = (all * all.saturating_sub(1) / 2) as f64;
    let differing: f64 = set.iter().map(|set| (set * (all - set)) as f64).sum();
    (all > 1).then(|| differing / pairs / samples.bits() as f64)
}

fn nearest<'a>(sample: &[u64], others: impl Iterator<Item = &'a [u64]>) -> Option<u64> {
    others.map(|other| hamming(sample, other)).min()
}

/// `None` if there is no distance, or none for one of them.
fn mean_share(distances: &[Option<u64>], bits: usize) -> Option<f64> {
    let sum: u64 = distances.iter().copied().sum::<Option<u64>>()?;
    (!distances.is_empty()).then(|| sum as f64 / distances.len() as f64 / bits as f64)
}
