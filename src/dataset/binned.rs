use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::fingerprint::labels;
use super::{DatasetError, RecordingSet, Recordings, Sample};
use crate::hash::{FNV_OFFSET, add_word_to_hash};
use crate::ids::{ClassId, SampleIndex, SpeakerId, TimeStep};
use crate::names::normalised;
use crate::spikes::{InputFormat, TimeGrid};
use crate::storage::shown;

/// What recordings are binned for: the input and the number of classes of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinningTarget {
    /// What events become.
    pub format: InputFormat,
    /// Classes that the network can tell apart.
    pub classes: usize,
}

/// Recordings binned on one time grid for one number of input channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(super) format: InputFormat,
    pub(super) class_names: Vec<String>,
    pub(super) speaker_names: BTreeMap<SpeakerId, String>,
    pub(super) samples: Vec<Sample>,
    pub(super) events_past_end: u64,
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

    /// How events were binned.
    pub fn format(&self) -> InputFormat {
        self.format
    }

    /// The time grid.
    pub fn grid(&self) -> TimeGrid {
        self.format.grid
    }

    /// Inputs of the network that it is for.
    pub fn inputs(&self) -> usize {
        self.format.inputs
    }

    /// Names of the classes, by [`ClassId`], in the spelling of [`normalised`].
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The name of a class, or its number if it has none.
    pub fn class_name(&self, class: ClassId) -> String {
        let name = self.class_names.get(class.index());
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Names of the speakers that have one, in the spelling of [`normalised`].
    pub fn speaker_names(&self) -> &BTreeMap<SpeakerId, String> {
        &self.speaker_names
    }

    /// The name of a speaker, or the number if there is none: `speaker 3`.
    pub fn speaker_name(&self, speaker: SpeakerId) -> String {
        let name = self.speaker_names.get(&speaker);
        name.cloned().unwrap_or_else(|| speaker.to_string())
    }

    /// Events of all samples, those past the end of the grid included.
    pub fn events(&self) -> u64 {
        let inside: u64 = self
            .samples
            .iter()
            .map(|sample| sample.counts.total())
            .sum();
        inside + self.events_past_end
    }

    /// Events that fell past the end of the grid and were left out.
    pub fn events_past_end(&self) -> u64 {
        self.events_past_end
    }

    /// Samples that have no event on the grid.
    pub fn silent_samples(&self) -> usize {
        let silent = self
            .samples
            .iter()
            .filter(|sample| sample.counts.total() == 0);
        silent.count()
    }

    /// Samples of a recording that a sample before them is of already.
    pub fn repeated_samples(&self) -> usize {
        let mut recordings = Recordings::default();
        let prints = self.samples.iter().map(|sample| sample.fingerprint);
        let repeated = prints.filter(|&print| !recordings.insert(print));
        repeated.count()
    }

    /// The last step in which there is an event, but for at most one event in a thousand, which may be
    /// a stray; none without any event on the grid.
    pub fn last_step_but_strays(&self) -> Option<TimeStep> {
        let mut events = vec![0; self.grid().steps()];
        for sample in &self.samples {
            for (step, events) in events.iter_mut().enumerate() {
                *events += sample.counts.count_in_step(TimeStep(step));
            }
        }
        last_but_strays(&events).map(TimeStep)
    }

    /// Channels up to the last one that has an event, but for at most one event in a thousand, which
    /// may be a stray.
    pub fn channels_but_strays(&self) -> usize {
        let mut events = vec![0; self.inputs()];
        for sample in &self.samples {
            let (units, counts) = sample.counts.cells_before(sample.counts.steps());
            for (&unit, &count) in units.iter().zip(counts) {
                events[usize::from(unit)] += u64::from(count);
            }
        }
        last_but_strays(&events).map_or(0, |unit| unit + 1)
    }

    /// The classes that there are samples of.
    pub fn classes(&self) -> BTreeSet<ClassId> {
        self.samples.iter().map(|sample| sample.class).collect()
    }

    /// The speakers that there are samples of.
    pub fn speakers(&self) -> BTreeSet<SpeakerId> {
        self.samples.iter().map(|sample| sample.speaker).collect()
    }

    /// All recordings, to ask whether a sample is of one of them.
    pub fn recordings(&self) -> RecordingSet {
        self.samples.iter().collect()
    }

    /// A number for all samples in their order, with all bits of their times, to tell whether a
    /// dataset is the same as before.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint_of(self.iter().map(|(index, _)| index))
    }

    /// The same of some samples.
    ///
    /// # Panics
    /// If one is not below [`len`](Dataset::len).
    pub fn fingerprint_of(&self, samples: impl IntoIterator<Item = SampleIndex>) -> u64 {
        let mut hash = FNV_OFFSET;
        for index in samples {
            let sample = self.sample(index);
            hash = add_word_to_hash(hash, labels(sample.class, sample.speaker));
            hash = add_word_to_hash(hash, sample.fingerprint.exact());
        }
        hash
    }

    /// The same as records and suites of format 1 hold it.
    pub fn legacy_fingerprint(&self) -> u64 {
        let prints = self.samples.iter().map(|sample| {
            let legacy = sample.fingerprint.legacy();
            legacy.unwrap_or_else(|| labels(sample.class, sample.speaker))
        });
        prints.fold(FNV_OFFSET, add_word_to_hash)
    }

    /// The class that is meant by a name, or by a number if no class has that name.
    ///
    /// # Errors
    /// [`DatasetError::UnknownClass`], with those that there are samples of.
    pub fn find_class(&self, text: &str) -> Result<ClassId, DatasetError> {
        let (classes, name) = (self.classes(), normalised(text));
        let named = classes
            .iter()
            .find(|class| self.class_names[class.index()] == name);
        let numbered = || classes.iter().find(|class| name.parse() == Ok(class.0));
        let found = named.or_else(numbered);
        found.copied().ok_or_else(|| DatasetError::UnknownClass {
            text: name.clone(),
            known: self.list_of_classes(),
        })
    }

    /// The speaker that is meant by a name, or by a number if no speaker has that name.
    ///
    /// # Errors
    /// [`DatasetError::UnknownSpeaker`], with those that there are samples of.
    pub fn find_speaker(&self, text: &str) -> Result<SpeakerId, DatasetError> {
        let (speakers, name) = (self.speakers(), normalised(text));
        let has_name = |speaker: &&SpeakerId| self.speaker_names.get(speaker) == Some(&name);
        let named = speakers.iter().find(has_name);
        let numbered = || {
            speakers
                .iter()
                .find(|speaker| name.parse() == Ok(speaker.0))
        };
        let found = named.or_else(numbered);
        found.copied().ok_or_else(|| DatasetError::UnknownSpeaker {
            text: name.clone(),
            known: self.list_of_speakers(),
        })
    }

    /// The same data with its classes numbered in the order of `names`, as a network numbers them that
    /// was trained on them.
    ///
    /// # Errors
    /// [`DatasetError::ClassesDiffer`] unless both have the same names.
    pub fn in_class_order(mut self, names: &[String]) -> Result<Dataset, DatasetError> {
        let names: Vec<String> = names.iter().map(|name| normalised(name)).collect();
        let Some(places) = places_of(&self.class_names, &names) else {
            return Err(DatasetError::ClassesDiffer {
                found: self.class_names,
                expected: names,
            });
        };
        for sample in &mut self.samples {
            sample.class = places[sample.class.index()];
            sample.fingerprint = sample.fingerprint.in_order();
        }
        self.class_names = names;
        Ok(self)
    }

    /// The samples of some classes, which are numbered in the order given; the others are left out.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchClass`] for a class that no sample is of, or that is given twice.
    pub fn only_classes(mut self, order: &[ClassId]) -> Result<Dataset, DatasetError> {
        let mut places: BTreeMap<ClassId, ClassId> = BTreeMap::new();
        for (place, &class) in order.iter().enumerate() {
            self.check_class(class)?;
            if places.insert(class, ClassId(place as u16)).is_some() {
                let known = self.list_of_classes();
                return Err(DatasetError::NoSuchClass { class, known });
            }
        }
        let names = order.iter().map(|&class| self.class_name(class)).collect();
        self.samples.retain_mut(|sample| {
            let place = places.get(&sample.class);
            sample.class = place.copied().unwrap_or(sample.class);
            place.is_some()
        });
        self.class_names = names;
        Ok(self)
    }

    /// The samples of the classes with these names, which are numbered in the order of `names`; the others
    /// are left out.
    ///
    /// # Errors
    /// [`DatasetError::Empty`] if none is left.
    pub fn only_named(mut self, names: &[String]) -> Result<Dataset, DatasetError> {
        let names: Vec<String> = names.iter().map(|name| normalised(name)).collect();
        let numbered = names.iter().enumerate();
        let places: BTreeMap<&String, ClassId> = numbered
            .map(|(place, name)| (name, ClassId(place as u16)))
            .collect();
        let class_names = &self.class_names;
        self.samples.retain_mut(|sample| {
            let place = places.get(&class_names[sample.class.index()]);
            sample.class = place.copied().unwrap_or(sample.class);
            if place.is_some() {
                sample.fingerprint = sample.fingerprint.in_order();
            }
            place.is_some()
        });
        if self.samples.is_empty() {
            let listed = names.join(", ");
            return Err(DatasetError::Empty(format!(
                "of the classes {listed}, the data"
            )));
        }
        self.class_names = names;
        Ok(self)
    }

    /// The same recordings for a network that reads events otherwise: on another grid, in fewer channels.
    ///
    /// ```
    /// use respike::dataset::{DatasetBuilder, LabelledEvents};
    /// use respike::ids::{ClassId, SpeakerId};
    /// use respike::network::NetworkSpec;
    /// use respike::spikes::EventStream;
    ///
    /// let fine = NetworkSpec::dequino2024();
    /// let coarse = fine.in_longer_steps(4)?;
    /// let mut builder = DatasetBuilder::new(fine.grid(), fine.inputs(), vec!["yes".to_string()])?;
    /// builder.keep_events();
    /// builder.push(&LabelledEvents {
    ///     events: EventStream::new(vec![0.25, 0.26], vec![12, 12])?,
    ///     class: ClassId(0),
    ///     speaker: SpeakerId(0),
    ///     sound: None,
    /// })?;
    /// let data = builder.build()?;
    /// let coarser = data.binned_for(coarse.input_format())?;
    /// let steps = [&data, &coarser].map(|data| data.iter().next().unwrap().1.counts.steps());
    /// assert_eq!(steps, [100, 25]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DatasetError::NoEvents`] unless the events were kept, and [`DatasetError::BadEvents`] if one comes
    /// from a channel that the network does not read.
    pub fn binned_for(&self, format: InputFormat) -> Result<Dataset, DatasetError> {
        let rebinned = self.samples.par_iter().enumerate().map(|(place, sample)| {
            let events = sample.events.as_ref().ok_or(DatasetError::NoEvents)?;
            let binned = format.bin(events);
            let sample_index = SampleIndex(place);
            let binned = binned.map_err(|source| DatasetError::BadEvents {
                sample: sample_index,
                source,
            })?;
            let sample = Sample {
                counts: binned.counts,
                ..sample.clone()
            };
            Ok((sample, binned.past_end as u64))
        });
        let rebinned = rebinned.collect::<Result<Vec<_>, DatasetError>>()?;
        Ok(Dataset {
            format,
            class_names: self.class_names.clone(),
            speaker_names: self.speaker_names.clone(),
            events_past_end: rebinned.iter().map(|(_, past_end)| past_end).sum(),
            samples: rebinned.into_iter().map(|(sample, _)| sample).collect(),
        })
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
        let known = self.list_of_speakers();
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
        let known = self.list_of_classes();
        Err(DatasetError::NoSuchClass { class, known })
    }

    fn list_of_classes(&self) -> String {
        let classes = self.classes().into_iter();
        let known = classes
            .map(|class| format!("{} ({})", shown(&self.class_names[class.index()]), class.0));
        known.collect::<Vec<_>>().join(", ")
    }

    fn list_of_speakers(&self) -> String {
        let speakers = self.speakers().into_iter();
        let known = speakers.map(|speaker| match self.speaker_names.get(&speaker) {
            Some(name) => format!("{} ({})", shown(name), speaker.0),
            None => speaker.0.to_string(),
        });
        known.collect::<Vec<_>>().join(", ")
    }
}

/// The last place with events, but for at most one event in a thousand.
fn last_but_strays(events: &[u64]) -> Option<usize> {
    let strays = events.iter().sum::<u64>() / 1000;
    let mut behind = 0;
    events.iter().rposition(|&events| {
        behind += events;
        behind > strays
    })
}

/// Where each of `found` stands in `wanted`, if these are the same names.
pub(super) fn places_of(found: &[String], wanted: &[String]) -> Option<Vec<ClassId>> {
    if found.len() != wanted.len() {
        return None;
    }
    // Equal lists are the same whatever is in them, even a name twice.
    if found == wanted {
        return Some(
            (0..found.len())
                .map(|place| ClassId(place as u16))
                .collect(),
        );
    }
    let numbered = wanted.iter().enumerate();
    let places: BTreeMap<&String, ClassId> = numbered
        .map(|(place, name)| (name, ClassId(place as u16)))
        .collect();
    if places.len() != wanted.len() {
        return None;
    }
    let found: Option<Vec<ClassId>> = found.iter().map(|name| places.get(name).copied()).collect();
    let distinct = found
        .as_ref()
        .map(|all| all.iter().collect::<BTreeSet<_>>().len());
    found.filter(|all| distinct == Some(all.len()))
}
