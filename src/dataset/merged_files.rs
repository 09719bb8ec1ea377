//! Files as one, event by event, to be written again: merged, or in parts.
//!
//! In: SHD-layout files, merged as [`read_dataset`](super::read_dataset) merges them. Out: their recordings with
//! every bit of their times, in one file or in two that share none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::merge::read;
use super::{
    BinningTarget, Dataset, DatasetError, LabelledEvents, ShdFile, Split, TimesType,
    stratified_split,
};
use crate::ids::{ClassId, SampleIndex, SoundPrint, SpeakerId};
use crate::random::{MasterSeed, Purpose};
use crate::spikes::{InputFormat, MAX_EXTENT, TimeGrid};

/// Next to no event lies before it, in seconds: events are kept as they are, and not counted.
const NO_TIME_S: f64 = 1e-9;

/// Which recordings go into a part.
#[derive(Debug, Clone, PartialEq)]
pub enum PartRule {
    /// All of these speakers.
    Speakers(BTreeSet<SpeakerId>),
    /// All of these classes.
    Classes(BTreeSet<ClassId>),
    /// Those whose takes are among these; see [`MergedFiles::takes`].
    Takes(RangeInclusive<u32>),
    /// The same share of every speaker and class, 0 to 1, both excluded; which ones, the seed says. With
    /// [`TEST_SHARE`](crate::continual::TEST_SHARE) these are the test samples of the strict protocol.
    Share(f64, MasterSeed),
}

/// The recordings of several files, with their events.
#[derive(Debug)]
pub struct MergedFiles {
    data: Dataset,
    sounds: Vec<Option<SoundPrint>>,
    /// Bytes of the widest type of times.
    time_bytes: usize,
    lists_speakers: bool,
}

impl MergedFiles {
    /// Reads and merges files by the rules of [`read_dataset`](super::read_dataset).
    ///
    /// # Errors
    /// As [`read_dataset`](super::read_dataset).
    pub fn read(paths: &[PathBuf]) -> Result<Self, DatasetError> {
        let grid = TimeGrid::even(1, NO_TIME_S).expect("a step and a time above 0");
        let target = BinningTarget {
            format: InputFormat::plain(grid, MAX_EXTENT),
            classes: MAX_EXTENT,
        };
        let (mut sounds, mut time_bytes, mut lists_speakers) = (Vec::new(), 0, false);
        let data = read(paths, target, &[], true, &mut |file: &ShdFile| {
            sounds.extend(file.sounds());
            time_bytes = time_bytes.max(file.time_bytes());
            lists_speakers |= file.lists_speakers();
        })?;
        Ok(MergedFiles {
            data,
            sounds,
            time_bytes,
            lists_speakers,
        })
    }

    /// Names, classes and speakers of the recordings; their counts are of no use.
    pub fn dataset(&self) -> &Dataset {
        &self.data
    }

    /// The take of each recording: how many of the same speaker and class come before it, in the order of the files.
    /// SHD-layout files do not say what they were called.
    pub fn takes(&self) -> Vec<u32> {
        let mut before: BTreeMap<(SpeakerId, ClassId), u32> = BTreeMap::new();
        let takes = self.data.iter().map(|(_, sample)| {
            let next = before.entry((sample.speaker, sample.class)).or_default();
            let take = *next;
            *next += 1;
            take
        });
        takes.collect()
    }

    /// Speakers who have a number and no name, where others have names: a file of both says of them that nobody
    /// knows them.
    pub fn unnamed_speakers(&self) -> usize {
        let names = self.data.speaker_names();
        let speakers = self.data.speakers().into_iter();
        match self.lists_speakers {
            true => speakers
                .filter(|speaker| !names.contains_key(speaker))
                .count(),
            false => 0,
        }
    }

    /// What goes into a part ([`Split::test`]), and what is left ([`Split::train`]); either may be empty.
    ///
    /// # Errors
    /// [`DatasetError::BadFraction`].
    pub fn split(&self, rule: &PartRule) -> Result<Split, DatasetError> {
        let by = |is_in: &dyn Fn(SampleIndex) -> bool| {
            let (test, train) = (0..self.data.len())
                .map(SampleIndex)
                .partition(|&index| is_in(index));
            Split { train, test }
        };
        Ok(match rule {
            PartRule::Speakers(speakers) => {
                by(&|index| speakers.contains(&self.data.sample(index).speaker))
            }
            PartRule::Classes(classes) => {
                by(&|index| classes.contains(&self.data.sample(index).class))
            }
            PartRule::Takes(takes) => {
                let of_each = self.takes();
                by(&|index| takes.contains(&of_each[index.0]))
            }
            PartRule::Share(share, seed) => {
                stratified_split(&self.data, *share, &mut seed.stream(Purpose::Split))?
            }
        })
    }

    /// Some recordings, whole.
    ///
    /// # Panics
    /// If there is no such recording.
    pub fn recordings(&self, samples: &[SampleIndex]) -> Vec<LabelledEvents> {
        let whole = samples.iter().map(|&index| {
            let sample = self.data.sample(index);
            LabelledEvents {
                // Kept, as was asked for when they were read.
                events: sample.events.as_deref().cloned().unwrap_or_default(),
                class: sample.class,
                speaker: sample.speaker,
                sound: self.sounds[index.0],
            }
        });
        whole.collect()
    }

    /// Names of speakers as a file lists them: an empty one says of a number that it is nobody known.
    pub fn listed_speakers(&self) -> BTreeMap<SpeakerId, String> {
        let mut listed = self.data.speaker_names().clone();
        if self.lists_speakers {
            for speaker in self.data.speakers() {
                listed.entry(speaker).or_default();
            }
        }
        listed
    }

    /// The narrowest type that holds the times of all files to the last bit.
    pub fn times(&self) -> TimesType {
        match self.time_bytes {
            0..=2 => TimesType::Float16,
            3..=4 => TimesType::Float32,
            _ => TimesType::Float64,
        }
    }
}
