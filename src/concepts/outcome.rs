use serde::{Deserialize, Serialize};

use super::ConceptExperiment;
use crate::generator::Diversity;
use crate::random::MasterSeed;
use crate::spikes::{SpikeRaster, TimeGrid};

/// What an experiment came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConceptOutcome {
    /// What was compared.
    pub experiment: ConceptExperiment,
    /// Names of the concepts, in their order.
    pub names: Vec<String>,
    /// Real samples that each was learned from.
    pub learned_from: Vec<usize>,
    /// Bits of a packed sample.
    pub bits: u64,
    /// Real test samples of each concept.
    pub tested: Vec<usize>,
    /// The judge's accuracy on these through the codec, by concept, 0 to 1: the ceiling of all alignment.
    pub ceiling: Vec<f64>,
    /// The same without the codec.
    pub uncompressed: Vec<f64>,
    /// The judge's accuracy on the real samples that were learned from, through the codec: what a memory gives is of
    /// these.
    pub of_learned: Vec<f64>,
    /// Each way, with each seed.
    pub ways: Vec<WayOutcome>,
    /// What the first seed gave in the end, for a figure.
    #[serde(skip)]
    pub examples: Vec<ConceptExamples>,
}

/// What a way came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WayOutcome {
    /// Its name.
    pub name: String,
    /// Seed by seed.
    pub seeds: Vec<SeedOutcome>,
}

/// What a way came to with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeedOutcome {
    /// The seed.
    pub seed: MasterSeed,
    /// After each concept.
    pub stages: Vec<Stage>,
}

/// What a way holds and gives after some concepts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// Bytes that are held.
    pub bytes: u64,
    /// Figures of each concept so far.
    pub concepts: Vec<ConceptFigures>,
}

/// How good it is what a way gives for a concept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConceptFigures {
    /// Samples that are given for it.
    pub given: usize,
    /// The share of these that the judge takes for it, 0 to 1; `None` if none is given.
    pub alignment: Option<f64>,
    /// How much they differ, from each other and from the real ones that were learned from, as packed bits.
    pub diversity: Diversity,
}

/// A real latent of a concept beside one that each way gives for it, all as they are decoded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConceptExamples {
    /// The time grid of all.
    pub grid: TimeGrid,
    /// Real.
    pub real: JudgedLatent,
    /// Of each way, if it gives any for the concept.
    pub given: Vec<Option<JudgedLatent>>,
}

/// A latent and what the judge takes it for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JudgedLatent {
    /// The latent.
    pub spikes: SpikeRaster,
    /// The name of the class that it is taken for.
    pub taken_for: String,
    /// Whether that is its concept.
    pub is_right: bool,
}
