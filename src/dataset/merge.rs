//! Several files as one dataset, in which one name is one thing.
//!
//! In: SHD-layout files. Out: their recordings, binned, with classes and speakers numbered alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::binned::places_of;
use super::shd_layout::At;
use super::shd_read::EVENT_BYTES;
use super::{
    BinningTarget, Dataset, DatasetBuilder, DatasetError, RecordingSet, Sample, ShdFile, Split,
};
use crate::ceiling;
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::names::normalised;

/// Samples that are binned before their errors are looked at.
const CHUNK: usize = 1024;

/// Reads and merges files, binned for a network.
///
/// Classes with the same name are one class, whatever their numbers: the numbers are those of the first
/// file. Speakers with the same name are one speaker, and others have different numbers: a speaker whose
/// number is taken gets the lowest free one. A number without a name in a file that names speakers is
/// nobody known, and never joins a named one. Numbers of files that name no speakers are taken as they
/// are; those who are nobody known get others, where they meet.
///
/// # Errors
/// [`DatasetError`], with the file and the sample: besides what [`ShdFile`] refuses, files whose
/// class names differ, a file that is given twice or holds nothing but what another holds, speakers
/// without names whose numbers are those of named ones in other files, labels that the network has no
/// readout for, and units that it has no input for.
pub fn read_dataset(paths: &[PathBuf], target: BinningTarget) -> Result<Dataset, DatasetError> {
    read_dataset_for(paths, target, &[])
}

/// Reads and merges files as [`read_dataset`] does, for a network, a record or a suite that numbers the
/// classes in the order of `class_names`: what older versions trained on in that order is known again
/// (their fingerprints hold the numbers). The data itself is in the order of the first file, see
/// [`Dataset::in_class_order`].
///
/// # Errors
/// As [`read_dataset`]. Other names than the files have are none: nothing is known by them.
pub fn read_dataset_for(
    paths: &[PathBuf],
    target: BinningTarget,
    class_names: &[String],
) -> Result<Dataset, DatasetError> {
    read(paths, target, class_names, false, &mut |_| {})
}

/// Reads files to train on and files to test with, merged as [`read_dataset_for`] merges them, and which samples
/// are which.
///
/// # Errors
/// As [`read_dataset`], and [`DatasetError::Empty`] without any file to train on.
pub fn read_dataset_and_tests(
    paths: &[PathBuf],
    tests: &[PathBuf],
    target: BinningTarget,
    class_names: &[String],
) -> Result<(Dataset, Split), DatasetError> {
    let all = match paths {
        [] => Vec::new(),
        paths => [paths, tests].concat(),
    };
    let mut samples = Vec::new();
    let each = &mut |file: &ShdFile| samples.push(file.len());
    let data = read(&all, target, class_names, false, each)?;
    let train = samples[..paths.len()].iter().sum();
    let split = Split {
        train: (0..train).map(SampleIndex).collect(),
        test: (train..data.len()).map(SampleIndex).collect(),
    };
    Ok((data, split))
}

/// Reads and merges files as [`read_dataset_for`] does, and keeps their events, so that they can be augmented, and
/// other networks can read them on grids of their own: see [`Dataset::binned_for`].
///
/// # Errors
/// As [`read_dataset`].
pub fn read_dataset_with_events(
    paths: &[PathBuf],
    target: BinningTarget,
    class_names: &[String],
) -> Result<Dataset, DatasetError> {
    read(paths, target, class_names, true, &mut |_| {})
}

/// Reads and merges files, and hands each to `each` when it has been taken in.
pub(super) fn read(
    paths: &[PathBuf],
    target: BinningTarget,
    class_names: &[String],
    keeps_events: bool,
    each: &mut dyn FnMut(&ShdFile),
) -> Result<Dataset, DatasetError> {
    let mut merge: Option<Merge> = None;
    for (index, path) in paths.iter().enumerate() {
        refuse_same_path(path, &paths[..index])?;
        let file = ShdFile::open(path)?;
        match &mut merge {
            Some(merge) => merge.add(&file, target)?,
            None => {
                let mut first = Merge::new(&file, target, class_names)?;
                first.keeps_events = keeps_events;
                first.add(&file, target)?;
                merge = Some(first);
            }
        }
        each(&file);
    }
    match merge {
        Some(merge) => merge.build(),
        None => Err(DatasetError::Empty("a list of no files".to_string())),
    }
}

fn refuse_same_path(path: &Path, before: &[PathBuf]) -> Result<(), DatasetError> {
    let Ok(place) = path.canonicalize() else {
        // Opening it says what is wrong.
        return Ok(());
    };
    let same = |other: &&PathBuf| other.canonicalize().is_ok_and(|other| other == place);
    match before.iter().find(same) {
        None => Ok(()),
        Some(first) => Err(DatasetError::SameFile {
            path: path.to_path_buf(),
            first: first.clone(),
        }),
    }
}

/// The recordings of a file, by what was said and by whom.
type Spoken = BTreeMap<(ClassId, SpeakerId), RecordingSet>;

