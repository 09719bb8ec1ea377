use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use super::concepts::{check_new, check_samples, note_samples, place};
use super::em::fit;
use super::mixture::rounded;
use super::rounding::weight_bytes;
use super::saved::Parts;
use super::{
    BitSamples, FitTrace, Form, GeneratorError, Mixture, SampleGenerator, SharedLearning,
    SharedSettings,
};
use crate::ceiling;
use crate::ids::ClassId;
use crate::random::{MasterSeed, Purpose};
use crate::storage::Tensor;

/// Components that all concepts share; each has weights of its own.
///
/// When a concept comes, or comes again, all components are fitted anew, from samples of that concept alone or
/// with samples of all that are known, as [`SharedLearning`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedMixture {
    bits: usize,
    settings: SharedSettings,
    seed: MasterSeed,
    concepts: Vec<ClassId>,
    learned_from: Vec<u16>,
    /// Components × bits; empty before anything was learned.
    probabilities: Vec<u8>,
    /// Concepts × components.
    weights: Vec<u8>,
}

impl SharedMixture {
    /// A generator of samples of `bits` bits that has learned nothing yet.
    ///
    /// # Errors
    /// [`GeneratorError`] for no bits, settings out of range, or more than may be used of the machine's
    /// memory (see [`ceiling`](crate::ceiling)).
    pub fn new(
        bits: usize,
        settings: SharedSettings,
        seed: MasterSeed,
    ) -> Result<Self, GeneratorError> {
        if bits == 0 {
            return Err(GeneratorError::NoBits);
        }
        settings.check()?;
        let components = settings.components;
        let what = format!("{components} components of {bits} bits");
        ceiling::check(&what, Some(Form::Shared.bytes(components, bits, 1)))?;
        Ok(SharedMixture {
            bits,
            settings,
            seed,
            concepts: Vec::new(),
            learned_from: Vec::new(),
            probabilities: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// How it learns.
    pub fn settings(&self) -> &SharedSettings {
        &self.settings
    }

    /// Learns a new concept together with samples of earlier ones, such as a memory keeps, whatever
    /// [`SharedSettings::learning`] says. Weights of concepts that are not among `old` stay as they are.
    ///
    /// # Errors
    /// As [`learn`](SampleGenerator::learn), and [`GeneratorError::KnownConcept`] if the new one is known,
    /// [`GeneratorError::UnknownConcept`] if one of `old` is not.
    pub fn learn_with(
        &mut self,
        concept: ClassId,
        samples: &BitSamples,
        old: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        let new = (concept, samples);
        check_new(&self.concepts, new, self.bits)?;
        check_samples(old, self.bits)?;
        for (concept, _) in old {
            place(&self.concepts, *concept)?;
        }
        let groups: Vec<_> = old.iter().copied().chain([new]).collect();
        self.fit(&groups, &[new])
    }

    /// Samples of each concept that was learned, drawn anew: as many as it was learned from, but at most so many.
    fn replays(&self, most: u16) -> Result<Vec<BitSamples>, GeneratorError> {
        let counts = self.learned_from.iter();
        let counts: Vec<usize> = counts.map(|count| usize::from(*count.min(&most))).collect();
        let all: usize = counts.iter().sum();
        let what = format!("{all} samples of {} concepts", counts.len());
        ceiling::check(
            &what,
            ceiling::product(&[all, self.bits.div_ceil(64), size_of::<u64>()]),
        )?;
        let mut random = self.stream(b"replays");
        let concepts = self.concepts.iter().zip(counts);
        concepts
            .map(|(&concept, count)| self.draw_many(concept, count, &mut random))
            .collect()
    }

    /// Of how much was learned so far.
    fn stream(&self, name: &[u8]) -> ChaCha8Rng {
        let learned_from = self.learned_from.iter().copied().map(u64::from).sum();
        self.seed
            .named_stream(Purpose::Generator, name, learned_from)
    }

    /// Fits components to groups of samples, of which those `given` have not been learned from before.
    fn fit(
        &mut self,
        groups: &[(ClassId, &BitSamples)],
        given: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        if given.is_empty() {
            return Ok(Vec::new());
        }
        let components = self.settings.components;
        let samples: Vec<&BitSamples> = groups.iter().map(|(_, samples)| *samples).collect();
        let mut random = self.stream(b"shared");
        let fitted = fit(&samples, components, &self.settings.fit, &mut random)?;
        note_samples((&mut self.concepts, &mut self.learned_from), given);
        self.probabilities = rounded(&fitted.probabilities, components);
        self.weights.resize(self.concepts.len() * components, 0);
        let weights = fitted.weights.chunks_exact(components).map(weight_bytes);
        for ((concept, _), weights) in groups.iter().zip(weights) {
            let place = place(&self.concepts, *concept)?;
            self.weights[place * components..][..components].copy_from_slice(&weights);
        }
        Ok(vec![fitted.trace])
    }
}

impl SampleGenerator for SharedMixture {
    fn bits(&self) -> usize {
        self.bits
    }

    fn concepts(&self) -> &[ClassId] {
        &self.concepts
    }

    fn mixture(&self, concept: ClassId) -> Result<Mixture<'_>, GeneratorError> {
        let (place, components) = (place(&self.concepts, concept)?, self.settings.components);
        Ok(Mixture::new(
            self.bits,
            &self.probabilities,
            &self.weights[place * components..][..components],
        ))
    }

    fn learn_together(
        &mut self,
        given: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        check_samples(given, self.bits)?;
        let mut drawn = match self.settings.learning {
            SharedLearning::Naive => Vec::new(),
            SharedLearning::Replay(most) => self.replays(most)?,
        };
        let mut new = Vec::new();
        for &(concept, samples) in given {
            let place = place(&self.concepts, concept);
            match place.ok().and_then(|place| drawn.get_mut(place)) {
                Some(drawn) => drawn.extend(samples)?,
                None => new.push((concept, samples)),
            }
        }
        let known = self.concepts.clone();
        let groups: Vec<_> = known.into_iter().zip(&drawn).chain(new).collect();
        self.fit(&groups, given)
    }

    fn learned_from(&self, concept: ClassId) -> Result<u16, GeneratorError> {
        Ok(self.learned_from[place(&self.concepts, concept)?])
    }

    fn bytes(&self) -> u64 {
        Form::Shared.bytes(self.settings.components, self.bits, self.concepts.len())
    }

    fn parameters(&self) -> u64 {
        (self.probabilities.len() + self.weights.len()) as u64
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let parts = Parts {
            concepts: self.concepts.clone(),
            learned_from: self.learned_from.clone(),
            probabilities: self.probabilities.clone(),
            weights: self.weights.clone(),
        };
        parts.tensors(self.bits, self.settings.components)
    }

    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), GeneratorError> {
        let components = self.settings.components;
        let mixtures = |concepts| usize::from(concepts > 0);
        let parts = Parts::from_tensors(tensors, self.bits, components, mixtures)?;
        self.concepts = parts.concepts;
        self.learned_from = parts.learned_from;
        self.probabilities = parts.probabilities;
        self.weights = parts.weights;
        Ok(())
    }
}
