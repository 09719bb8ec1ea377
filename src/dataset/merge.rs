//! Several files as one dataset, in which one name is one thing.
//!
//! In: SHD-layout files. Out: their recordings, binned, with classes and speakers numbered alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::binned::places_of;
use super::shd_layout::At;
use super::shd_read::EVENT_BYTES;
use super::{BinningTarget, Dataset, DatasetBuilder, DatasetError, RecordingSet, Sample, ShdFile};
use crate::ceiling;
use crate::ids::{ClassId, SpeakerId};

/// Samples that are binned before their errors are looked at.
const CHUNK: usize = 1024;

/// Reads and merges files, binned for a network.
///
/// Classes with the same name are one class, whatever their numbers: the numbers are those of the first
/// file. Speakers with the same name are one speaker, and others have different numbers: a speaker whose
/// number is taken gets the lowest free one. A number without a name in a file that names speakers is
/// nobody known, and never joins a named one. Numbers of files that name no speakers are taken as they
/// are.
///
/// # Errors
/// [`DatasetError`], with the file and the sample: besides what [`ShdFile`] refuses, files whose
/// class names differ, a file that is given twice or holds nothing but what another holds, speakers
/// without names whose numbers are those of named ones in other files, labels that the network has no
/// readout for, and units that it has no input for.
pub fn read_dataset(paths: &[PathBuf], target: BinningTarget) -> Result<Dataset, DatasetError> {
    let mut merge: Option<Merge> = None;
    for (index, path) in paths.iter().enumerate() {
        refuse_same_path(path, &paths[..index])?;
        let file = ShdFile::open(path)?;
        match &mut merge {
            Some(merge) => merge.add(&file, target)?,
            None => {
                let mut first = Merge::new(&file, target)?;
                first.add(&file, target)?;
                merge = Some(first);
            }
        }
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
    speakers: Speakers,
    before: Vec<(PathBuf, Spoken)>,
    events: u64,
}

impl Merge {
    fn new(first: &ShdFile, target: BinningTarget) -> Result<Self, DatasetError> {
        let class_names = first.class_names().to_vec();
        Ok(Merge {
            builder: DatasetBuilder::new(target.grid, target.inputs, class_names.clone())?,
            first: first.path().to_path_buf(),
            class_names,
            speakers: Speakers::default(),
            before: Vec::new(),
            events: 0,
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
            "below {}, the number of classes of the network",
            target.classes
        );
        At { path }.in_range("the label", &labels, target.classes, &range)?;
        let speakers = self.speakers.add(file)?;
        self.events = self.events.saturating_add(file.events_at_most());
        let what = format!("the {} events of all files", self.events);
        ceiling::check(&what, self.events.checked_mul(EVENT_BYTES))?;

        let samples = bin(file, target, &classes, &speakers)?;
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
    classes: &[ClassId],
    speakers: &BTreeMap<SpeakerId, SpeakerId>,
) -> Result<Vec<(Sample, usize)>, DatasetError> {
    let one = |sample: usize| {
        let mut recording = file.recording(sample)?;
        recording.class = classes[recording.class.index()];
        recording.speaker = speakers[&recording.speaker];
        let binned = recording.bin(target.grid, target.inputs);
        binned.map_err(|source| DatasetError::BadSample {
            path: file.path().to_path_buf(),
            sample,
            source,
        })
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

/// Who has which number.
#[derive(Default)]
struct Speakers {
    named: BTreeMap<String, SpeakerId>,
    /// Numbers that have no name in files that name others: nobody known.
    unknown: BTreeSet<SpeakerId>,
    /// Numbers of files that name nobody, and the first such file.
    numbered: BTreeMap<SpeakerId, PathBuf>,
    taken: BTreeSet<SpeakerId>,
}

impl Speakers {
    /// The numbers that the speakers of a file get.
    fn add(&mut self, file: &ShdFile) -> Result<BTreeMap<SpeakerId, SpeakerId>, DatasetError> {
        let present: BTreeSet<SpeakerId> = file.speakers().iter().copied().collect();
        let names = file.speaker_names();
        if names.is_empty() {
            for &speaker in &present {
                if self.taken.contains(&speaker) && !self.numbered.contains_key(&speaker) {
                    return Err(unnamed(file.path(), speaker));
                }
                self.taken.insert(speaker);
                let path = || file.path().to_path_buf();
                self.numbered.entry(speaker).or_insert_with(path);
            }
            return Ok(present
                .into_iter()
                .map(|speaker| (speaker, speaker))
                .collect());
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
        Ok(numbers)
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
