//! Which concepts are known, and what may be learned next to them.

use super::samples::check_length;
use super::{BitSamples, GeneratorError};
use crate::ids::ClassId;

/// Refuses what cannot be learned as new: known concepts, and what [`check_samples`] refuses.
pub(super) fn check_new(
    known: &[ClassId],
    new: &[(ClassId, &BitSamples)],
    bits: usize,
) -> Result<(), GeneratorError> {
    for (concept, _) in new {
        if known.contains(concept) {
            return Err(GeneratorError::KnownConcept(*concept));
        }
    }
    check_samples(new, bits)
}

/// Refuses concepts that come twice, and samples that are none or of another length.
pub(super) fn check_samples(
    given: &[(ClassId, &BitSamples)],
    bits: usize,
) -> Result<(), GeneratorError> {
    for (index, (concept, samples)) in given.iter().enumerate() {
        if given[..index].iter().any(|(other, _)| other == concept) {
            return Err(GeneratorError::GivenTwice(*concept));
        }
        check_length(samples.bits(), bits)?;
        if samples.is_empty() {
            return Err(GeneratorError::NoSamples(*concept));
        }
    }
    Ok(())
}

/// The place of a concept in the order in which it came.
pub(super) fn place(known: &[ClassId], concept: ClassId) -> Result<usize, GeneratorError> {
    let place = known.iter().position(|other| *other == concept);
    place.ok_or(GeneratorError::UnknownConcept(concept))
}