/// Files merged so far.
struct Merge {
    builder: DatasetBuilder,
    first: PathBuf,
    class_names: Vec<String>,
    /// The numbers of the classes in the order that the data is read for, if it is another one.
    order: Option<Vec<ClassId>>,
    speakers: Speakers,
    before: Vec<(PathBuf, Spoken)>,
    events: u64,
    keeps_events: bool,
}

impl Merge {
    fn new(first: &ShdFile, target: BinningTarget, order: &[String]) -> Result<Self, DatasetError> {
        let class_names = first.class_names().to_vec();
        let order: Vec<String> = order.iter().map(|name| normalised(name)).collect();
        let order = places_of(&class_names, &order).filter(|_| order != class_names);
        Ok(Merge {
            builder: DatasetBuilder::with_format(target.format, class_names.clone())?,
            first: first.path().to_path_buf(),
            class_names,
            order,
            speakers: Speakers::default(),
            before: Vec::new(),
            events: 0,
            keeps_events: false,
        })
    }

    fn add(&mut self, file: &ShdFile, target: BinningTarget) -> Result<(), DatasetError> {
        let path = file.path();
        let Some(classes) = places_of(file.class_names(), &self.class_names) else {
            return Err(DatasetError::OtherClasses {
                path: path.to_path_buf(),
                found: file.class_names().to_vec(),
                first: self.first.clone(),
                expected: self.class_names.clone(),
            });
        };
        let labels = file.classes().iter().map(|class| classes[class.index()]);
        let labels: Vec<i64> = labels.map(|class| i64::from(class.0)).collect();
        let range = format!(
            "below {}, the number of classes of the network (`classes` of its `[readout]`); `respike data split` with \
             --classes and --own-classes takes recordings of some classes out of a file",
            target.classes
        );
        At { path }.in_range("the label", &labels, target.classes, &range)?;
        let Numbers { speakers, moved } = self.speakers.add(file)?;
        self.move_speakers(&moved);
        self.events = self.events.saturating_add(file.events_at_most());
        let what = format!("the {} events of all files", self.events);
        ceiling::check(&what, self.events.checked_mul(EVENT_BYTES))?;

        let mut samples = bin(file, target, (&classes, self.order.as_deref()), &speakers)?;
        if self.keeps_events {
            for (index, (sample, _)) in samples.iter_mut().enumerate() {
                sample.events = Some(Arc::new(file.recording(index)?.events));
            }
        }
        if let Some(first) = self.holds_all(&samples) {
            return Err(DatasetError::SameFile {
                path: path.to_path_buf(),
                first: first.to_path_buf(),
            });
        }
        self.before.push((path.to_path_buf(), spoken(&samples)));
        for (sample, past_end) in samples {
            self.builder.add(sample, past_end);
        }
        Ok(())
    }

    /// Gives other numbers to speakers of the files before.
    fn move_speakers(&mut self, moved: &BTreeMap<SpeakerId, SpeakerId>) {
        if moved.is_empty() {
            return;
        }
        self.builder.move_speakers(moved);
        for (_, spoken) in &mut self.before {
            let old = std::mem::take(spoken).into_iter();
            let new = old.map(|((class, speaker), recordings)| {
                let speaker = moved.get(&speaker).copied().unwrap_or(speaker);
                ((class, speaker), recordings)
            });
            *spoken = new.collect();
        }
    }

    /// The file before that holds every one of these samples, said by the same speaker, if any of them
    /// can be known again.
    fn holds_all(&self, samples: &[(Sample, usize)]) -> Option<&Path> {
        let known = |(sample, _): &&(Sample, usize)| sample.fingerprint.is_known();
        let known: Vec<&Sample> = samples
            .iter()
            .filter(known)
            .map(|(sample, _)| sample)
            .collect();
        let holds = |(_, spoken): &&(PathBuf, Spoken)| {
            let has = |sample: &&Sample| {
                let recordings = spoken.get(&(sample.class, sample.speaker));
                recordings.is_some_and(|recordings| recordings.contains(sample))
            };
            !known.is_empty() && known.iter().all(has)
        };
        let (path, _) = self.before.iter().find(holds)?;
        Some(path)
    }

    fn build(mut self) -> Result<Dataset, DatasetError> {
        let names = self
            .speakers
            .named
            .into_iter()
            .map(|(name, speaker)| (speaker, name));
        self.builder.name_speakers(names);
        self.builder.build()
    }
}

fn spoken(samples: &[(Sample, usize)]) -> Spoken {
    let mut groups: BTreeMap<(ClassId, SpeakerId), Vec<&Sample>> = BTreeMap::new();
    for (sample, _) in samples {
        let group = groups.entry((sample.class, sample.speaker)).or_default();
        group.push(sample);
    }
    let sets = groups
        .into_iter()
        .map(|(key, group)| (key, group.into_iter().collect()));
    sets.collect()
}

