//! Figures of a way over seeds. A concept's place is 0 for the first; `after` is the place of the one that was learned
//! last.

use crate::concepts::{ConceptFigures, WayOutcome};
use crate::report::suite::Spread;

impl WayOutcome {
    /// The share of what is given for a concept that the judge takes for it.
    pub fn alignment(&self, after: usize, concept: usize) -> Option<Spread> {
        self.spread(after, concept, |figures| figures.alignment)
    }

    /// The mean of all alignments after a concept.
    pub fn mean_alignment(&self, after: usize) -> Option<Spread> {
        Spread::of(self.seeds.iter().flat_map(|seed| {
            let stage = seed.stages.get(after);
            let concepts = stage.map(|stage| &stage.concepts[..]).unwrap_or_default();
            let figures = concepts.iter().filter_map(|figures| figures.alignment);
            figures.map(|alignment| (seed.seed, alignment))
        }))
    }

    /// How much two given samples of a concept differ, as a share of how much two real ones do.
    pub fn relative_diversity(&self, after: usize, concept: usize) -> Option<Spread> {
        self.spread(after, concept, |figures| {
            share(figures.diversity.drawn, figures.diversity.real)
        })
    }

    /// How far a given sample is from the nearest real one that was learned from, as a share of how far a real one is
    /// from the nearest other: 0 for what was kept.
    pub fn relative_nearest(&self, after: usize, concept: usize) -> Option<Spread> {
        self.spread(after, concept, |figures| {
            let diversity = figures.diversity;
            share(diversity.nearest_real, diversity.nearest_among_real)
        })
    }

    /// Samples that are given for a concept.
    pub fn given(&self, after: usize, concept: usize) -> Option<Spread> {
        self.spread(after, concept, |figures| Some(figures.given as f64))
    }

    /// The most bytes held with any seed after any concept.
    pub fn most_bytes(&self) -> u64 {
        let stages = self.seeds.iter().flat_map(|seed| &seed.stages);
        stages.map(|stage| stage.bytes).max().unwrap_or(0)
    }

    fn spread(
        &self,
        after: usize,
        concept: usize,
        of: impl Fn(&ConceptFigures) -> Option<f64>,
    ) -> Option<Spread> {
        Spread::of(self.seeds.iter().filter_map(|seed| {
            let figures = seed.stages.get(after)?.concepts.get(concept)?;
            Some((seed.seed, of(figures)?))
        }))
    }
}

/// A part of something that is not 0.
fn share(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let (part, whole) = (part?, whole?);
    (whole > 0.0).then(|| part / whole)
}
