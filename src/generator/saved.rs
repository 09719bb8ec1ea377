//! What a generator keeps, as arrays of a safetensors file and back.
//!
//! In and out: `shape` (bits, components), `concepts` (classes in the order in which they came),
//! `learned_from` (the number of samples that each was learned from),
//! `probabilities` (components × bits, mixture after mixture) and `weights` (concepts × components).
//! The last two are bytes, eight to a 64-bit word, the lowest first; the last word is filled with 0.

use std::collections::BTreeMap;

use super::GeneratorError;
use super::rounding::WEIGHT_SUM;
use crate::ids::ClassId;
use crate::storage::Tensor;

/// All that a generator keeps.
pub(super) struct Parts {
    pub(super) concepts: Vec<ClassId>,
    pub(super) learned_from: Vec<u16>,
    pub(super) probabilities: Vec<u8>,
    pub(super) weights: Vec<u8>,
}

impl Parts {
    pub(super) fn tensors(&self, bits: usize, components: usize) -> BTreeMap<String, Tensor> {
        let shape = vec![bits as u64, components as u64];
        let concepts = self.concepts.iter().map(|concept| concept.0).collect();
        BTreeMap::from([
            ("shape".to_string(), Tensor::U64(shape)),
            ("concepts".to_string(), Tensor::U16(concepts)),
            (
                "learned_from".to_string(),
                Tensor::U16(self.learned_from.clone()),
            ),
            ("probabilities".to_string(), packed(&self.probabilities)),
            ("weights".to_string(), packed(&self.weights)),
        ])
    }

    /// `mixtures` says how many sets of components so many concepts have.
    pub(super) fn from_tensors(
        tensors: &BTreeMap<String, Tensor>,
        bits: usize,
        components: usize,
        mixtures: impl FnOnce(usize) -> usize,
    ) -> Result<Self, GeneratorError> {
        match tensors.get("shape") {
            Some(Tensor::U64(shape)) if shape[..] == [bits as u64, components as u64] => {}
            Some(Tensor::U64(shape)) if shape.len() == 2 => {
                return Err(GeneratorError::BadTensors(format!(
                    "{} components of {} bits, where {components} of {bits} are needed",
                    shape[1], shape[0]
                )));
            }
            _ => return Err(missing("shape")),
        }
        let concepts: Vec<ClassId> = match tensors.get("concepts") {
            Some(Tensor::U16(concepts)) => concepts.iter().copied().map(ClassId).collect(),
            _ => return Err(missing("concepts")),
        };
        for (index, concept) in concepts.iter().enumerate() {
            if concepts[..index].contains(concept) {
                let reason = format!("{concept} stands in `concepts` twice");
                return Err(GeneratorError::BadTensors(reason));
            }
        }
        let learned_from = match tensors.get("learned_from") {
            Some(Tensor::U16(counts)) if counts.len() == concepts.len() => counts.clone(),
            _ => return Err(missing("learned_from")),
        };
        if let Some((concept, _)) = concepts.iter().zip(&learned_from).find(|(_, n)| **n == 0) {
            let reason = format!("{concept} was learned from no sample");
            return Err(GeneratorError::BadTensors(reason));
        }
        // No product of sizes that are held, or of a list's length, overflows 128 bits.
        let of_mixture = components as u128 * bits as u128;
        let probabilities = mixtures(concepts.len()) as u128 * of_mixture;
        let probabilities = unpacked(tensors, "probabilities", probabilities)?;
        let weights = concepts.len() as u128 * components as u128;
        let weights = unpacked(tensors, "weights", weights)?;
        for (concept, weights) in concepts.iter().zip(weights.chunks_exact(components)) {
            let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
            if sum != u64::from(WEIGHT_SUM) {
                let reason = format!("the weights of {concept} sum to {sum}, not {WEIGHT_SUM}");
                return Err(GeneratorError::BadTensors(reason));
            }
        }
        Ok(Parts {
            concepts,
            learned_from,
            probabilities,
            weights,
        })
    }
}

fn packed(bytes: &[u8]) -> Tensor {
    let words = bytes.chunks(8).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    });
    Tensor::U64(words.collect())
}

fn unpacked(
    tensors: &BTreeMap<String, Tensor>,
    name: &'static str,
    len: u128,
) -> Result<Vec<u8>, GeneratorError> {
    match tensors.get(name) {
        Some(Tensor::U64(words)) if words.len() as u128 == len.div_ceil(8) => {
            let bytes = words.iter().flat_map(|word| word.to_le_bytes());
            let mut bytes: Vec<u8> = bytes.collect();
            // As many as the words hold, or up to 7 fewer.
            bytes.truncate(len as usize);
            Ok(bytes)
        }
        _ => Err(missing(name)),
    }
}

fn missing(name: &str) -> GeneratorError {
    GeneratorError::BadTensors(format!("the list `{name}` is missing or of another length"))
}
