//! Generators: samples of what was learned before, made anew instead of kept.
//!
//! In: packed bits of samples, all of a length, class by class ("concepts"). Out: as many new samples
//! of each concept as are wanted, to be decoded and replayed like kept ones. Each concept is a mixture
//! of components, each component a probability for every bit, fitted by expectation maximisation and
//! kept in a byte a parameter; no sample is kept. [`SeparateMixtures`] has components for each concept
//! alone, so it cannot forget. [`SharedMixture`] has components that all concepts share, so it forgets
//! unless it learns from samples of earlier concepts again, its own ([`SharedLearning::Replay`]) or
//! kept ones ([`SharedMixture::learn_with`]). A concept that comes again is learned again, from its new
//! samples and from samples that the generator makes of it.
//!
//! [`Form`] says how many components a budget in bytes has room for. [`Diversity`] and
//! [`log_likelihood_per_bit`] say how good the samples are.
//!
//! ```
//! use respike::generator::{
//!     BitSamples, Diversity, Form, SampleGenerator, SeparateMixtures, SeparateSettings,
//!     log_likelihood_per_bit,
//! };
//! use respike::ids::{ClassId, TimeStep, Unit};
//! use respike::random::{MasterSeed, Purpose};
//! use respike::replay::{CodecSettings, decode_spikes, encode_spikes};
//! use respike::spikes::SpikeRaster;
//!
//! // Sweeps over 8 units that begin at one of three steps; ten steps become a bit.
//! let codec = CodecSettings::or(10)?;
//! let mut sweeps = BitSamples::new(10 * 8)?;
//! for sample in 0..60 {
//!     let mut spikes = SpikeRaster::new(100, 8)?;
//!     for unit in 0..8 {
//!         spikes.set(TimeStep(unit * 10 + sample % 3 * 10), Unit(unit));
//!     }
//!     sweeps.push(&encode_spikes(&codec, &spikes))?;
//! }
//!
//! let components = Form::Separate.components_within(400, sweeps.bits(), 1)?;
//! assert_eq!(components, 4); // of 81 bytes each
//! let settings = SeparateSettings::new(components);
//! let mut generator = SeparateMixtures::new(sweeps.bits(), settings, MasterSeed(1))?;
//! generator.learn(ClassId(0), &sweeps)?;
//! assert_eq!(generator.bytes(), 64 + 4 + 4 * 80 + 4);
//!
//! let mut random = MasterSeed(2).stream(Purpose::Generator);
//! let drawn = generator.draw_many(ClassId(0), 200, &mut random)?;
//! let replay = decode_spikes(&codec, 100, 8, &drawn.sample(0))?;
//! assert!((6..=10).contains(&replay.count()));
//!
//! let diversity = Diversity::of(&drawn, &sweeps)?;
//! let (drawn, real) = (diversity.drawn.unwrap(), diversity.real.unwrap());
//! assert!((drawn - real).abs() < 0.02);
//! assert!(log_likelihood_per_bit(&generator, ClassId(0), &sweeps)? > -0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod concepts;
mod em;
mod error;
mod log_table;
mod measures;
mod mixture;
mod rounding;
mod samples;
mod saved;
mod seeding;
mod separate;
mod settings;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Debug;

use bitvec::prelude::{BitVec, Lsb0};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use budget::Form;
pub use error::GeneratorError;
pub use measures::{Diversity, log_likelihood_per_bit};
pub use mixture::Mixture;
pub use samples::BitSamples;
pub use separate::SeparateMixtures;
pub use settings::{FitSettings, MOST_DRAWN, SeparateSettings, SharedLearning, SharedSettings};
pub use shared::SharedMixture;

use crate::ids::ClassId;
use crate::storage::Tensor;

/// Learns concepts as they come, and makes samples of any that it has learned.
pub trait SampleGenerator: Debug + Send + Sync {
    /// Bits of every sample.
    fn bits(&self) -> usize;

    /// What was learned, in the order in which it came.
    fn concepts(&self) -> &[ClassId];

    /// What is known of a concept.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownConcept`].
    fn mixture(&self, concept: ClassId) -> Result<Mixture<'_>, GeneratorError>;

    /// Learns concepts that come at the same time, and says how each fit went. One that is known already
    /// keeps its place among [`concepts`](SampleGenerator::concepts).
    ///
    /// # Errors
    /// [`GeneratorError`] if a concept is given twice or without samples, or samples have another length.
    /// The generator is what it was then.
    fn learn_together(
        &mut self,
        new: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError>;

    /// How many samples a concept was learned from so far, those that were drawn not counted; 65535 for
    /// more.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownConcept`].
    fn learned_from(&self, concept: ClassId) -> Result<u16, GeneratorError>;

    /// Bytes of all that is kept: a byte for each probability and weight, 4 for each concept's class and
    /// number of samples, and 64 for the rest. Samples that are drawn to learn from are dropped, and not
    /// counted.
    fn bytes(&self) -> u64;

    /// Probabilities and weights, a byte each.
    fn parameters(&self) -> u64;

    /// All that is kept, as arrays for a [`TensorFile`](crate::storage::TensorFile); settings and seed
    /// are the caller's to keep.
    fn tensors(&self) -> BTreeMap<String, Tensor>;

    /// Takes over what [`tensors`](SampleGenerator::tensors) gave for a generator of the same bits and
    /// components.
    ///
    /// # Errors
    /// [`GeneratorError::BadTensors`]; the generator is what it was then.
    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), GeneratorError>;

    /// Learns a concept, and says how each fit went.
    ///
    /// # Errors
    /// As [`learn_together`](SampleGenerator::learn_together).
    fn learn(
        &mut self,
        concept: ClassId,
        samples: &BitSamples,
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        self.learn_together(&[(concept, samples)])
    }

    /// Makes a sample of a concept.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownConcept`].
    fn draw(
        &self,
        concept: ClassId,
        random: &mut ChaCha8Rng,
    ) -> Result<BitVec<u64, Lsb0>, GeneratorError> {
        Ok(self.mixture(concept)?.draw(random))
    }

    /// Makes several samples of a concept, one after the other.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownConcept`].
    fn draw_many(
        &self,
        concept: ClassId,
        count: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<BitSamples, GeneratorError> {
        let mixture = self.mixture(concept)?;
        let mut drawn = BitSamples::new(self.bits())?;
        for _ in 0..count {
            drawn.push(&mixture.draw(random))?;
        }
        Ok(drawn)
    }
}

/// How a fit went: figures before the first step and after each, in nats over all samples that were
/// fitted to, before parameters were rounded. Of several starts, the one that was kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FitTrace {
    /// What is maximised: the log-likelihood and the logarithm of the prior (see
    /// [`FitSettings::smoothing`]). It never falls.
    pub objectives: Vec<f64>,
    /// The log-likelihood alone; it never falls without smoothing.
    pub log_likelihoods: Vec<f64>,
}

impl FitTrace {
    /// What was reached of the objective.
    pub fn objective(&self) -> f64 {
        self.objectives.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}
