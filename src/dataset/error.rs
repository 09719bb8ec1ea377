use std::path::PathBuf;

use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::spikes::SpikeError;
use crate::storage::shown;

/// What can be wrong with a dataset or one of its files.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// Events are kept on request only.
    #[error("the events of these recordings were not kept, so that they can't be binned again")]
    NoEvents,
    /// The file could not be read at all.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is there, but is not HDF5.
    #[error("{path} is not an HDF5 file: {reason}")]
    NotHdf5 {
        /// The file.
        path: PathBuf,
        /// What the HDF5 library said.
        reason: String,
    },
    /// A group or dataset of SHD's layout is missing.
    #[error("{path} has no {kind} `{name}`, which SHD's layout asks for")]
    Missing {
        /// The file.
        path: PathBuf,
        /// group or dataset.
        kind: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A dataset of the file has the wrong type or shape.
    #[error("in {path}, `{name}` is {found}, but must be {expected}")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// Name of the dataset.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A dataset of the file is kept in a way that cannot or will not be read.
    #[error("{path} cannot be read, as to `{name}`: {reason}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Name of the dataset.
        name: &'static str,
        /// What stands in the way.
        reason: String,
    },
    /// A name in the file is none.
    #[error("in {path}, entry {place} of `{list}` is no name: {reason}")]
    BadName {
        /// The file.
        path: PathBuf,
        /// Name of the list.
        list: &'static str,
        /// Which entry, counted from 0.
        place: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading would need more memory than may be used.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Files that are to be merged hold the same recordings.
    #[error("{path} holds the recordings of {first} once more; give each file once")]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The one before it.
        first: PathBuf,
    },
    /// Files that are to be merged give one number to speakers that may be others.
    #[error(
        "{path} does not name its speakers, but other files of the data do: whether its {speaker} is theirs cannot be told; encode it again, so that it names its speakers"
    )]
    UnnamedSpeakers {
        /// The file.
        path: PathBuf,
        /// A number that a named speaker has too.
        speaker: SpeakerId,
    },
    /// All numbers of speakers are taken.
    #[error("with {0} there would be more than 65536 speakers")]
    TooManySpeakers(PathBuf),
    /// Two datasets of the file must have an entry for each sample.
    #[error("in {path}, `{name}` has {found} entries, but `labels` has {expected}")]
    UnequalSamples {
        /// The file.
        path: PathBuf,
        /// Name of the dataset.
        name: &'static str,
        /// Its entries.
        found: usize,
        /// Entries of `labels`.
        expected: usize,
    },
    /// A number in the file does not fit what it stands for.
    #[error("in {path}, {what} of sample {sample} is {value}, but must be {expected}")]
    BadNumber {
        /// The file.
        path: PathBuf,
        /// Which number.
        what: &'static str,
        /// Where.
        sample: usize,
        /// What it is.
        value: i64,
        /// What it must be.
        expected: String,
    },
    /// A sample's events are not valid, or do not fit the network.
    #[error("in {path}, sample {sample}: {source}")]
    BadSample {
        /// The file.
        path: PathBuf,
        /// Which sample of the file.
        sample: usize,
        /// What is wrong.
        source: SpikeError,
    },
    /// The HDF5 library failed in the midst of a file.
    #[error("{path} is damaged or cannot be {action}: {reason}")]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// read or written.
        action: &'static str,
        /// What the HDF5 library said.
        reason: String,
    },
    /// Files that are to be merged name their classes differently.
    #[error(
        "{path} names its classes {}, but {first} {}; only files with the same classes can be merged{}",
        listed(found),
        listed(expected),
        how_to_share(found, expected)
    )]
    OtherClasses {
        /// The file.
        path: PathBuf,
        /// Its names.
        found: Vec<String>,
        /// The first file.
        first: PathBuf,
        /// The first file's names.
        expected: Vec<String>,
    },
    /// There is no sample.
    #[error("{0} holds no samples")]
    Empty(String),
    /// A class name list was empty or too long.
    #[error("a dataset needs 1 to 65535 class names, not {0}")]
    BadClassNames(usize),
    /// Events pushed into a dataset do not fit it.
    #[error("{sample}: {source}")]
    BadEvents {
        /// Which sample.
        sample: SampleIndex,
        /// What is wrong.
        source: SpikeError,
    },
    /// A class that the dataset has no name for.
    #[error("{sample} is of {class}, but there are only {classes} classes (0 to {})", classes - 1)]
    ClassPastEnd {
        /// Which sample.
        sample: SampleIndex,
        /// Its class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// Nobody of that number spoke any sample.
    #[error("there is no {speaker} in the data; its speakers are {known}")]
    NoSuchSpeaker {
        /// Who was asked for.
        speaker: SpeakerId,
        /// Who there is.
        known: String,
    },
    /// No sample is of that class.
    #[error("there is no {class} in the data; its classes are {known}")]
    NoSuchClass {
        /// Which was asked for.
        class: ClassId,
        /// Which there are.
        known: String,
    },
    /// No class has that name or number.
    #[error(
        "there is no class `{}` in the data; its classes are {known}",
        shown(text)
    )]
    UnknownClass {
        /// What was asked for.
        text: String,
        /// Which there are.
        known: String,
    },
    /// No speaker has that name or number.
    #[error(
        "there is no speaker `{}` in the data; its speakers are {known}",
        shown(text)
    )]
    UnknownSpeaker {
        /// Who was asked for.
        text: String,
        /// Who there is.
        known: String,
    },
    /// Two things that meet name their classes differently.
    #[error(
        "the data names its classes {}, but what it is to be used with names them {}; only the same names, in any order, fit",
        listed(found),
        listed(expected)
    )]
    ClassesDiffer {
        /// The data's names.
        found: Vec<String>,
        /// Those of the network, or of the data that it meets.
        expected: Vec<String>,
    },
    /// The share of test samples leaves nothing to train on, or nothing to test with.
    #[error("the share of test samples must lie between 0 and 1, not {0}")]
    BadFraction(f64),
}

/// What is done about files of which each names classes that others lack.
fn how_to_share(found: &[String], expected: &[String]) -> String {
    let shared = expected.iter().filter(|name| found.contains(name));
    let shared: Vec<_> = shared.map(|name| shown(name)).collect();
    match shared.is_empty() {
        true => String::new(),
        false => format!(
            "; what they share is had with `respike data split FILE --classes {} --own-classes --out …` of each",
            shared.join(",")
        ),
    }
}

/// Names for a sentence.
fn listed(names: &[String]) -> String {
    let names = names.iter().map(|name| shown(name));
    names.collect::<Vec<_>>().join(", ")
}
