use std::collections::BTreeSet;

use super::DatasetError;
use crate::hash::{FNV_OFFSET, add_word_to_hash};
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::spikes::{EventStream, SpikeCounts, SpikeError, TimeGrid};

/// A recording: its events, what was said and who said it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledEvents {
    /// The spikes.
    pub events: EventStream,
    /// What was said.
    pub class: ClassId,
    /// Who said it.
    pub speaker: SpeakerId,
}

impl LabelledEvents {
    /// A number that tells this recording from others, made of class, speaker, times and units in
    /// their order. `None` for a recording without events, as these are all alike.
    ///
    /// The same recording has the same number in any file that holds the same times to the last bit.
    pub fn fingerprint(&self) -> Option<u64> {
        if self.events.is_empty() {
            return None;
        }
        let labels = u64::from(self.class.0) << 16 | u64::from(self.speaker.0);
        let mut hash = add_word_to_hash(FNV_OFFSET, labels);
        for (time_s, &unit) in self.events.times_s().iter().zip(self.events.units()) {
            hash = add_word_to_hash(hash, time_s.to_bits() ^ u64::from(unit));
        }
        Some(hash)
    }

    /// Bins the recording; gives with it the number of events past the end of the grid.
    pub(super) fn bin(&self, grid: TimeGrid, inputs: usize) -> Result<(Sample, usize), SpikeError> {
        let binned = grid.bin(&self.events, inputs)?;
        let sample = Sample {
            counts: binned.counts,
            class: self.class,
            speaker: self.speaker,
            fingerprint: self.fingerprint(),
        };
        Ok((sample, binned.past_end))
    }
}

/// A recording binned for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Events per step and channel.
    pub counts: SpikeCounts,
    /// What was said.
    pub class: ClassId,
    /// Who said it.
    pub speaker: SpeakerId,
    /// [`LabelledEvents::fingerprint`] of the recording.
    pub fingerprint: Option<u64>,
}

impl Sample {
    /// Whether its fingerprint is in a sorted list.
    pub fn is_among(&self, sorted: &[u64]) -> bool {
        self.fingerprint
            .is_some_and(|print| sorted.binary_search(&print).is_ok())
    }
}

/// What recordings are binned for: the input and the number of classes of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinningTarget {
    /// The time grid.
    pub grid: TimeGrid,
    /// Input channels.
    pub inputs: usize,
    /// Classes that the network can tell apart.
    pub classes: usize,
}

/// Recordings binned on one time grid for one number of input channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    grid: TimeGrid,
    inputs: usize,
    class_names: Vec<String>,
    samples: Vec<Sample>,
    events_past_end: u64,
}

impl Dataset {
    /// Number of samples, at least 1.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Never: a dataset has samples.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// One sample.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Dataset::len).
    pub fn sample(&self, index: SampleIndex) -> &Sample {
        &self.samples[index.0]
    }

    /// All samples with their places.
    pub fn iter(&self) -> impl Iterator<Item = (SampleIndex, &Sample)> {
        let samples = self.samples.iter().enumerate();
        samples.map(|(index, sample)| (SampleIndex(index), sample))
    }

    /// The time grid.
    pub fn grid(&self) -> TimeGrid {
        self.grid
    }

    /// Input channels.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Names of the classes, by [`ClassId`].
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The name of a class, or its number if it has none.
    pub fn class_name(&self, class: ClassId) -> String {
        let name = self.class_names.get(class.index());
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Events that fell past the end of the grid and were left out.
    pub fn events_past_end(&self) -> u64 {
        self.events_past_end
    }

    /// The classes that there are samples of.
    pub fn classes(&self) -> BTreeSet<ClassId> {
        self.samples.iter().map(|sample| sample.class).collect()
    }

    /// The speakers that there are samples of.
    pub fn speakers(&self) -> BTreeSet<SpeakerId> {
        self.samples.iter().map(|sample| sample.speaker).collect()
    }

    /// Fingerprints of all samples, sorted, each once.
    pub fn fingerprints(&self) -> Vec<u64> {
        let prints = self.samples.iter().filter_map(|sample| sample.fingerprint);
        let mut prints: Vec<u64> = prints.collect();
        prints.sort_unstable();
        prints.dedup();
        prints
    }

    /// A number for all samples in their order, to tell whether a dataset is the same as before.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = FNV_OFFSET;
        for sample in &self.samples {
            let labels = u64::from(sample.class.0) << 16 | u64::from(sample.speaker.0);
            hash = add_word_to_hash(hash, sample.fingerprint.unwrap_or(labels));
        }
        hash
    }

