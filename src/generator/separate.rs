use std::collections::BTreeMap;

use super::concepts::{check_new, place};
use super::em::fit;
use super::mixture::rounded;
use super::rounding::weight_bytes;
use super::saved::Parts;
use super::{
    BitSamples, FitTrace, Form, GeneratorError, Mixture, SampleGenerator, SeparateSettings,
};
use crate::ceiling;
use crate::ids::ClassId;
use crate::random::{MasterSeed, Purpose};
use crate::storage::Tensor;

/// Components for each concept alone: what comes later changes nothing of what came before.
///
/// What is learned of a concept depends on its samples and its class, not on what else was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct SeparateMixtures {
    bits: usize,
    settings: SeparateSettings,
    seed: MasterSeed,
    concepts: Vec<ClassId>,
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
            probabilities: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// How it learns.
    pub fn settings(&self) -> &SeparateSettings {
        &self.settings
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
        new: &[(ClassId, &BitSamples)],
    ) -> Result<Vec<FitTrace>, GeneratorError> {
        check_new(&self.concepts, new, self.bits)?;
        let components = self.settings.components;
        let concepts = self.concepts.len() + new.len();
        let what = format!("{components} components of {concepts} concepts");
        let needed = Form::Separate.bytes(components, self.bits, concepts);
        ceiling::check(&what, Some(needed))?;
        let fits = new.iter().map(|&(concept, samples)| {
            let number = u64::from(concept.0);
            let mut random = self
                .seed
                .named_stream(Purpose::Generator, b"separate", number);
            fit(&[samples], components, &self.settings.fit, &mut random)
        });
        // All are there before any is kept.
        let fits = fits.collect::<Result<Vec<_>, _>>()?;
        for ((concept, _), fitted) in new.iter().zip(&fits) {
            self.concepts.push(*concept);
            let bytes = rounded(&fitted.probabilities, components);
            self.probabilities.extend(bytes);
            self.weights.extend(weight_bytes(&fitted.weights));
        }
        Ok(fits.into_iter().map(|fitted| fitted.trace).collect())
    }

    fn bytes(&self) -> u64 {
        Form::Separate.bytes(self.settings.components, self.bits, self.concepts.len())
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
        let parts = Parts::from_tensors(tensors, self.bits, components, |concepts| concepts)?;
        self.concepts = parts.concepts;
        self.probabilities = parts.probabilities;
        self.weights = parts.weights;
        Ok(())
    }
}
