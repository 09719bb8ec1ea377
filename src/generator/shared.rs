use std::collections::BTreeMap;

use super::concepts::{check_new, check_samples, place};
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
/// When a concept comes, all components are fitted anew, from samples of that concept alone or with
/// samples of earlier ones, as [`SharedLearning`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedMixture {
    bits: usize,
    settings: SharedSettings,
    seed: MasterSeed,
    concepts: Vec<ClassId>,
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
            probabilities: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// How it learns.
    pub fn settings(&self) -> &SharedSettings {
        &self.settings
    }

    /// Learns a concept together with samples of earlier ones, such as a memory keeps, whatever
    /// [`SharedSettings::learning`] says. Weights of concepts that are not among `old` stay as they are.
    ///
    /// # Errors
    /// As [`learn`](SampleGenerator::learn), and [`GeneratorError::UnknownConcept`] if one of `old` was
    /// not learned before.
    pub fn learn_with(
        &mut self,
        concept: ClassId,
        samples: &BitSamples,
        old: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        let new = [(concept, samples)];
        check_new(&self.concepts, &new, self.bits)?;
        check_samples(old, self.bits)?;
        self.fit(&new, old)
    }

    /// Samples of each concept that was learned, drawn anew.
    fn replays(&self, of_each: usize) -> Result<Vec<BitSamples>, GeneratorError> {
        let learned = self.concepts.len() as u64;
        let words = [of_each, self.concepts.len(), self.bits.div_ceil(64), 8];
        let what = format!("{of_each} samples of each of {learned} concepts");
        ceiling::check(&what, ceiling::product(&words))?;
        let mut random = self
            .seed
            .named_stream(Purpose::Generator, b"replays", learned);
        let concepts = self.concepts.iter();
        concepts
            .map(|&concept| self.draw_many(concept, of_each, &mut random))
            .collect()
    }

    fn fit(
        &mut self,
        new: &[(ClassId, &BitSamples)],
        old: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        let components = self.settings.components;
        let places = old
            .iter()
            .map(|(concept, _)| place(&self.concepts, *concept));
        let places = places.collect::<Result<Vec<usize>, _>>()?;
        let both = old.iter().chain(new);
        let groups: Vec<&BitSamples> = both.map(|(_, samples)| *samples).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let learned = self.concepts.len() as u64;
        let mut random = self
            .seed
            .named_stream(Purpose::Generator, b"shared", learned);
        let fitted = fit(&groups, components, &self.settings.fit, &mut random)?;
        self.probabilities = rounded(&fitted.probabilities, components);
        let mut weights = fitted.weights.chunks_exact(components).map(weight_bytes);
        for (place, weights) in places.iter().zip(weights.by_ref()) {
            self.weights[place * components..][..components].copy_from_slice(&weights);
        }
        for ((concept, _), weights) in new.iter().zip(weights) {
            self.concepts.push(*concept);
            self.weights.extend(weights);
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
        new: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        check_new(&self.concepts, new, self.bits)?;
        let replays = match self.settings.learning {
            SharedLearning::Naive => Vec::new(),
            SharedLearning::Replay(of_each) => self.replays(of_each)?,
        };
        let known = self.concepts.clone();
        let old: Vec<_> = known.into_iter().zip(&replays).collect();
        self.fit(new, &old)
    }

    fn bytes(&self) -> u64 {
        Form::Shared.bytes(self.settings.components, self.bits, self.concepts.len())
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let parts = Parts {
            concepts: self.concepts.clone(),
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
        self.probabilities = parts.probabilities;
        self.weights = parts.weights;
        Ok(())
    }
}
