use std::borrow::Cow;
use std::sync::Arc;

use super::{Origin, TrainError};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{Stage, StageInput};

/// Samples with their classes, fetched one by one; any thread may ask.
///
/// What is fetched may be borrowed (a dataset in memory) or made on the spot (a replay decoded from
/// packed bits).
pub trait Examples: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Steps that a sample lasts.
    ///
    /// # Panics
    /// May panic if `index` is not below [`len`](Examples::len).
    fn steps(&self, index: usize) -> usize;

    /// The class of a sample.
    ///
    /// # Panics
    /// May panic if `index` is not below [`len`](Examples::len).
    fn class(&self, index: usize) -> ClassId;

    /// A sample as it enters the stage that is trained.
    ///
    /// # Errors
    /// If it has to be decoded and cannot be.
    ///
    /// # Panics
    /// May panic if `index` is not below [`len`](Examples::len).
    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError>;

    /// What a sample enters, if that is not the whole of the stage that is trained: a part of it above an LR index, of
    /// which [`input`](Examples::input) gives the latent. Layers below it then learn nothing from the sample.
    ///
    /// # Panics
    /// May panic if `index` is not below [`len`](Examples::len), here and in all below.
    fn stage(&self, _index: usize) -> Option<Stage> {
        None
    }

    /// Where a sample comes from; all are new by default.
    fn origin(&self, _index: usize) -> Origin {
        Origin::New
    }

    /// The task that brought a sample, 0 for all by default.
    fn task(&self, _index: usize) -> usize {
        0
    }

    /// The logits that an earlier network gave a sample, one a class, if they are known; none by default. There may
    /// be fewer than the network has classes now.
    fn past_logits(&self, _index: usize) -> Option<Arc<[f32]>> {
        None
    }
}

/// Samples kept as they are.
#[derive(Debug, Clone, Default)]
pub struct StoredExamples<'a> {
    /// Inputs and classes.
    pub samples: Vec<(StageInput<'a>, ClassId)>,
}

impl Examples for StoredExamples<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn steps(&self, index: usize) -> usize {
        self.samples[index].0.steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.samples[index].1
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        Ok(match &self.samples[index].0 {
            StageInput::Counts(counts) => StageInput::Counts(Cow::Borrowed(counts)),
            StageInput::Spikes(raster) => StageInput::Spikes(Cow::Borrowed(raster)),
            StageInput::Currents(currents) => StageInput::Currents(Cow::Borrowed(currents)),
        })
    }
}

/// Some samples of a dataset, for the whole network.
#[derive(Debug, Clone)]
pub struct DatasetExamples<'a> {
    dataset: &'a Dataset,
    samples: Vec<SampleIndex>,
}

impl<'a> DatasetExamples<'a> {
    /// The samples in the given order; every index must be one of the dataset's.
    pub fn new(dataset: &'a Dataset, samples: Vec<SampleIndex>) -> Self {
        DatasetExamples { dataset, samples }
    }

    /// All samples of a dataset.
    pub fn all(dataset: &'a Dataset) -> Self {
        let samples = (0..dataset.len()).map(SampleIndex).collect();
        DatasetExamples { dataset, samples }
    }
}

impl Examples for DatasetExamples<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn steps(&self, index: usize) -> usize {
        self.dataset.sample(self.samples[index]).counts.steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.dataset.sample(self.samples[index]).class
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        let sample = self.dataset.sample(self.samples[index]);
        Ok(StageInput::counts(&sample.counts))
    }
}

/// Several sources one after the other, as if they were one: new samples and a replay memory, say.
pub struct JoinedExamples<'a> {
    parts: Vec<&'a dyn Examples>,
}

impl<'a> JoinedExamples<'a> {
    /// Joins the parts in order.
    pub fn new(parts: Vec<&'a dyn Examples>) -> Self {
        JoinedExamples { parts }
    }

    fn locate(&self, index: usize) -> (&'a dyn Examples, usize) {
        let mut rest = index;
        for part in &self.parts {
            if rest < part.len() {
                return (*part, rest);
            }
            rest -= part.len();
        }
        panic!("sample {index} of {}", self.len());
    }
}

impl Examples for JoinedExamples<'_> {
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    fn steps(&self, index: usize) -> usize {
        let (part, index) = self.locate(index);
        part.steps(index)
    }

    fn class(&self, index: usize) -> ClassId {
        let (part, index) = self.locate(index);
        part.class(index)
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        let (part, index) = self.locate(index);
        part.input(index)
    }

    fn stage(&self, index: usize) -> Option<Stage> {
        let (part, index) = self.locate(index);
        part.stage(index)
    }

    fn origin(&self, index: usize) -> Origin {
        let (part, index) = self.locate(index);
        part.origin(index)
    }

    fn task(&self, index: usize) -> usize {
        let (part, index) = self.locate(index);
        part.task(index)
    }

    fn past_logits(&self, index: usize) -> Option<Arc<[f32]>> {
        let (part, index) = self.locate(index);
        part.past_logits(index)
    }
}