/// The samples of a file, and how many events of each fell past the end of the grid.
fn bin(
    file: &ShdFile,
    target: BinningTarget,
    (classes, order): (&[ClassId], Option<&[ClassId]>),
    speakers: &BTreeMap<SpeakerId, SpeakerId>,
) -> Result<Vec<(Sample, usize)>, DatasetError> {
    let one = |sample: usize| -> Result<(Sample, usize), DatasetError> {
        let mut recording = file.recording(sample)?;
        recording.class = classes[recording.class.index()];
        let binned = recording.bin(target.format);
        let (mut binned, past_end) = binned.map_err(|source| DatasetError::BadSample {
            path: file.path().to_path_buf(),
            sample,
            source,
        })?;
        if let Some(order) = order {
            let class = order[recording.class.index()];
            let print = binned.fingerprint;
            binned.fingerprint = print.known_as(&recording.events, class, recording.speaker);
        }
        // Not before the fingerprints are taken: older versions took speakers' numbers as files have them.
        binned.speaker = speakers[&recording.speaker];
        Ok((binned, past_end))
    };
    let mut samples = Vec::with_capacity(file.len());
    for start in (0..file.len()).step_by(CHUNK) {
        let chunk = (start..file.len().min(start + CHUNK)).into_par_iter();
        let binned: Vec<_> = chunk.map(one).collect();
        for sample in binned {
            samples.push(sample?);
        }
    }
    Ok(samples)
}

/// The numbers that the speakers of a file get.
struct Numbers {
    speakers: BTreeMap<SpeakerId, SpeakerId>,
    /// New numbers of those in the files before who are nobody known and had a number of this file's.
    moved: BTreeMap<SpeakerId, SpeakerId>,
}

/// Who has which number.
#[derive(Default)]
struct Speakers {
    named: BTreeMap<String, SpeakerId>,
    /// Numbers that have no name in files with a list of names: nobody known.
    unknown: BTreeSet<SpeakerId>,
    /// Numbers of files without such a list, and the first such file.
    numbered: BTreeMap<SpeakerId, PathBuf>,
    taken: BTreeSet<SpeakerId>,
}

impl Speakers {
    /// The numbers that the speakers of a file get.
    fn add(&mut self, file: &ShdFile) -> Result<Numbers, DatasetError> {
        let present: BTreeSet<SpeakerId> = file.speakers().iter().copied().collect();
        let names = file.speaker_names();
        if !file.lists_speakers() {
            let mut moved = BTreeMap::new();
            for &speaker in &present {
                if self.unknown.remove(&speaker) {
                    let number = self.free(speaker, &present, file.path())?;
                    self.unknown.insert(number);
                    moved.insert(speaker, number);
                } else if self.taken.contains(&speaker) && !self.numbered.contains_key(&speaker) {
                    return Err(unnamed(file.path(), speaker));
                }
                self.taken.insert(speaker);
                let path = || file.path().to_path_buf();
                self.numbered.entry(speaker).or_insert_with(path);
            }
            let speakers = present.into_iter().map(|speaker| (speaker, speaker));
            return Ok(Numbers {
                speakers: speakers.collect(),
                moved,
            });
        }
        let mut numbers = BTreeMap::new();
        let theirs: BTreeSet<SpeakerId> = present.iter().chain(names.keys()).copied().collect();
        for (&speaker, name) in names {
            let number = match self.named.get(name) {
                Some(&number) => number,
                None => {
                    if let Some(path) = self.numbered.get(&speaker) {
                        return Err(unnamed(path, speaker));
                    }
                    let number = self.free(speaker, &theirs, file.path())?;
                    self.named.insert(name.clone(), number);
                    number
                }
            };
            numbers.insert(speaker, number);
        }
        let unknown: Vec<SpeakerId> = present
            .iter()
            .filter(|speaker| !names.contains_key(speaker))
            .copied()
            .collect();
        let only = (self.unknown.len() == 1)
            .then(|| self.unknown.first().copied())
            .flatten();
        for &speaker in &unknown {
            let number = match only.filter(|_| unknown.len() == 1) {
                Some(number) => number,
                None if self.unknown.contains(&speaker) => speaker,
                None => self.free(speaker, &theirs, file.path())?,
            };
            self.unknown.insert(number);
            numbers.insert(speaker, number);
        }
        Ok(Numbers {
            speakers: numbers,
            moved: BTreeMap::new(),
        })
    }

    /// The number itself if it is free, else the lowest that is, here and in the file at hand.
    fn free(
        &mut self,
        wanted: SpeakerId,
        theirs: &BTreeSet<SpeakerId>,
        path: &Path,
    ) -> Result<SpeakerId, DatasetError> {
        let is_free = |number: &SpeakerId| !self.taken.contains(number) && !theirs.contains(number);
        let number = match self.taken.contains(&wanted) {
            false => Some(wanted),
            true => (0..=u16::MAX).map(SpeakerId).find(is_free),
        };
        let number = number.ok_or_else(|| DatasetError::TooManySpeakers(path.to_path_buf()))?;
        self.taken.insert(number);
        Ok(number)
    }
}

fn unnamed(path: &Path, speaker: SpeakerId) -> DatasetError {
    DatasetError::UnnamedSpeakers {
        path: path.to_path_buf(),
        speaker,
    }
}
