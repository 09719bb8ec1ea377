use std::collections::BTreeMap;

use super::{Examples, TrainError};
use crate::augment::{AugmentationSettings, AugmentedRecording};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};
use crate::network::StageInput;
use crate::random::{MasterSeed, Purpose};
use crate::spikes::EventStream;

/// Some samples of a dataset for the whole network, changed anew in every epoch.
///
/// A sample is changed where and when it is fetched, by the thread that trains on it, with random numbers that come
/// from the seed, the epoch and its place in the dataset: neither threads nor the order of samples change a bit.
#[derive(Debug)]
pub struct AugmentedExamples<'a> {
    dataset: &'a Dataset,
    samples: Vec<SampleIndex>,
    events: Vec<&'a EventStream>,
    of_class: BTreeMap<ClassId, Vec<&'a EventStream>>,
    augmentations: Vec<AugmentationSettings>,
    seed: MasterSeed,
    epoch: usize,
}

impl<'a> AugmentedExamples<'a> {
    /// The samples in the given order, changed by each augmentation in turn; only these samples are blended with
    /// each other.
    ///
    /// # Errors
    /// [`TrainError::NoEvents`] unless the dataset keeps events, and [`TrainError::BadSetting`].
    pub fn new(
        dataset: &'a Dataset,
        samples: Vec<SampleIndex>,
        augmentations: Vec<AugmentationSettings>,
        seed: MasterSeed,
    ) -> Result<Self, TrainError> {
        for one in &augmentations {
            one.check().map_err(|bad| bad.of(one.kind()))?;
        }
        let events = samples.iter().map(|&sample| {
            let events = dataset.sample(sample).events.as_deref();
            events.ok_or(TrainError::NoEvents)
        });
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let mut of_class: BTreeMap<ClassId, Vec<&EventStream>> = BTreeMap::new();
        for (&sample, &events) in samples.iter().zip(&events) {
            let class = dataset.sample(sample).class;
            of_class.entry(class).or_default().push(events);
        }
        Ok(AugmentedExamples {
            dataset,
            samples,
            events,
            of_class,
            augmentations,
            seed,
            epoch: 0,
        })
    }

    /// From now on samples are those of an epoch, 0 first.
    pub fn set_epoch(&mut self, epoch: usize) {
        self.epoch = epoch;
    }
}

impl Examples for AugmentedExamples<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn steps(&self, _index: usize) -> usize {
        self.dataset.grid().steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.dataset.sample(self.samples[index]).class
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        let (sample, format) = (self.samples[index], self.dataset.format());
        let epoch = (self.epoch as u64).to_le_bytes();
        let place = sample.0 as u64;
        let mut random = self.seed.named_stream(Purpose::Augment, &epoch, place);
        let channels = format
            .inputs
            .saturating_mul(format.channels_per_input.max(1));
        let of_class = self.of_class.get(&self.class(index));
        let of_class = of_class.map_or(&[][..], Vec::as_slice);
        let mut recording = AugmentedRecording::new(self.events[index], channels, of_class);
        for augmentation in &self.augmentations {
            recording.apply(augmentation, &mut random);
        }
        let binned = format.bin(&recording.into_events());
        let binned = binned.map_err(|source| TrainError::BadAugmented { sample, source })?;
        Ok(StageInput::Counts(std::borrow::Cow::Owned(binned.counts)))
    }
}
