use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use super::concepts::{check_samples, note_samples, place};
use super::em::fit;
use super::mixture::rounded;
use super::rounding::weight_bytes;
use super::saved::Parts;
use super::{
    BitSamples, FitTrace, Form, GeneratorError, MOST_DRAWN, Mixture, SampleGenerator,
    SeparateSettings,
};
use crate::ceiling;
use crate::ids::ClassId;
use crate::random::{MasterSeed, Purpose};
use crate::storage::Tensor;

/// Components for each concept alone: what comes later changes nothing of what came before.
///
/// What is learned of a concept depends on its samples and its class, not on what else was learned. One that
/// comes again is fitted anew, to its new samples and to as many drawn of it as it was learned from, but at most
/// [`MOST_DRAWN`].
#[derive(Debug, Clone, PartialEq)]
pub struct SeparateMixtures {
    bits: usize,
    settings: SeparateSettings,
    seed: MasterSeed,
    concepts: Vec<ClassId>,
    learned_from: Vec<u16>,
    /// Concepts × components × bits.
    probabilities: Vec<u8>,
    /// Concepts × components.
    weights: Vec<u8>,
}

impl SeparateMixtures {
    /// A generator of samples of `bits` bits that has learned nothing yet.
    ///
    /// # Errors
    /// [`GeneratorError`] for no bits, settings out of range, or more than may be used of the machine's
    /// memory (see [`ceiling`](crate::ceiling)).
    pub fn new(
        bits: usize,
        settings: SeparateSettings,
        seed: MasterSeed,
    ) -> Result<Self, GeneratorError> {
        if bits == 0 {
            return Err(GeneratorError::NoBits);
        }
        settings.check()?;
        let components = settings.components;
        let what = format!("{components} components of {bits} bits");
        ceiling::check(&what, Some(Form::Separate.bytes(components, bits, 1)))?;
        Ok(SeparateMixtures {
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
    pub fn settings(&self) -> &SeparateSettings {
        &self.settings
    }

    /// What a concept is fitted to: what comes of it, and what is drawn of it if it is known already.
    fn with_own(
        &self,
        concept: ClassId,
        samples: &BitSamples,
        learned_from: u16,
    ) -> Result<BitSamples, GeneratorError> {
        let mut random = self.stream(b"again", concept, learned_from);
        let count = usize::from(learned_from.min(MOST_DRAWN));
        let mut all = match count {
            0 => BitSamples::new(self.bits)?,
            _ => self.draw_many(concept, count, &mut random)?,
        };
        all.extend(samples)?;
        Ok(all)
    }

    /// Of a concept and of how often it came: so what is learned of it depends on nothing else.
    fn stream(&self, name: &[u8], concept: ClassId, learned_from: u16) -> ChaCha8Rng {
        let number = u64::from(concept.0) | u64::from(learned_from) << 16;
        self.seed.named_stream(Purpose::Generator, name, number)
    }
}

impl SampleGenerator for SeparateMixtures {
    fn bits(&self) -> usize {
        self.bits
    }

    fn concepts(&self) -> &[ClassId] {
        &self.concepts
    }

    fn mixture(&self, concept: ClassId) -> Result<Mixture<'_>, GeneratorError> {
        let (place, components) = (place(&self.concepts, concept)?, self.settings.components);
        let each = components * self.bits;
        Ok(Mixture::new(
            self.bits,
            &self.probabilities[place * each..][..each],
            &self.weights[place * components..][..components],
        ))
    }

    fn learn_together(
        &mut self,
        given: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        check_samples(given, self.bits)?;
        let (components, bits) = (self.settings.components, self.bits);
        let new = given
            .iter()
            .filter(|(concept, _)| !self.concepts.contains(concept));
        let concepts = self.concepts.len() + new.count();
        let what = format!("{components} components of {concepts} concepts");
        let needed = Form::Separate.bytes(components, bits, concepts);
        ceiling::check(&what, Some(needed))?;
        let fits = given.iter().map(|&(concept, samples)| {
            let learned_from = self.learned_from(concept).unwrap_or(0);
            let all = self.with_own(concept, samples, learned_from)?;
            let mut random = self.stream(b"separate", concept, learned_from);
            let fitted = fit(&[&all], components, &self.settings.fit, &mut random)?;
            Ok(fitted)
        });
        // All are there before any is kept.
        let fits = fits.collect::<Result<Vec<_>, GeneratorError>>()?;
        note_samples((&mut self.concepts, &mut self.learned_from), given);
        self.probabilities.resize(concepts * components * bits, 0);
        self.weights.resize(concepts * components, 0);
        for ((concept, _), fitted) in given.iter().zip(&fits) {
            let place = place(&self.concepts, *concept)?;
            let probabilities = rounded(&fitted.probabilities, components);
            self.probabilities[place * components * bits..][..components * bits]
                .copy_from_slice(&probabilities);
            self.weights[place * components..][..components]
                .copy_from_slice(&weight_bytes(&fitted.weights));
        }
        Ok(fits.into_iter().map(|fitted| fitted.trace).collect())
    }

    fn learned_from(&self, concept: ClassId) -> Result<u16, GeneratorError> {
        Ok(self.learned_from[place(&self.concepts, concept)?])
    }

    fn bytes(&self) -> u64 {
        Form::Separate.bytes(self.settings.components, self.bits, self.concepts.len())
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
        let parts = Parts::from_tensors(tensors, self.bits, components, |concepts| concepts)?;
        self.concepts = parts.concepts;
        self.learned_from = parts.learned_from;
        self.probabilities = parts.probabilities;
        self.weights = parts.weights;
        Ok(())
    }
}
