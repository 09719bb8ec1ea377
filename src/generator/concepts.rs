//! Which concepts are known, how much each was learned from, and what may be learned next to them.

use super::samples::check_length;
use super::{BitSamples, GeneratorError};
use crate::ids::ClassId;

/// Refuses what cannot be learned as new: a known concept, and what [`check_samples`] refuses.
pub(super) fn check_new(
    known: &[ClassId],
    new: (ClassId, &BitSamples),
    bits: usize,
) -> Result<(), GeneratorError> {
    if known.contains(&new.0) {
        return Err(GeneratorError::KnownConcept(new.0));
    }
    check_samples(&[new], bits)
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

/// Notes that concepts were learned from more samples; new ones come last.
pub(super) fn note_samples(
    (concepts, learned_from): (&mut Vec<ClassId>, &mut Vec<u16>),
    given: &[(ClassId, &BitSamples)],
) {
    for (concept, samples) in given {
        let more = u16::try_from(samples.len()).unwrap_or(u16::MAX);
        match place(concepts, *concept) {
            Ok(place) => learned_from[place] = learned_from[place].saturating_add(more),
            Err(_) => {
                concepts.push(*concept);
                learned_from.push(more);
            }
        }
    }
}

/// The place of a concept in the order in which it came.
pub(super) fn place(known: &[ClassId], concept: ClassId) -> Result<usize, GeneratorError> {
    let place = known.iter().position(|other| *other == concept);
    place.ok_or(GeneratorError::UnknownConcept(concept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stop_at_the_largest_and_new_concepts_come_last() {
        let mut samples = BitSamples::new(1).expect("a bit");
        for _ in 0..600 {
            samples.push_bools(&[true]).expect("one bit");
        }
        let (mut concepts, mut counts) = (vec![ClassId(3), ClassId(1)], vec![65_000, 7]);
        let given = [
            (ClassId(1), &samples),
            (ClassId(0), &samples),
            (ClassId(3), &samples),
        ];
        note_samples((&mut concepts, &mut counts), &given);
        assert_eq!(concepts, [ClassId(3), ClassId(1), ClassId(0)]);
        assert_eq!(counts, [65_535, 607, 600]);
    }
}
