use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dataset, DatasetError, LabelledEvents, Sample};
use crate::ids::{SampleIndex, SpeakerId};
use crate::names::normalised;
use crate::spikes::{InputFormat, TimeGrid};

/// Collects recordings into a [`Dataset`], binning each as it comes.
#[derive(Debug)]
pub struct DatasetBuilder {
    dataset: Dataset,
    keeps_events: bool,
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
        Self::with_format(InputFormat::plain(grid, inputs), class_names)
    }

    /// For a network that reads events so, and classes of these names.
    ///
    /// # Errors
    /// [`DatasetError::BadClassNames`].
    pub fn with_format(
        format: InputFormat,
        class_names: Vec<String>,
    ) -> Result<Self, DatasetError> {
        if !(1..1 << 16).contains(&class_names.len()) {
            return Err(DatasetError::BadClassNames(class_names.len()));
        }
        let dataset = Dataset {
            format,
            class_names: class_names.iter().map(|name| normalised(name)).collect(),
            speaker_names: BTreeMap::new(),
            samples: Vec::new(),
            events_past_end: 0,
        };
        Ok(DatasetBuilder {
            dataset,
            keeps_events: false,
        })
    }

    /// Keeps the events of recordings that are pushed from now on, so that other networks can read them on
    /// grids of their own: see [`Dataset::binned_for`]. They take 10 bytes an event.
    pub fn keep_events(&mut self) {
        self.keeps_events = true;
    }

    /// Names speakers; an empty name is none.
    pub fn name_speakers(&mut self, names: impl IntoIterator<Item = (SpeakerId, String)>) {
        let named = names.into_iter().filter(|(_, name)| !name.is_empty());
        let named = named.map(|(speaker, name)| (speaker, normalised(&name)));
        self.dataset.speaker_names.extend(named);
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
        let binned = recording.bin(self.dataset.format);
        let (mut binned, past_end) =
            binned.map_err(|source| DatasetError::BadEvents { sample, source })?;
        if self.keeps_events {
            binned.events = Some(Arc::new(recording.events.clone()));
        }
        self.add(binned, past_end);
        Ok(())
    }

    /// Adds a sample whose class is known to be one of the names.
    pub(super) fn add(&mut self, sample: Sample, past_end: usize) {
        self.dataset.events_past_end += past_end as u64;
        self.dataset.samples.push(sample);
    }

    /// Gives speakers of the samples so far other numbers.
    #[cfg(feature = "shd")]
    pub(super) fn move_speakers(&mut self, moved: &BTreeMap<SpeakerId, SpeakerId>) {
        for sample in &mut self.dataset.samples {
            sample.speaker = moved
                .get(&sample.speaker)
                .copied()
                .unwrap_or(sample.speaker);
        }
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