    /// The largest number of events in any step and channel.
    pub fn largest_count(&self) -> u16 {
        let largest = self.samples.iter().map(|sample| sample.counts.largest());
        largest.max().unwrap_or(0)
    }

    /// Refuses a speaker that nobody is.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchSpeaker`].
    pub fn check_speaker(&self, speaker: SpeakerId) -> Result<(), DatasetError> {
        let speakers = self.speakers();
        if speakers.contains(&speaker) {
            return Ok(());
        }
        let known = speakers.iter().map(|speaker| speaker.0.to_string());
        let known = known.collect::<Vec<_>>().join(", ");
        Err(DatasetError::NoSuchSpeaker { speaker, known })
    }

    /// Refuses a class that no sample is of.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchClass`].
    pub fn check_class(&self, class: ClassId) -> Result<(), DatasetError> {
        let classes = self.classes();
        if classes.contains(&class) {
            return Ok(());
        }
        let known = classes.iter().map(|class| class.0.to_string());
        let known = known.collect::<Vec<_>>().join(", ");
        Err(DatasetError::NoSuchClass { class, known })
    }
}

/// Collects recordings into a [`Dataset`], binning each as it comes.
#[derive(Debug)]
pub struct DatasetBuilder {
    dataset: Dataset,
}

impl DatasetBuilder {
    /// For a network with `inputs` channels on `grid`, and classes of these names.
    ///
    /// # Errors
    /// [`DatasetError::BadClassNames`].
    pub fn new(
        grid: TimeGrid,
        inputs: usize,
        class_names: Vec<String>,
    ) -> Result<Self, DatasetError> {
        if !(1..1 << 16).contains(&class_names.len()) {
            return Err(DatasetError::BadClassNames(class_names.len()));
        }
        let dataset = Dataset {
            grid,
            inputs,
            class_names,
            samples: Vec::new(),
            events_past_end: 0,
        };
        Ok(DatasetBuilder { dataset })
    }

    /// Bins a recording and adds it.
    ///
    /// # Errors
    /// [`DatasetError::BadEvents`] if an event comes from a channel that is not there, and
    /// [`DatasetError::ClassPastEnd`].
    pub fn push(&mut self, recording: &LabelledEvents) -> Result<(), DatasetError> {
        let (sample, class) = (SampleIndex(self.dataset.len()), recording.class);
        let classes = self.dataset.class_names.len();
        if class.index() >= classes {
            return Err(DatasetError::ClassPastEnd {
                sample,
                class,
                classes,
            });
        }
        let binned = recording.bin(self.dataset.grid, self.dataset.inputs);
        let (binned, past_end) =
            binned.map_err(|source| DatasetError::BadEvents { sample, source })?;
        self.add(binned, past_end);
        Ok(())
    }

    /// Adds a sample whose class is known to be one of the names.
    pub(super) fn add(&mut self, sample: Sample, past_end: usize) {
        self.dataset.events_past_end += past_end as u64;
        self.dataset.samples.push(sample);
    }

    /// The dataset.
    ///
    /// # Errors
    /// [`DatasetError::Empty`] if nothing was pushed.
    pub fn build(self) -> Result<Dataset, DatasetError> {
        if self.dataset.is_empty() {
            return Err(DatasetError::Empty("the dataset".to_string()));
        }
        Ok(self.dataset)
    }
}
